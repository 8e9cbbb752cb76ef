using System.Globalization;
using System.Text.Json;
using ActorTrainer.Core.Checkpoints;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Tasks;

namespace ActorTrainer.Core.Configuration;

/// <summary>
/// What every task keeps, whether it comes from a task file, through the HTTP API or from a host. The reader of task files has the same
/// bounds and says in which line one is broken.
/// </summary>
public static partial class TaskSpecRules
{
    internal const string NoCheckpoint = "is not a checkpoint's name; 'actortrainer checkpoints ls' lists them (c-TERM-STEP-RANDOM)";

    internal const string NoBestMetric = "and nothing says what is best; set checkpoint.best-metric, too";

    private static readonly TimeSpan Year = TimeSpan.FromDays(365);

    internal static readonly Bounds<int> Priority = new(-1_000_000, 1_000_000);
    internal static readonly Bounds<int> Slots = new(1, 10_000);
    internal static readonly Bounds<TimeSpan> Grace = new(TimeSpan.Zero, TimeSpan.FromHours(1));
    internal static readonly Bounds<int> EpochInterval = new(1, 1_000_000_000);
    internal static readonly Bounds<TimeSpan> Interval = new(TimeSpan.FromMilliseconds(1), Year);
    internal static readonly Bounds<double> MaxOverhead = new(0.0001, 0.5);
    internal static readonly Bounds<int> KeepLast = new(1, 1_000_000);
    internal static readonly Bounds<int> KeepBest = new(0, 1_000_000);
    internal static readonly Bounds<TimeSpan> KeepEvery = new(TimeSpan.FromSeconds(1), Year);
    internal static readonly Bounds<long> KeepEverySteps = new(1, 1_000_000_000_000);
    internal static readonly Bounds<int> FullEverySaves = new(0, 1_000_000);
    internal static readonly Bounds<TimeSpan> FullEvery = new(TimeSpan.Zero, Year);
    internal static readonly Bounds<int> MaxAttempts = new(0, 1_000_000);
    internal static readonly Bounds<TimeSpan> Backoff = new(TimeSpan.Zero, TimeSpan.FromDays(1));
    internal static readonly Bounds<int> ExitCode = new(0, 255);
    internal static readonly Bounds<int> Signal = new(1, 64);
    internal static readonly Bounds<TimeSpan> Stall = new(TimeSpan.Zero, Year);

    /// <summary>The first thing that is wrong with a task, as a sentence without its full stop, or null.</summary>
    /// <param name="spec">The task. What a host or a JSON reader left null where the type says otherwise is named, too.</param>
    public static string? Problem(TaskSpec spec)
    {
        ArgumentNullException.ThrowIfNull(spec);
        return Missing(spec)
            ?? Whole(spec)
            ?? Folder(spec)
            ?? Out("priority", spec.Priority, Priority)
            ?? Out("slots", spec.Slots, Slots)
            ?? Out("grace", spec.Grace, Grace)
            ?? (spec.FromCheckpoint is { } from && !CheckpointNames.TryParse(from, out _) ? $"'{from}' {NoCheckpoint}" : null)
            ?? Checkpoint(spec.Checkpoint)
            ?? Retry(spec.Retry)
            ?? Stalls(spec.Stall)
            ?? OfCommandsOnly(spec)
            ?? Progress(spec)
            ?? NodeEnvironment(spec)
            ?? spec.Environment.Select(variable => Variable(variable.Key, variable.Value)).FirstOrDefault(problem => problem is not null)
            ?? spec.Secrets?.Select(secret => Secret(secret.Key, secret.Value, spec)).FirstOrDefault(problem => problem is not null)
            ?? (spec.Umask is null || UmaskProblem(spec.Umask) is not { } umask ? null : $"umask is '{spec.Umask}': {umask}");
    }

    /// <summary>
    /// What is wrong with a variable of a task's environment, as the end of a sentence that begins with its name; null: nothing.
    /// </summary>
    /// <param name="name">The variable.</param>
    /// <param name="value">Its value; null: not known here.</param>
    public static string? VariableProblem(string name, string? value)
    {
        bool valid = name.Length > 0 && !char.IsAsciiDigit(name[0]) && name.All(c => char.IsAsciiLetterOrDigit(c) || c == '_');
        return !valid ? "is not a variable's name; use letters, digits and underscores"
            : name.StartsWith("ACTORTRAINER_", StringComparison.Ordinal)
                ? "is set by ActorTrainer itself; choose a name that does not begin with ACTORTRAINER_"
            : value?.Contains('\0', StringComparison.Ordinal) == true ? "contains a zero character, which no environment can; remove it"
            : null;
    }

    /// <summary>
    /// What is wrong with the place that a variable's secret value comes from, as the end of a sentence that begins with the variable's
    /// name; null: nothing. The text is not repeated: it may be the secret itself.
    /// </summary>
    internal static string? SecretProblem(string source) =>
        SecretSource.PathOf(source) is not null
            ? null
            : "must say where its secret is, and not what it is: "
                + "file: and the absolute path of a file on the node, such as file:/run/secrets/token";

    /// <summary>What is wrong with a umask, as the end of a sentence that begins with it; null: nothing.</summary>
    internal static string? UmaskProblem(string umask) =>
        umask.TrimStart('0').Length <= 3 && umask.Length is 3 or 4 && umask.All(digit => digit is >= '0' and <= '7')
            ? null
            : "write three octal digits, such as 022";

    private static string? Missing(TaskSpec spec) =>
        Null("name", spec.Name)
        ?? Null("environment", spec.Environment)
        ?? Null("checkpoint", spec.Checkpoint)
        ?? Null("retry", spec.Retry)
        ?? Null("retry.rules", spec.Retry?.Rules)
        ?? Null("stall", spec.Stall);

    private static string? Null(string key, object? value) => value is null ? $"{key} is null; leave it out for its default" : null;

    private static string? Whole(TaskSpec spec) =>
        !TaskId.IsName(spec.Name, TaskSpecReader.MaxNameLength)
            ? $"'{spec.Name}' is not a task's name: use 1 to {TaskSpecReader.MaxNameLength} lower-case letters, digits and inner dashes"
        : spec.Command is null == spec.Trainer is null ? "a task needs either a command or a trainer"
        : spec.Command is not null ? Command(spec.Command)
        : Trainer(spec.Trainer!);

    private static string? Command(IReadOnlyList<string> command) =>
        command.Count == 0 || string.IsNullOrWhiteSpace(command[0]) ? "the command is empty: its first word is the executable"
        : command.Any(word => word is null) ? "a word of the command is null; a command is a list of texts"
        : command.Any(word => word.Contains('\0', StringComparison.Ordinal))
            ? "the command contains a zero character, which no command line can; remove it"
        : null;

    private static string? Trainer(TrainerSpec trainer) =>
        string.IsNullOrWhiteSpace(trainer.Type) ? "the trainer has no type: the full name of a class that implements ITrainer"
        : trainer.Settings is not { } settings ? null
        : settings.ValueKind is not (JsonValueKind.Object or JsonValueKind.Null) ? "the trainer's settings are not an object"
        : Depth(settings) > TaskSpecReader.MaxSettingsDepth
            ? $"the trainer's settings are nested more than {TaskSpecReader.MaxSettingsDepth} levels deep; flatten them"
        : null;

    private static int Depth(JsonElement json) =>
        json.ValueKind switch
        {
            JsonValueKind.Object => 1 + json.EnumerateObject().Select(property => Depth(property.Value)).DefaultIfEmpty(0).Max(),
            JsonValueKind.Array => 1 + json.EnumerateArray().Select(Depth).DefaultIfEmpty(0).Max(),
            _ => 0,
        };

    private static string? Checkpoint(CheckpointSpec checkpoint) =>
        Undefined("checkpoint.strategy", checkpoint.Strategy)
        ?? Out("checkpoint.epoch-interval", checkpoint.EpochInterval, EpochInterval)
        ?? Out("checkpoint.interval", checkpoint.Interval, Interval)
        ?? Out("checkpoint.max-overhead", checkpoint.MaxOverhead, MaxOverhead)
        ?? Out("checkpoint.keep-last", checkpoint.KeepLast, KeepLast)
        ?? Out("checkpoint.keep-best", checkpoint.KeepBest, KeepBest)
        ?? (checkpoint is { KeepBest: > 1, BestMetric: null } ? $"checkpoint.keep-best is {checkpoint.KeepBest}, {NoBestMetric}" : null)
        ?? Out("checkpoint.keep-every", checkpoint.KeepEvery, KeepEvery)
        ?? Out("checkpoint.keep-every in steps", checkpoint.KeepEverySteps, KeepEverySteps)
        ?? Out("checkpoint.full-every in saves", checkpoint.FullEverySaves, FullEverySaves)
        ?? Out("checkpoint.full-every", checkpoint.FullEvery, FullEvery)
        ?? Undefined("checkpoint.on-damage", checkpoint.OnDamage)
        ?? Undefined("checkpoint.capture", checkpoint.Capture)
        ?? Out("checkpoint.warn-after", checkpoint.WarnsAfter(), Stall)
        ?? (
            checkpoint.DoneFile is not { } done || EntryPath.IsSafe(done)
                ? null
                : $"checkpoint.done-file '{done}' is no path of a file in the checkpoint folder: write for example DONE"
        );

    private static string? Retry(RetrySpec retry) =>
        Out("retry.max-attempts", retry.MaxAttempts, MaxAttempts)
        ?? Out("retry.backoff", retry.Backoff, Backoff)
        ?? Out("retry.max-backoff", retry.MaxBackoff, Backoff)
        ?? (
            retry.MaxBackoff < retry.Backoff
                ? $"retry.max-backoff ({Quantities.Format(retry.MaxBackoff)}) is shorter than backoff ({Quantities.Format(retry.Backoff)})"
                : null
        )
        ?? retry.Rules.Select(Rule).FirstOrDefault(problem => problem is not null);

    private static string? Rule(FailureRule? rule) =>
        rule is null ? "a rule of retry.rules is null"
        : string.IsNullOrEmpty(rule.Name) ? "a rule of retry.rules has no name; it is shown in the task's events"
        : rule is { ExitCode: null, Signal: null, Pattern: null }
            ? $"rule '{rule.Name}' of retry.rules has no condition; give an exit code, a signal or a pattern"
        : Undefined($"the action of rule '{rule.Name}'", rule.Action)
            ?? Out($"the exit code of rule '{rule.Name}'", rule.ExitCode, ExitCode)
            ?? Out($"the signal of rule '{rule.Name}'", rule.Signal, Signal);

    private static string? OfCommandsOnly(TaskSpec spec) =>
        spec.Command is not null ? null
        : spec.WaitForChildren ? "wait-for-children is for a command; the run of a trainer ends with its process"
        : spec.Stall.Command is not null ? "stall.command is for a command; a trainer has stall.training"
        : null;

    private static string? Stalls(StallSpec stall) =>
        Out("stall.starting", stall.Starting, Stall)
        ?? Out("stall.restoring", stall.Restoring, Stall)
        ?? Out("stall.training", stall.Training, Stall)
        ?? Out("stall.command", stall.Command, Stall)
        ?? Out("stall.evaluating", stall.Evaluating, Stall)
        ?? Out("stall.saving", stall.Saving, Stall);

    private static string? Variable(string name, string? value) =>
        value is null ? $"the variable {name} is null; leave it out, or give it a text"
        : VariableProblem(name, value) is { } problem ? $"environment: '{name}' {problem}"
        : null;

    private static string? Secret(string name, string? source, TaskSpec spec) =>
        source is null ? $"the secret {name} is null; leave it out, or say which file it is in"
        : VariableProblem(name, null) is { } problem ? $"secrets: '{name}' {problem}"
        : SecretProblem(source) is { } wrong ? $"secrets: {name} {wrong}"
        : spec.Environment.ContainsKey(name) ? $"the variable {name} has a value and a secret; keep one of them"
        : null;

    private static string? Undefined<T>(string what, T value)
        where T : struct, Enum => Enum.IsDefined(value) ? null : $"{what} is none of {string.Join(", ", Enum.GetNames<T>())}";

    private static string? Out<T>(string key, T? value, Bounds<T> bounds)
        where T : struct, IComparable<T> =>
        value is not { } given || (given.CompareTo(bounds.Min) >= 0 && given.CompareTo(bounds.Max) <= 0)
            ? null
            : $"{key} is {Text(given)}; it must be from {Text(bounds.Min)} to {Text(bounds.Max)}";

    private static string Text<T>(T value) =>
        value is TimeSpan time ? Quantities.Format(time) : string.Create(CultureInfo.InvariantCulture, $"{value}");
}

/// <summary>The least and the greatest value that a setting may have.</summary>
/// <param name="Min">The least.</param>
/// <param name="Max">The greatest.</param>
internal readonly record struct Bounds<T>(T Min, T Max);
