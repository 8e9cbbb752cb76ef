using ActorTrainer.Core.Configuration;
using ActorTrainer.Core.Tasks;
using ActorTrainer.Hocon;

namespace ActorTrainer.Core.Tests.Configuration;

public sealed class TaskSpecReaderTests
{
    [Fact]
    public void Read_SmallestCommand_HasTheDefaults()
    {
        TaskSpec spec = Read("task { name = a, command = [\"python3\", train.py] }");

        spec.Name.ShouldBe("a");
        spec.Command.ShouldBe(["python3", "train.py"]);
        spec.Trainer.ShouldBeNull();
        spec.WorkingDirectory.ShouldBeNull();
        spec.Checkpoint.ShouldBe(new CheckpointSpec());
        spec.Stall.ShouldBe(new StallSpec());
        (spec.Priority, spec.Slots, spec.Grace, spec.Gang, spec.GangSize).ShouldBe((0, 1, TimeSpan.FromSeconds(8), null, 1));
        TaskSpecHash.Compute(spec).ShouldBe(TaskSpecHash.Compute(new TaskSpec { Name = "a", Command = ["python3", "train.py"] }));
    }

    [Theory]
    [InlineData("10000 steps", 10_000)]
    [InlineData("1 step", 1)]
    [InlineData("20saves", 20)]
    public void Read_KeepEverySteps_IsANumber(string text, long steps)
    {
        CheckpointSpec read = Read($"task {{ name = a, command = x, checkpoint.keep-every = {text} }}").Checkpoint;
        (read.KeepEvery, read.KeepEverySteps).ShouldBe((null, steps));
    }

    [Theory]
    [InlineData("1 %", 0.01)]
    [InlineData("0.25%", 0.0025)]
    [InlineData("50 %", 0.5)]
    public void Read_MaxOverhead_IsAFraction(string text, double fraction)
    {
        CheckpointSpec read = Read(
            $"task {{ name = a, command = x, checkpoint {{ strategy = adaptive, max-overhead = {text} }} }}"
        ).Checkpoint;
        (read.Strategy, read.MaxOverhead, read.MostOverhead()).ShouldBe((CheckpointStrategy.Adaptive, fraction, fraction));
        (new CheckpointSpec().MaxOverhead, new CheckpointSpec().MostOverhead()).ShouldBe((null, 0.01));
    }

    [Theory]
    [InlineData("1", "task.checkpoint.max-overhead is '1': write a percentage, for example 1 %.")]
    [InlineData("many %", "task.checkpoint.max-overhead is 'many %': write a percentage, for example 1 %.")]
    [InlineData("0 %", "task.checkpoint.max-overhead is '0 %': it must be from 0.01 % to 50 %.")]
    [InlineData("51%", "task.checkpoint.max-overhead is '51%': it must be from 0.01 % to 50 %.")]
    public void Read_MaxOverheadThatIsNone_SaysWhatToWrite(string text, string message) =>
        Should
            .Throw<ConfigException>(() => Read($"task {{ name = a, command = x, checkpoint.max-overhead = {text} }}"))
            .Message.ShouldEndWith(message);

    [Fact]
    public void Read_EveryKey_ReachesTheSpecification()
    {
        TaskSpec spec = Read(
            """
            lr = 0.1
            task {
              name = digits-a, priority = -5, slots = 2
              trainer {
                type = Samples.Digits, assembly = bin/Digits.dll
                settings { lr = ${lr}, name = "0.1", deep { flag = true, list = [1, two, null] } }
              }
              environment { OMP_NUM_THREADS = 1, "B" = "x y", HF_TOKEN { secret = "file:/run/secrets/hf" } }
              umask = 027
              working-directory = work, from-checkpoint = c-3-1200-k3f9a2bc
              checkpoint {
                strategy = interval, epoch-interval = 2, interval = 10 s, best-metric = accuracy, best-is-largest = true, keep-last = 9
                keep-best = 3, keep-every = 6 h, max-overhead = 2 %, warn-after = 1 h, on-damage = restart
              }
              retry {
                max-attempts = 7, backoff = 2 s, max-backoff = 1 m
                rules = [
                  { name = oom, action = retry-elsewhere, exit-code = 137, signal = 9, pattern = "out of memory" }
                  { name = bug, action = STOP, pattern = AssertionError }
                ]
              }
              stall { starting = 1 s, restoring = 2 s, training = 3 s, evaluating = 4 s, saving = 0 }
              grace = 5 s
            }
            """
        );

        spec.Trainer!.Type.ShouldBe("Samples.Digits");
        spec.Trainer.Assembly.ShouldBe("/work/bin/Digits.dll");
        spec.Trainer.Settings!.Value.GetRawText().ShouldBe("""{"lr":0.1,"name":"0.1","deep":{"flag":true,"list":[1,"two",null]}}""");
        spec.Environment.ShouldBe(new Dictionary<string, string> { ["B"] = "x y", ["OMP_NUM_THREADS"] = "1" }, ignoreOrder: true);
        spec.Secrets.ShouldBe(new Dictionary<string, string> { ["HF_TOKEN"] = "file:/run/secrets/hf" });
        spec.Umask.ShouldBe("027");
        spec.WorkingDirectory.ShouldBe("/work/work");
        spec.FromCheckpoint.ShouldBe("c-3-1200-k3f9a2bc");
        spec.Checkpoint.ShouldBe(
            new CheckpointSpec
            {
                Strategy = CheckpointStrategy.Interval,
                EpochInterval = 2,
                Interval = TimeSpan.FromSeconds(10),
                BestMetric = "accuracy",
                BestIsLargest = true,
                KeepLast = 9,
                KeepBest = 3,
                OnDamage = DamageAction.Restart,
                KeepEvery = TimeSpan.FromHours(6),
                WarnAfter = TimeSpan.FromHours(1),
                MaxOverhead = 0.02,
            }
        );
        (spec.Retry.MaxAttempts, spec.Retry.Backoff, spec.Retry.MaxBackoff).ShouldBe((7, TimeSpan.FromSeconds(2), TimeSpan.FromMinutes(1)));
        spec.Retry.Rules.ShouldBe([
            new FailureRule("oom", FailureAction.RetryElsewhere, 137, 9, "out of memory"),
            new FailureRule("bug", FailureAction.Stop, null, null, "AssertionError"),
        ]);
        spec.Stall.ShouldBe(
            new StallSpec
            {
                Starting = TimeSpan.FromSeconds(1),
                Restoring = TimeSpan.FromSeconds(2),
                Training = TimeSpan.FromSeconds(3),
                Evaluating = TimeSpan.FromSeconds(4),
                Saving = TimeSpan.Zero,
            }
        );
        (spec.Name, spec.Priority, spec.Slots, spec.Grace).ShouldBe(("digits-a", -5, 2, TimeSpan.FromSeconds(5)));
    }

    [Fact]
    public void Read_File_ResolvesPathsAgainstItsFolder()
    {
        string folder = Directory.CreateTempSubdirectory("actortrainer-task-").FullName;
        try
        {
            string command = Path.Combine(folder, "c.conf");
            File.WriteAllText(command, "task { name = a, command = \"python3 'my train.py'\" }");
            string trainer = Path.Combine(folder, "t.conf");
            File.WriteAllText(trainer, "task { name = a, trainer { type = X, assembly = ../X.dll } }");

            TaskSpec one = TaskSpecReader.Read(HoconReader.ReadFile(command), ConfigPaths.Resolver("/work"));
            TaskSpec two = TaskSpecReader.Read(HoconReader.ReadFile(trainer), ConfigPaths.Resolver("/work"));

            one.Command.ShouldBe(["python3", "my train.py"]);
            one.WorkingDirectory.ShouldBe(folder);
            two.WorkingDirectory.ShouldBeNull();
            two.Trainer!.Assembly.ShouldBe(Path.Combine(Path.GetDirectoryName(folder)!, "X.dll"));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Theory]
    [InlineData("", null, false)]
    [InlineData(", stall.saving = 1 m", null, false)]
    [InlineData(", stall.training = 10 m", 600, false)]
    [InlineData(", stall.training = 0", null, false)]
    [InlineData(", stall.training = 90 s, wait-for-children = true", 90, true)]
    public void Read_Command_HasTheLimitThatItsFileNames(string keys, int? limit, bool waits)
    {
        TaskSpec spec = Read($"task {{ name = a, command = x{keys} }}");
        (spec.Stall.OfCommand()?.TotalSeconds, spec.WaitForChildren).ShouldBe((limit, waits));
    }

    [Theory]
    [InlineData("", false, null)]
    [InlineData(", progress { off = false, pattern = [] }", false, null)]
    [InlineData(", progress.off = true", true, "")]
    [InlineData(", progress.pattern = \"(?<step>1),2\"", false, "(?<step>1),2")]
    [InlineData(", progress.pattern = [\"(?<step>1)\", \"(?<epoch>2)\"]", false, "(?<step>1) (?<epoch>2)")]
    public void Read_Progress_IsAsItsFileSays(string keys, bool off, string? patterns)
    {
        ProgressSpec? progress = Read($"task {{ name = a, command = x{keys} }}").Progress;

        (progress is null ? null : string.Join(' ', progress.Patterns)).ShouldBe(patterns);
        (progress?.Off ?? false).ShouldBe(off);
    }

    [Fact]
    public void Read_EnvironmentOfTheNode_IsNoVariable()
    {
        TaskSpec spec = Read("task { name = a, command = x, environment { A = 1, venv = ../venv, setup = \"make all\" } }");

        spec.Environment.ShouldBe(new Dictionary<string, string> { ["A"] = "1" });
        spec.NodeEnvironment.ShouldBe(new EnvironmentSpec { Venv = "/venv", Setup = "make all" });
        Read("task { name = a, command = x, environment.requirements = r.txt }").NodeEnvironment!.Requirements.ShouldBe("r.txt");
        Read("task { name = a, command = x, environment.setup = null }").NodeEnvironment.ShouldBeNull();
    }

    [Fact]
    public void Read_MaxAttemptsIsZero_IsNoRetry() =>
        Read("task { name = a, command = x, retry.max-attempts = 0 }").Retry.MaxAttempts.ShouldBe(0);

    [Theory]
    [InlineData("", "t.conf:1:1: there is no task here; write task { name = …, command = [ … ] }.")]
    [InlineData(
        "tasks { }",
        "t.conf:1:1: there is no task here; write task { name = …, command = [ … ] }. Did you mean task instead of tasks?"
    )]
    [InlineData("task = x", "t.conf:1:8: task is 'x'; write task { … }.")]
    [InlineData("task { command = x }", "t.conf:1:1: the task has no name; add name = \"…\" to task { … }.")]
    [InlineData(
        "task { name = A, command = x }",
        "t.conf:1:15: task.name is 'A': use 1 to 63 lower-case letters, digits and inner dashes."
    )]
    [InlineData(
        "task { name = a }",
        "t.conf:1:1: the task has nothing to run; add command = [\"python3\", \"train.py\"] or trainer { type = … }."
    )]
    [InlineData(
        "task { name = a, command = x, progress.pattern = \"(?<setp>1)\" }",
        "t.conf:1:50: task.progress.pattern is '(?<setp>1)': has a group 'setp' (did you mean step?), which means nothing; "
            + "use step, total, epoch, epochs and metric_NAME."
    )]
    [InlineData(
        "task { name = a, command = x, progress.patern = x }",
        "t.conf:1:40: task.progress.patern is not a known key. Did you mean task.progress.pattern?"
    )]
    [InlineData(
        "task { name = a, command = x, environment.setup = [make] }",
        "t.conf:1:51: task.environment.setup must be a text; put it in double quotes."
    )]
    [InlineData(
        "task { name = a, command = x, environment { venv = v, requirements = r } }",
        "t.conf:1:1: task: environment.venv names a virtual environment that exists, and environment.requirements makes one; "
            + "remove one of the two."
    )]
    [InlineData("task { name = a, comand = x }", "t.conf:1:18: task.comand is not a known key. Did you mean task.command?")]
    [InlineData("task { name = a, command = x, trainer.type = X }", "t.conf:1:1: the task has a command and a trainer; keep one of them.")]
    [InlineData(
        "task { name = a, command = [] }",
        "t.conf:1:28: task.command names no executable; write it first, for example [\"python3\", \"train.py\"]."
    )]
    [InlineData(
        "task { name = a, command = \"\" }",
        "t.conf:1:28: task.command names no executable; write it first, for example [\"python3\", \"train.py\"]."
    )]
    [InlineData(
        "task { name = a, command = \"a | b\" }",
        "t.conf:1:28: task.command is 'a | b': '|' has a meaning only in a shell, and this is not run by one; "
            + "quote it, or write [\"sh\", \"-c\", \"…\"]."
    )]
    [InlineData(
        "task { name = a, command = [a, [b]] }",
        "t.conf:1:28: task.command must be a list of texts such as [\"python3\", \"train.py\"], or one text."
    )]
    [InlineData(
        "task { name = a, command = [\"a\\u0000\"] }",
        "t.conf:1:28: task.command contains a zero character, which no command line can; remove it."
    )]
    [InlineData(
        "task { name = a, trainer { assembly = x } }",
        "t.conf:1:18: task.trainer has no type; add type = \"Namespace.Class\", the full name of a class that implements ITrainer."
    )]
    [InlineData(
        "task { name = a, trainer { typ = x } }",
        "t.conf:1:28: task.trainer.typ is not a known key. Did you mean task.trainer.type?"
    )]
    [InlineData(
        "task { name = a, trainer { type = x, settings = 5 } }",
        "t.conf:1:49: task.trainer.settings must be an object; write settings { … }."
    )]
    [InlineData(
        "task { name = a, command = x, environment { \"1A\" = x } }",
        "t.conf:1:45: task.environment.1A is not a variable's name; use letters, digits and underscores."
    )]
    [InlineData(
        "task { name = a, command = x, environment { ACTORTRAINER_X = x } }",
        "t.conf:1:45: task.environment.ACTORTRAINER_X is set by ActorTrainer itself; choose a name that does not begin with ACTORTRAINER_."
    )]
    [InlineData(
        "task { name = a, command = x, environment { A.B = x } }",
        "t.conf:1:47: task.environment.A must be a text; put it in double quotes, or write { secret = \"file:/…\" }."
    )]
    [InlineData(
        "task { name = a, command = x, environment { A { secret = \"file:run/a\" } } }",
        "t.conf:1:58: task.environment.A must say where its secret is, and not what it is: "
            + "file: and the absolute path of a file on the node, such as file:/run/secrets/token."
    )]
    [InlineData(
        "task { name = a, command = x, environment { A { secret = \"file:/a\", also = b } } }",
        "t.conf:1:47: task.environment.A must be a text; put it in double quotes, or write { secret = \"file:/…\" }."
    )]
    [InlineData(
        "task { name = a, command = x, environment { ACTORTRAINER_X { secret = \"file:/a\" } } }",
        "t.conf:1:45: task.environment.ACTORTRAINER_X is set by ActorTrainer itself; choose a name that does not begin with ACTORTRAINER_."
    )]
    [InlineData("task { name = a, command = x, umask = 8 }", "t.conf:1:39: task.umask is '8': write three octal digits, such as 022.")]
    [InlineData(
        "task { name = a, command = x, environment = [] }",
        "t.conf:1:45: task.environment must be an object; write environment { NAME = \"value\" }."
    )]
    [InlineData(
        "task { name = a, command = x, from-checkpoint = b }",
        "t.conf:1:49: task.from-checkpoint is 'b': is not a checkpoint's name; 'actortrainer checkpoints ls' lists them "
            + "(c-TERM-STEP-RANDOM)."
    )]
    [InlineData("task { name = a, command = x, slots = 0 }", "t.conf:1:39: task.slots is '0': it must be from 1 to 10000.")]
    [InlineData(
        "task { name = a, command = x, checkpoint.keep-best = 2 }",
        "t.conf:1:1: task.checkpoint.keep-best is 2, and nothing says what is best; set checkpoint.best-metric, too."
    )]
    [InlineData(
        "task { name = a, command = x, checkpoint.keep-every = 10 }",
        "t.conf:1:55: task.checkpoint.keep-every is '10': write a time or a number of steps, for example 6 h or 10000 steps."
    )]
    [InlineData(
        "task { name = a, command = x, checkpoint.keep-every = 0 steps }",
        "t.conf:1:55: task.checkpoint.keep-every is '0 steps': it must be from 1 to 1000000000000 steps."
    )]
    [InlineData(
        "task { name = a, command = x, checkpoint.keep-every = 1 ms }",
        "t.conf:1:55: task.checkpoint.keep-every is '1 ms': it must be from 1 s to 365 d."
    )]
    [InlineData(
        "task { name = a, command = x, checkpoint.keep-last = 0 }",
        "t.conf:1:54: task.checkpoint.keep-last is '0': it must be from 1 to 1000000."
    )]
    [InlineData(
        "task { name = a, command = x, checkpoint.interval = -5 m }",
        "t.conf:1:53: task.checkpoint.interval is '-5 m': it must be from 1 ms to 365 d."
    )]
    [InlineData(
        "task { name = a, command = x, checkpoint.strategy = often }",
        "t.conf:1:53: task.checkpoint.strategy is 'often': use one of epoch, interval, event, hybrid, adaptive."
    )]
    [InlineData(
        "task { name = a, command = x, retry.backoff = 10 m }",
        "t.conf:1:1: task.retry.max-backoff (5 m) is shorter than backoff (10 m); make it at least as long."
    )]
    [InlineData(
        "task { name = a, command = x, retry.rules = oom }",
        "t.conf:1:45: task.retry.rules must be a list; write rules = [ { name = \"…\", action = hold, exit-code = 2 } ]."
    )]
    [InlineData(
        "task { name = a, command = x, retry.rules = [oom] }",
        "t.conf:1:46: task.retry.rules has an item that is not an object; write { name = \"…\", action = hold, exit-code = 2 }."
    )]
    [InlineData(
        "task { name = a, command = x, retry.rules = [{ action = hold, exit-code = 1 }] }",
        "t.conf:1:46: a rule of task.retry.rules has no name; add name = \"…\", it is shown in the task's events."
    )]
    [InlineData(
        "task { name = a, command = x, retry.rules = [{ name = n, exit-code = 1 }] }",
        "t.conf:1:46: rule 'n' of task.retry.rules has no action; add action = retry, retry-elsewhere, hold or stop."
    )]
    [InlineData(
        "task { name = a, command = x, retry.rules = [{ name = n, action = hold }] }",
        "t.conf:1:46: rule 'n' of task.retry.rules has no condition; add exit-code, signal or pattern."
    )]
    [InlineData(
        "task { name = a, command = x, retry.rules = [{ name = n, action = hold, exitcode = 1 }] }",
        "t.conf:1:73: task.retry.rules.exitcode is not a known key. Did you mean task.retry.rules.exit-code?"
    )]
    [InlineData(
        "task { name = a, command = x, stall.trainig = 1 s }",
        "t.conf:1:37: task.stall.trainig is not a known key. Did you mean task.stall.training?"
    )]
    [InlineData(
        "task { name = a, command = x, working-directory = \"\" }",
        "t.conf:1:51: task.working-directory is '': that is not a path; write one, or remove the key."
    )]
    public void Read_Mistake_SaysWhereWhatAndWhatToDo(string text, string message) =>
        Should.Throw<ConfigException>(() => Read(text)).Message.ShouldBe(message);

    [Fact]
    public void Read_DeepSettings_AreRefused()
    {
        string deep = string.Concat(Enumerable.Repeat("[", 40)) + string.Concat(Enumerable.Repeat("]", 40));

        Should
            .Throw<ConfigException>(() => Read($"task {{ name = a, trainer {{ type = X, settings {{ x = {deep} }} }} }}"))
            .Message.ShouldEndWith("task.trainer.settings is nested more than 32 levels deep; flatten it.");
    }

    private static TaskSpec Read(string text) => TaskSpecReader.Read(HoconReader.ReadText(text, "t.conf"), ConfigPaths.Resolver("/work"));
}
