using System.Text.Json;
using ActorTrainer.Core.Configuration;
using ActorTrainer.Core.Tasks;

namespace ActorTrainer.Core.Tests.Configuration;

public sealed class TaskSpecRulesTests
{
    private static readonly TaskSpec Good = new() { Name = "digits", Command = ["python3", "train.py"] };

    /// <summary>What breaks each rule, and what is said of it.</summary>
    public static TheoryData<TaskSpec, string> Broken =>
        new()
        {
            { Good with { Name = null! }, "name is null" },
            { Good with { Name = "Digits" }, "'Digits' is not a task's name" },
            { Good with { Environment = null! }, "environment is null" },
            { Good with { Checkpoint = null! }, "checkpoint is null" },
            { Good with { Retry = null! }, "retry is null" },
            { Good with { Retry = new RetrySpec { Rules = null! } }, "retry.rules is null" },
            { Good with { Stall = null! }, "stall is null" },
            { Good with { Command = null }, "either a command or a trainer" },
            { Good with { Trainer = new TrainerSpec("T", null, null) }, "either a command or a trainer" },
            { Good with { Command = [] }, "the command is empty" },
            { Good with { Command = [" ", "x"] }, "the command is empty" },
            { Good with { Command = ["true", null!] }, "a word of the command is null" },
            { Good with { Command = ["true", "a\0b"] }, "zero character" },
            { Good with { Command = null, Trainer = new TrainerSpec(null!, null, null) }, "the trainer has no type" },
            { Good with { Command = null, Trainer = new TrainerSpec("T", null, Json("[1]")) }, "settings are not an object" },
            { Good with { Command = null, Trainer = new TrainerSpec("T", null, Json(Nested(33))) }, "more than 32 levels" },
            { Good with { Priority = 1_000_001 }, "priority is 1000001; it must be from -1000000 to 1000000" },
            { Good with { FromCheckpoint = "latest" }, "'latest' is not a checkpoint's name; 'actortrainer checkpoints ls' lists them" },
            { Good with { Slots = 0 }, "slots is 0; it must be from 1 to 10000" },
            { Good with { Grace = TimeSpan.FromSeconds(-1) }, "grace is -1 s; it must be from 0 ns to 1 h" },
            { Good with { Checkpoint = new CheckpointSpec { Strategy = (CheckpointStrategy)9 } }, "checkpoint.strategy is none of Epoch" },
            { Good with { Checkpoint = new CheckpointSpec { EpochInterval = 0 } }, "checkpoint.epoch-interval is 0" },
            { Good with { Checkpoint = new CheckpointSpec { Interval = TimeSpan.Zero } }, "checkpoint.interval is 0 ns" },
            { Good with { Checkpoint = new CheckpointSpec { MaxOverhead = 0 } }, "checkpoint.max-overhead is 0; it must be from 0.0001" },
            { Good with { Checkpoint = new CheckpointSpec { MaxOverhead = double.NaN } }, "checkpoint.max-overhead is NaN" },
            { Good with { Checkpoint = new CheckpointSpec { OnDamage = (DamageAction)9 } }, "checkpoint.on-damage is none of Hold" },
            { Good with { Checkpoint = new CheckpointSpec { KeepBest = -1 } }, "checkpoint.keep-best is -1" },
            { Good with { Checkpoint = new CheckpointSpec { KeepBest = 2 } }, "checkpoint.keep-best is 2, and nothing says what is best" },
            { Good with { Checkpoint = new CheckpointSpec { KeepEvery = TimeSpan.Zero } }, "checkpoint.keep-every is 0 ns" },
            { Good with { Checkpoint = new CheckpointSpec { KeepEverySteps = 0 } }, "checkpoint.keep-every in steps is 0" },
            { Good with { Checkpoint = new CheckpointSpec { FullEverySaves = -1 } }, "checkpoint.full-every in saves is -1" },
            { Good with { Checkpoint = new CheckpointSpec { FullEvery = TimeSpan.MinValue } }, "checkpoint.full-every is" },
            { Good with { Checkpoint = new CheckpointSpec { KeepLast = 0 } }, "checkpoint.keep-last is 0" },
            { Good with { Retry = new RetrySpec { MaxAttempts = -1 } }, "retry.max-attempts is -1" },
            { Good with { Retry = new RetrySpec { Backoff = TimeSpan.MaxValue } }, "retry.backoff is" },
            { Good with { Retry = new RetrySpec { MaxBackoff = TimeSpan.MaxValue } }, "retry.max-backoff is" },
            {
                Good with
                {
                    Retry = new RetrySpec { MaxBackoff = TimeSpan.Zero },
                },
                "retry.max-backoff (0 ns) is shorter than backoff (1 s)"
            },
            { With((FailureRule)null!), "a rule of retry.rules is null" },
            { With(Rule() with { Name = null! }), "has no name" },
            { With(Rule() with { ExitCode = null }), "rule 'bad' of retry.rules has no condition" },
            { With(Rule() with { Action = (FailureAction)9 }), "the action of rule 'bad' is none of Retry" },
            { With(Rule() with { ExitCode = 256 }), "the exit code of rule 'bad' is 256" },
            { With(Rule() with { Signal = 0 }), "the signal of rule 'bad' is 0" },
            { Good with { Stall = new StallSpec { Saving = TimeSpan.FromDays(366) } }, "stall.saving is 366 d" },
            { WithVariable("1A", "x"), "'1A' is not a variable's name" },
            { WithVariable("ACTORTRAINER_RUN", "x"), "is set by ActorTrainer itself" },
            { WithVariable("A", "x\0"), "contains a zero character" },
            { WithVariable("A", null!), "the variable A is null" },
            { WithSecret("1A", "file:/run/a"), "secrets: '1A' is not a variable's name" },
            { WithSecret("ACTORTRAINER_RUN", "file:/run/a"), "is set by ActorTrainer itself" },
            { WithSecret("A", null!), "the secret A is null" },
            { WithSecret("A", "hunter2"), "secrets: A must say where its secret is, and not what it is: file: and" },
            { WithSecret("A", "file:run/a"), "secrets: A must say where its secret is" },
            { WithSecret("A", "file:/run/a\0"), "and the absolute path of a file on the node" },
            {
                WithSecret("A", "file:/run/a") with
                {
                    Environment = new Dictionary<string, string> { ["A"] = "x" },
                },
                "the variable A has a value and a secret; keep one of them"
            },
            {
                Good with
                {
                    Trainer = new TrainerSpec("X", null, null),
                    Command = null,
                    WaitForChildren = true,
                },
                "wait-for-children is for a command"
            },
            {
                Good with
                {
                    Trainer = new TrainerSpec("X", null, null),
                    Command = null,
                    Stall = new StallSpec { Command = TimeSpan.FromSeconds(1) },
                },
                "stall.command is for a command"
            },
            { Good with { Stall = new StallSpec { Command = TimeSpan.FromDays(366) } }, "stall.command is 366 d" },
            {
                Good with
                {
                    Trainer = new TrainerSpec("X", null, null),
                    Command = null,
                    Progress = new ProgressSpec(),
                },
                "progress is for a command; a trainer tells its progress itself"
            },
            { Good with { Progress = new ProgressSpec { Patterns = [null!] } }, "must have 1 to 1000 characters" },
            { Good with { Progress = new ProgressSpec { Patterns = ["(?<step>"] } }, "progress: the pattern '(?<step>' is no regular" },
            { Good with { Progress = new ProgressSpec { Patterns = [.. Enumerable.Repeat("(?<step>1)", 9)] } }, "9 patterns; 8 are" },
            {
                Good with
                {
                    Progress = new ProgressSpec { Off = true, Patterns = ["(?<step>1)"] },
                },
                "exclude each other"
            },
            { Good with { Umask = "22" }, "umask is '22': write three octal digits, such as 022" },
            { Good with { Umask = "028" }, "umask is '028'" },
            { Good with { Umask = "4022" }, "umask is '4022'" },
            { Good with { Umask = "" }, "umask is ''" },
        };

    [Theory]
    [MemberData(nameof(Broken))]
    public void Problem_OneRuleBroken_NamesIt(TaskSpec spec, string said) =>
        TaskSpecRules.Problem(spec).ShouldNotBeNull().ShouldContain(said);

    /// <summary>It may have been written there by mistake, and messages are logged.</summary>
    [Fact]
    public void Problem_SecretWithItsValue_IsNotRepeated() =>
        TaskSpecRules.Problem(WithSecret("A", "hunter2")).ShouldNotBeNull().ShouldNotContain("hunter2");

    [Fact]
    public void Problem_ValuesAtTheirBounds_AreTaken()
    {
        TaskSpec least = Good with
        {
            Slots = 1,
            Grace = TimeSpan.Zero,
            Checkpoint = new CheckpointSpec
            {
                EpochInterval = 1,
                Interval = TimeSpan.FromMilliseconds(1),
                KeepLast = 1,
                KeepBest = 0,
                KeepEvery = TimeSpan.FromSeconds(1),
                KeepEverySteps = 1,
            },
            Retry = new RetrySpec
            {
                MaxAttempts = 0,
                Backoff = TimeSpan.Zero,
                MaxBackoff = TimeSpan.Zero,
                Rules = [Rule() with { ExitCode = 0 }],
            },
            Stall = new StallSpec { Training = TimeSpan.Zero },
            Umask = "000",
        };
        TaskSpec most = Good with
        {
            Slots = 10_000,
            Grace = TimeSpan.FromHours(1),
            Retry = new RetrySpec
            {
                Backoff = TimeSpan.FromDays(1),
                MaxBackoff = TimeSpan.FromDays(1),
                Rules = [Rule() with { Signal = 64 }],
            },
            Command = null,
            Trainer = new TrainerSpec("T", null, Json(Nested(32))),
            Umask = "0777",
            Secrets = new Dictionary<string, string> { ["A"] = "file:/run/a b" },
        };

        TaskSpecRules.Problem(least).ShouldBeNull();
        TaskSpecRules.Problem(most).ShouldBeNull();
    }

    private static FailureRule Rule() => new("bad", FailureAction.Hold, ExitCode: 2, Signal: null, Pattern: null);

    private static TaskSpec With(FailureRule rule) => Good with { Retry = new RetrySpec { Rules = [rule] } };

    private static TaskSpec WithVariable(string name, string value) =>
        Good with
        {
            Environment = new Dictionary<string, string> { [name] = value },
        };

    private static TaskSpec WithSecret(string name, string source) =>
        Good with
        {
            Secrets = new Dictionary<string, string> { [name] = source },
        };

    private static JsonElement Json(string text) => JsonDocument.Parse(text).RootElement;

    private static string Nested(int depth) => string.Concat(Enumerable.Repeat("{\"a\":", depth - 1)) + "{}" + new string('}', depth - 1);
}
