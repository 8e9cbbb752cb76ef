using System.Runtime.Versioning;
using ActorTrainer.Core.Configuration;
using ActorTrainer.Core.Tasks;
using ActorTrainer.Runtime.Workers.Guard;

namespace ActorTrainer.Runtime.Tests.Workers;

/// <summary>Environments that a command needs, looked for or made by the node.</summary>
[UnsupportedOSPlatform("windows")]
[Trait("Lane", "Slow")]
public sealed class EnvironmentTests
{
    private const string MakeTool =
        "mkdir -p $ACTORTRAINER_ENVIRONMENT/bin; printf '#!/bin/sh\\necho $ACTORTRAINER_ENVIRONMENT' > $ACTORTRAINER_ENVIRONMENT/bin/tool; "
        + "chmod +x $ACTORTRAINER_ENVIRONMENT/bin/tool";

    [Fact]
    public async Task Start_TwoRunsThatNeedTheSame_MakeItOnceAndKeepIt()
    {
        await using WorkerHarness harness = await WorkerHarness.StartAsync();
        TaskSpec spec = Tool(harness, $"echo made >> made; until [ -e go ]; do sleep 0.05; done; {MakeTool}");
        RunKey[] runs = [WorkerHarness.Key(task: "task-a1b2"), WorkerHarness.Key(task: "task-c3d4"), WorkerHarness.Key(2)];

        harness.Start(runs[0], spec);
        (await PreparingAsync(harness, runs[0])).ShouldStartWith("echo made >> made; until");
        harness.Start(runs[1], spec);
        (await PreparingAsync(harness, runs[1])).ShouldEndWith(", which another run on this node does already");
        File.WriteAllText(Path.Combine(harness.Directory, "go"), "");
        IReadOnlyList<string> first = (await ExitedAsync(harness, runs[0])).LastLines;
        IReadOnlyList<string> second = (await ExitedAsync(harness, runs[1])).LastLines;
        harness.Start(runs[2], spec);
        IReadOnlyList<string> third = (await ExitedAsync(harness, runs[2])).LastLines;

        first.ShouldHaveSingleItem().ShouldBe(Path.ChangeExtension(MarkOf(harness), null));
        second.ShouldBe(first);
        third.ShouldBe(first);
        File.ReadAllLines(Path.Combine(harness.Directory, "made")).Length.ShouldBe(1);
        harness.Inputs.OfType<WorkerPreparing>().Count().ShouldBe(2);
    }

    [Fact]
    public async Task Start_ItCannotBeMade_SaysWhyWithTheOutputAndKeepsNothing()
    {
        await using WorkerHarness harness = await WorkerHarness.StartAsync();
        TaskSpec spec = Tool(harness, "echo tried >> tried; touch $ACTORTRAINER_ENVIRONMENT/half; echo no compiler >&2; exit 7");
        for (int i = 1; i <= 2; i++)
        {
            RunKey run = WorkerHarness.Key(i);
            harness.Start(run, spec);

            WorkerStartFailed failed = await harness.WaitAsync<WorkerStartFailed>(input => input.Run == run);

            failed.Detail.ShouldBe("the environment could not be made: setup failed with exit code 7: no compiler");
            failed.NodeUnfit.ShouldBeFalse();
            failed.LastLines.ShouldBe(["--- environment: setup ---", "no compiler", "--- environment: setup failed with exit code 7 ---"]);
            File.ReadAllLines(harness.Host.OutputFiles(run.Task)[^1].Path).ShouldBe(failed.LastLines);
            File.ReadAllLines(Path.Combine(harness.Directory, "tried")).Length.ShouldBe(i);
        }

        await WorkerHarness.UntilAsync(() => Environments(harness).Length == 0, "what was begun is gone");
    }

    /// <summary>What is being made goes with the run that needs it; another one that waits for it makes it then.</summary>
    [Fact]
    public async Task Stop_WhileItIsMade_EndsItAtOnceAndTheNextRunMakesIt()
    {
        await using WorkerHarness harness = await WorkerHarness.StartAsync();
        string seconds = WorkerHarness.UniqueSeconds();
        TaskSpec spec = Tool(harness, $"echo made >> made; [ -e go ] || (sleep {seconds} & wait); {MakeTool}");
        RunKey[] runs = [WorkerHarness.Key(task: "task-a1b2"), WorkerHarness.Key(task: "task-c3d4"), WorkerHarness.Key(task: "task-e5f6")];
        harness.Start(runs[0], spec);
        await WorkerHarness.UntilAsync(() => WorkerHarness.ProcessesWith($"sleep\0{seconds}").Count > 0, "it is being made");
        harness.Start(runs[1], spec);
        harness.Start(runs[2], spec);
        _ = await PreparingAsync(harness, runs[1]);
        _ = await PreparingAsync(harness, runs[2]);

        harness.Host.Stop(new StopWorker(runs[1], TimeSpan.Zero));
        _ = await ExitedAsync(harness, runs[1]);
        WorkerHarness.ProcessesWith($"sleep\0{seconds}").ShouldNotBeEmpty("the first run goes on");
        File.WriteAllText(Path.Combine(harness.Directory, "go"), "");
        harness.Host.Stop(new StopWorker(runs[0], TimeSpan.Zero));
        WorkerExited stopped = await ExitedAsync(harness, runs[0]);

        (stopped.ExitCode, stopped.Signal).ShouldBe((null, null));
        WorkerHarness.ProcessesWith($"sleep\0{seconds}").ShouldBeEmpty();
        (await ExitedAsync(harness, runs[2])).ExitCode.ShouldBe(0);
        File.ReadAllLines(Path.Combine(harness.Directory, "made")).Length.ShouldBe(2);
    }

    [Fact]
    public async Task Start_GuardDiesWhileItIsMade_TellsItAndKeepsNothing()
    {
        await using WorkerHarness harness = await WorkerHarness.StartAsync();
        string seconds = WorkerHarness.UniqueSeconds();
        TaskSpec spec = Tool(harness, $"[ -e go ] || sleep {seconds}; {MakeTool}");
        harness.Start(WorkerHarness.Key(), spec);
        await WorkerHarness.UntilAsync(() => WorkerHarness.ProcessesWith($"sleep\0{seconds}").Count > 0, "it is being made");

        _ = Posix.Kill(harness.Host.GuardPid, Posix.SignalKill);
        _ = await harness.WaitAsync<WorkerLost>();

        WorkerHarness.ProcessesWith($"sleep\0{seconds}").ShouldBeEmpty();
        File.WriteAllText(Path.Combine(harness.Directory, "go"), "");
        harness.Start(WorkerHarness.Key(2), spec);
        (await ExitedAsync(harness, WorkerHarness.Key(2))).ExitCode.ShouldBe(0);
        harness.Inputs.OfType<WorkerStartFailed>().ShouldBeEmpty();
    }

    [Fact]
    public async Task StartAsync_AfterANodeThatDied_RemovesWhatItWasMakingAndKeepsWhatItHadMade()
    {
        string directory = WorkerHarness.NewDirectory();
        string half = Path.Combine(directory, "environments", new string('a', 64));
        string made = Path.Combine(directory, "environments", new string('b', 64));
        string old = Path.Combine(directory, "environments", new string('c', 64));
        foreach (string folder in (string[])[half, made, old])
        {
            _ = Directory.CreateDirectory(Path.Combine(folder, "bin"));
        }

        File.WriteAllText(made + ".made", "7");
        File.WriteAllText(old + ".made", "7");
        File.SetLastWriteTimeUtc(old + ".made", (TimeProvider.System.GetUtcNow() - TimeSpan.FromDays(2)).UtcDateTime);
        await using WorkerHarness harness = await WorkerHarness.StartAsync(
            new WorkerModel { EnvironmentsKeep = TimeSpan.FromDays(1) },
            directory: directory
        );

        await WorkerHarness.UntilAsync(() => Environments(harness).Length == 2, "two are removed");
        Environments(harness).ShouldBe([made, made + ".made"], ignoreOrder: true);
    }

    [Fact]
    public async Task Start_NodeLacksWhatIsNamed_IsUnfit()
    {
        await using WorkerHarness harness = await WorkerHarness.StartAsync();
        string broken = Path.Combine(harness.Directory, "broken");
        _ = Directory.CreateDirectory(broken);
        File.WriteAllText(
            Path.Combine(broken, "python3"),
            "#!/bin/sh\necho \"ModuleNotFoundError: No module named 'ensurepip'\"; exit 1\n"
        );
        File.SetUnixFileMode(Path.Combine(broken, "python3"), UnixFileMode.UserRead | UnixFileMode.UserExecute);
        File.WriteAllText(Path.Combine(harness.Directory, "requirements.txt"), "");
        EnvironmentSpec requirements = new() { Requirements = "requirements.txt" };
        (EnvironmentSpec Wanted, string Path, string Says)[] cases =
        [
            (new EnvironmentSpec { Venv = "/no/such/venv" }, "/bin", "The virtual environment '/no/such/venv' is not on this node"),
            (requirements with { Requirements = "/no/such/list" }, "/bin", "The requirements '/no/such/list' do not exist on this node"),
            (requirements with { Requirements = "/usr" }, "/bin", "The requirements '/usr' are a folder on this node: name the file in"),
            (requirements, "/no/such/bin", "'python3' was not found on this node"),
            (requirements, $"{broken}:/bin", "makes no virtual environments (ModuleNotFoundError: No module named 'ensurepip'): install"),
        ];
        for (int i = 0; i < cases.Length; i++)
        {
            RunKey run = WorkerHarness.Key(i + 1);
            harness.Start(
                run,
                WorkerHarness.Shell("true") with
                {
                    NodeEnvironment = cases[i].Wanted,
                    WorkingDirectory = harness.Directory,
                    Environment = new Dictionary<string, string> { ["PATH"] = cases[i].Path },
                }
            );

            WorkerStartFailed failed = await harness.WaitAsync<WorkerStartFailed>(input => input.Run == run);

            failed.Detail.ShouldContain(cases[i].Says);
            failed.NodeUnfit.ShouldBeTrue(failed.Detail);
        }

        RunKey own = WorkerHarness.Key(cases.Length + 1);
        harness.Start(own, WorkerHarness.Shell("true") with { NodeEnvironment = requirements });
        WorkerStartFailed bundled = await harness.WaitAsync<WorkerStartFailed>(input => input.Run == own);
        (bundled.NodeUnfit, bundled.Detail).ShouldBe(
            (false, "The requirements 'requirements.txt' are not in the task's bundle: put them there, or name another file.")
        );
    }

    [Fact]
    public async Task Start_VenvThatExists_IsEnteredAsActivateDoes()
    {
        await using WorkerHarness harness = await WorkerHarness.StartAsync();
        string venv = Path.Combine(harness.Directory, "venv");
        _ = Directory.CreateDirectory(Path.Combine(venv, "bin"));
        _ = File.CreateSymbolicLink(Path.Combine(venv, "bin", "python"), "/bin/sh");
        string tool = Path.Combine(venv, "bin", "tool");
        File.WriteAllText(tool, "#!/bin/sh\necho $VIRTUAL_ENV; echo ${PYTHONHOME-unset}; echo $PATH\n");
        File.SetUnixFileMode(tool, UnixFileMode.UserRead | UnixFileMode.UserExecute);

        harness.Start(
            WorkerHarness.Key(),
            new TaskSpec
            {
                Name = "t",
                Command = ["tool"],
                NodeEnvironment = new EnvironmentSpec { Venv = venv },
                Environment = new Dictionary<string, string> { ["PATH"] = "/usr/bin:/bin", ["PYTHONHOME"] = "/other" },
            }
        );

        (await ExitedAsync(harness, WorkerHarness.Key())).LastLines.ShouldBe([venv, "unset", $"{venv}/bin:/usr/bin:/bin"]);
    }

    /// <summary>The output of what was made comes first, and is not written over by that of the run.</summary>
    [Fact]
    public async Task Start_AfterItWasMade_OutputOfBothIsThere()
    {
        await using WorkerHarness harness = await WorkerHarness.StartAsync();
        harness.Start(
            WorkerHarness.Key(),
            Tool(harness, $"echo compiling; {MakeTool}") with
            {
                Command = ["/bin/sh", "-c", "echo trains"],
            }
        );

        _ = await ExitedAsync(harness, WorkerHarness.Key());

        harness
            .Host.OutputFiles(WorkerHarness.Key().Task)
            .SelectMany(file => File.ReadAllLines(file.Path))
            .ShouldBe(["--- environment: setup ---", "compiling", "--- environment: made ---", "trains"]);
    }

    private static TaskSpec Tool(WorkerHarness harness, string setup) =>
        new()
        {
            Name = "t",
            Command = ["tool"],
            WorkingDirectory = harness.Directory,
            NodeEnvironment = new EnvironmentSpec { Setup = setup },
        };

    private static string[] Environments(WorkerHarness harness) =>
        Directory.GetFileSystemEntries(Path.Combine(harness.Directory, "environments"));

    private static string MarkOf(WorkerHarness harness) =>
        Environments(harness).Where(path => path.EndsWith(".made", StringComparison.Ordinal)).ShouldHaveSingleItem();

    private static async Task<string> PreparingAsync(WorkerHarness harness, RunKey run) =>
        (await harness.WaitAsync<WorkerPreparing>(preparing => preparing.Run == run)).Detail;

    private static Task<WorkerExited> ExitedAsync(WorkerHarness harness, RunKey run) =>
        harness.WaitAsync<WorkerExited>(exited => exited.Run == run);
}
