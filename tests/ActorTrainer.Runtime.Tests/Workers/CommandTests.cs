using System.Runtime.Versioning;
using ActorTrainer.Core.Configuration;
using ActorTrainer.Core.Tasks;
using ActorTrainer.Runtime.Api;
using ActorTrainer.Runtime.Workers.Guard;

namespace ActorTrainer.Runtime.Tests.Workers;

[UnsupportedOSPlatform("windows")]
[Trait("Lane", "Slow")]
public sealed class CommandTests
{
    [Fact]
    public async Task Start_CommandThatSucceeds_PostsStartedThenExitedWithItsOutput()
    {
        await using WorkerHarness harness = await WorkerHarness.StartAsync();
        WorkerExited exited = await harness.RunAsync("echo one; echo two >&2; printf three");
        exited.ExitCode.ShouldBe(0);
        exited.Signal.ShouldBeNull();
        exited.LastLines.ShouldBe(["one", "two", "three"]);
        harness.Inputs[0].ShouldBeOfType<WorkerStarted>().Pid.ShouldBeGreaterThan(1);
        OutputFile file = harness.Host.OutputFiles(WorkerHarness.Key().Task).ShouldHaveSingleItem();
        (await File.ReadAllTextAsync(file.Path)).ShouldBe("one\ntwo\nthree");
        harness.Host.Stop(new StopWorker(WorkerHarness.Key(), TimeSpan.Zero));
        _ = await harness.WaitAsync<WorkerExited>(second => second is { ExitCode: null, Signal: null });
    }

    [Theory]
    [InlineData("exit 7", 7, null)]
    [InlineData("kill -SEGV $$", null, 11)]
    [InlineData("kill -KILL $$", null, 9)]
    [InlineData("kill -TERM $$; sleep 60", null, 15)]
    public async Task Start_CommandThatFails_PostsExitCodeOrSignal(string script, int? exitCode, int? signal)
    {
        await using WorkerHarness harness = await WorkerHarness.StartAsync();
        WorkerExited exited = await harness.RunAsync(script);
        exited.ExitCode.ShouldBe(exitCode);
        exited.Signal.ShouldBe(signal);
    }

    [Fact]
    public async Task Start_ThatCanNotBe_PostsWhatIsWrong()
    {
        await using WorkerHarness harness = await WorkerHarness.StartAsync();
        string script = Path.Combine(harness.Directory, "script");
        await File.WriteAllTextAsync(script, "echo no interpreter");
        (TaskSpec Spec, string Text)[] cases =
        [
            (
                new TaskSpec { Name = "t", Command = ["no-such-program-here"] },
                "'no-such-program-here' was not found on this node in the task's PATH"
            ),
            (new TaskSpec { Name = "t", Command = ["/no/such/program"] }, "'/no/such/program' does not exist"),
            (new TaskSpec { Name = "t", Command = [script] }, "is not executable"),
            (new TaskSpec { Name = "t", Command = ["/usr"] }, "is a folder"),
            (
                new TaskSpec
                {
                    Name = "t",
                    Command = ["true"],
                    WorkingDirectory = "/no/such/folder",
                },
                "'/no/such/folder' does not exist"
            ),
        ];
        for (int i = 0; i < cases.Length; i++)
        {
            RunKey run = WorkerHarness.Key(i + 1);
            harness.Start(run, cases[i].Spec);
            WorkerStartFailed failed = await harness.WaitAsync<WorkerStartFailed>(failed => failed.Run == run);
            failed.Detail.ShouldContain(cases[i].Text);
            failed.NodeUnfit.ShouldBeTrue();
        }

        File.SetUnixFileMode(script, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        harness.Start(WorkerHarness.Key(9), new TaskSpec { Name = "t", Command = [script] });
        WorkerStartFailed last = await harness.WaitAsync<WorkerStartFailed>(failed => failed.Run.Run == 9);
        last.Detail.ShouldContain("no #! line");
        last.NodeUnfit.ShouldBeFalse();
    }

    [Fact]
    public async Task Start_Command_GetsItsEnvironmentAndNothingOfTheGuard()
    {
        await using WorkerHarness harness = await WorkerHarness.StartAsync();
        RunKey run = WorkerHarness.Key(4);
        // ACTORTRAINER_PYTHON and ACTORTRAINER_S3RVER are what the test run itself is given.
        TaskSpec spec = WorkerHarness.Shell(
            "env | grep ^ACTORTRAINER_ | grep -Ev ^ACTORTRAINER_\"(PYTHON|S3RVER)=\" | sort; echo mine=$MINE; pwd; "
                + "ls /proc/self/fd | tr '\\n' ' '; echo; sed -nE 's,^Sig(Blk|Ign):.,,p' /proc/self/status"
        ) with
        {
            Environment = new Dictionary<string, string> { ["MINE"] = "a b", ["ACTORTRAINER_TERM"] = "99" },
        };
        harness.Start(run, spec);
        WorkerExited exited = await harness.WaitAsync<WorkerExited>();
        string home = Path.Combine(harness.Directory, "runs", "task-a1b2", "3-4");
        exited.LastLines.ShouldBe([
            $"ACTORTRAINER_CHECKPOINT_DIR={home}/checkpoint",
            $"ACTORTRAINER_NODE_DIR={harness.Directory}",
            "ACTORTRAINER_RUN=task-a1b2/3-4",
            exited.LastLines[3],
            "ACTORTRAINER_TASK=task-a1b2",
            "ACTORTRAINER_TERM=3",
            "mine=a b",
            $"{home}/work",
            "0 1 2 3 ",
            "0000000000000000",
            exited.LastLines[^1],
        ]);
        // Signals 32 and 33 are the C library's own, which it leaves ignored in what it spawns.
        (Convert.ToUInt64(exited.LastLines[^1], 16) & ~0x180000000UL).ShouldBe(0UL);
        string socket = exited.LastLines[3];
        socket.ShouldStartWith("ACTORTRAINER_SOCKET=/");
        socket.Length.ShouldBeLessThan(100);
        File.GetUnixFileMode(Path.GetDirectoryName(socket.Split('=')[1])!)
            .ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    [Fact]
    public async Task Stop_CommandThatEndsInOrder_IsNotForced()
    {
        await using WorkerHarness harness = await WorkerHarness.StartAsync();
        harness.Start(WorkerHarness.Key(), WorkerHarness.Shell("trap 'echo saved; exit 5' TERM; echo up; while :; do sleep 0.05; done"));
        await UntilPrintedAsync(harness, "up");
        harness.Host.Stop(new StopWorker(WorkerHarness.Key(), TimeSpan.FromSeconds(20)));
        WorkerExited exited = await harness.WaitAsync<WorkerExited>();
        exited.ExitCode.ShouldBe(5);
        exited.LastLines.ShouldContain("saved");
    }

    /// <summary>As shells do that end by a signal, handlers often exit with 128 and its number.</summary>
    [Theory]
    [InlineData(143)]
    [InlineData(0)]
    public async Task Stop_HandlerSavesAndExitsAtOnce_IsTaken(int exitCode)
    {
        string script = $$"""
            import os, signal, time
            os.chdir(os.environ["ACTORTRAINER_CHECKPOINT_DIR"])
            def save(what):
                for name in "mo":
                    with open(name, "w") as file:
                        file.write(what)
            def stop(*_):
                save("stopped")
                os._exit({{exitCode}})
            signal.signal(signal.SIGTERM, stop)
            for i in range(3):
                save(str(i))
                time.sleep(0.3)
            print("up", flush=True)
            while True:
                time.sleep(1)
            """;
        await using WorkerHarness harness = await WorkerHarness.StartAsync();
        harness.Start(WorkerHarness.Key(), new TaskSpec { Name = "task", Command = ["python3", "-c", script] });
        await UntilPrintedAsync(harness, "up");
        harness.Host.Stop(new StopWorker(WorkerHarness.Key(), TimeSpan.FromSeconds(20)));

        (await harness.WaitAsync<WorkerExited>()).ExitCode.ShouldBe(exitCode);
        WorkerStaged last = harness.Inputs.OfType<WorkerStaged>().Last();
        string folder = harness.Host.StagedDirectory(last.Run, last.State.Id);
        File.ReadAllText(Path.Combine(folder, "m")).ShouldBe("stopped");
        File.ReadAllText(Path.Combine(folder, "o")).ShouldBe("stopped");
    }

    [Theory]
    [InlineData("trap '' TERM; echo up; while :; do sleep 0.05; done")]
    [InlineData("trap '' TERM; echo up; while :; do kill -STOP $$; done")]
    public async Task Stop_CommandThatHangs_IsForcedAfterTheGrace(string script)
    {
        await using WorkerHarness harness = await WorkerHarness.StartAsync();
        harness.Start(WorkerHarness.Key(), WorkerHarness.Shell(script));
        await UntilPrintedAsync(harness, "up");
        int pid = (await harness.WaitAsync<WorkerStarted>()).Pid;
        harness.Host.Stop(new StopWorker(WorkerHarness.Key(), TimeSpan.FromMilliseconds(300)));
        (await harness.WaitAsync<WorkerExited>()).Signal.ShouldBe(Posix.SignalKill);
        ProcessTable.ReadOne(pid).ShouldBeNull();
    }

    /// <summary>SIGTERM ends a shell at once, and the script below it has to save.</summary>
    [Theory]
    [InlineData("")]
    [InlineData("setsid ")]
    public async Task Stop_ShellThatEndsAtOnce_LeavesItsScriptTheRestOfTheGrace(string start)
    {
        await using WorkerHarness harness = await WorkerHarness.StartAsync();
        const string script = "trap \"sleep 2; echo saved; exit\" TERM; echo up; while :; do sleep 0.05; done";
        harness.Start(WorkerHarness.Key(), WorkerHarness.Shell($"{start}sh -c '{script}' & wait"));
        await UntilPrintedAsync(harness, "up");

        harness.Host.Stop(new StopWorker(WorkerHarness.Key(), TimeSpan.FromSeconds(20)));

        WorkerExited exited = await harness.WaitAsync<WorkerExited>();
        exited.LastLines.ShouldContain("saved");
        exited.Signal.ShouldBe(Posix.SignalTerminate);
    }

    [Fact]
    public async Task Stop_WhileItIsPrepared_EndsWithoutAProcessOrWithAnEndedOne()
    {
        await using WorkerHarness harness = await WorkerHarness.StartAsync();
        string seconds = WorkerHarness.UniqueSeconds();
        harness.Start(WorkerHarness.Key(), WorkerHarness.Shell($"sleep {seconds}"));
        harness.Host.Stop(new StopWorker(WorkerHarness.Key(), TimeSpan.Zero));
        _ = await harness.WaitAsync<WorkerExited>();
        WorkerHarness.ProcessesWith(seconds).ShouldBeEmpty();
    }

    [Fact]
    public async Task Exit_WithDescendantsThatHid_IsToldWhenAllAreEnded()
    {
        await using WorkerHarness harness = await WorkerHarness.StartAsync();
        string seconds = WorkerHarness.UniqueSeconds();
        WorkerExited exited = await harness.RunAsync(
            $"""
            sleep {seconds} &
            setsid sleep {seconds} &
            (setsid sh -c 'setsid sleep {seconds} & setsid sleep {seconds} &' &)
            (env -i setsid sleep {seconds} > /dev/null 2>&1 &)
            (trap '' TERM HUP INT; exec setsid sleep {seconds}) &
            sleep 0.3
            exit 3
            """
        );
        exited.ExitCode.ShouldBe(3);
        WorkerHarness.ProcessesWith(seconds).ShouldBeEmpty();
    }

    [Fact]
    public async Task Exit_OfOneRun_LeavesTheOthersAlone()
    {
        await using WorkerHarness harness = await WorkerHarness.StartAsync();
        string seconds = WorkerHarness.UniqueSeconds();
        RunKey other = WorkerHarness.Key(1, "other-c3d4");
        harness.Start(other, WorkerHarness.Shell($"setsid sleep {seconds} & wait"));
        await WorkerHarness.UntilAsync(() => WorkerHarness.ProcessesWith(seconds).Count >= 2, "the other run stands");
        _ = await harness.RunAsync("setsid sleep 1000 & exit 0");
        WorkerHarness.ProcessesWith(seconds).Count.ShouldBeGreaterThanOrEqualTo(2);
        harness.Host.Stop(new StopWorker(other, TimeSpan.Zero));
        _ = await harness.WaitAsync<WorkerExited>(exited => exited.Run == other);
        WorkerHarness.ProcessesWith(seconds).ShouldBeEmpty();
    }

    [Fact]
    public async Task Nice_AfterTheFirstCheckpoint_IsAddedToTheWholeGroup()
    {
        await using WorkerHarness harness = await WorkerHarness.StartAsync(new WorkerModel { Nice = 7 });
        string seconds = WorkerHarness.UniqueSeconds();
        harness.Start(
            WorkerHarness.Key(),
            WorkerHarness.Shell($"sleep {seconds} & cd $ACTORTRAINER_CHECKPOINT_DIR; echo x > a; echo x > a; wait")
        );
        _ = await harness.WaitAsync<WorkerStaged>();
        string[] before = (await File.ReadAllTextAsync("/proc/self/stat")).Split(' ');
        await WorkerHarness.UntilAsync(
            () => WorkerHarness.ProcessesWith(seconds).All(pid => WorkerHarness.NiceOf(pid) == int.Parse(before[18]) + 7),
            "all of the group are nicer"
        );
        WorkerHarness.NiceOf(harness.Host.GuardPid).ShouldBe(int.Parse(before[18]));
    }

    private static Task UntilPrintedAsync(WorkerHarness harness, string text) =>
        WorkerHarness.UntilAsync(
            () =>
                harness
                    .Host.OutputFiles(WorkerHarness.Key().Task)
                    .Any(file => File.ReadAllText(file.Path).Contains(text, StringComparison.Ordinal)),
            $"'{text}' was printed"
        );
}
