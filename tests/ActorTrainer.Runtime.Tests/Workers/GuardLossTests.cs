using System.Diagnostics;
using System.Text;
using ActorTrainer.Core.Tasks;
using ActorTrainer.Runtime.Workers.Guard;

namespace ActorTrainer.Runtime.Tests.Workers;

[Trait("Lane", "Slow")]
public sealed class GuardLossTests
{
    [Fact]
    public async Task Guard_KilledWithItsWorkersStanding_LosesThemAndIsReplaced()
    {
        await using WorkerHarness harness = await WorkerHarness.StartAsync();
        string seconds = WorkerHarness.UniqueSeconds();
        harness.Start(WorkerHarness.Key(), WorkerHarness.Shell($"setsid sleep {seconds} & sleep {seconds}"));
        await WorkerHarness.UntilAsync(() => WorkerHarness.ProcessesWith(seconds).Count >= 2, "the run stands");
        int guard = harness.Host.GuardPid;
        _ = Posix.Kill(guard, Posix.SignalKill);
        (await harness.WaitAsync<WorkerLost>()).Run.ShouldBe(WorkerHarness.Key());
        WorkerHarness.ProcessesWith(seconds).ShouldBeEmpty();
        WorkerExited next = await harness.RunAsync("echo again", WorkerHarness.Key(2));
        next.LastLines.ShouldBe(["again"]);
        harness.Host.GuardPid.ShouldNotBe(guard);
        harness.Inputs.OfType<WorkerExited>().ShouldNotContain(exited => exited.Run == WorkerHarness.Key());
    }

    [Fact]
    public async Task Guard_Stopped_IsKilledAndReplaced()
    {
        await using WorkerHarness harness = await WorkerHarness.StartAsync(selfFenceAfter: TimeSpan.FromSeconds(4));
        string seconds = WorkerHarness.UniqueSeconds();
        harness.Start(WorkerHarness.Key(), WorkerHarness.Shell($"sleep {seconds}"));
        _ = await harness.WaitAsync<WorkerStarted>();
        _ = Posix.Kill(harness.Host.GuardPid, 19);
        _ = await harness.WaitAsync<WorkerLost>();
        WorkerHarness.ProcessesWith(seconds).ShouldBeEmpty();
    }

    [Fact]
    public async Task Guard_ThatDiesAgainAndAgain_FailsStartsWithTheReason()
    {
        await using WorkerHarness harness = await WorkerHarness.StartAsync();
        for (int life = 1; life <= 4; life++)
        {
            _ = await harness.RunAsync("true", WorkerHarness.Key(life));
            int guard = harness.Host.GuardPid;
            _ = Posix.Kill(guard, Posix.SignalKill);
            await WorkerHarness.UntilAsync(() => harness.Host.GuardPid != guard, "the death was seen");
        }

        harness.Start(WorkerHarness.Key(9), WorkerHarness.Shell("true"));
        (await harness.WaitAsync<WorkerStartFailed>()).Detail.ShouldContain(
            "guard process was lost again after 3 restarts within a minute"
        );
    }

    [Fact]
    public async Task Guard_SignalsOfTheTerminal_AreNotItsBusiness()
    {
        await using WorkerHarness harness = await WorkerHarness.StartAsync();
        int guard = harness.Host.GuardPid;
        foreach (int signal in (int[])[Posix.SignalInterrupt, Posix.SignalTerminate, Posix.SignalHangup])
        {
            _ = Posix.Kill(guard, signal);
        }

        (await harness.RunAsync("exit 4")).ExitCode.ShouldBe(4);
        harness.Host.GuardPid.ShouldBe(guard);
    }

    [Fact]
    public async Task Guard_InputClosed_EndsEverythingAndItself()
    {
        string seconds = WorkerHarness.UniqueSeconds();
        using Process guard = await StartGuardAsync(seconds, TimeSpan.FromSeconds(60));
        guard.StandardInput.Close();
        await guard.WaitForExitAsync().WaitAsync(WorkerHarness.Patience);
        guard.ExitCode.ShouldBe(0);
        WorkerHarness.ProcessesWith(seconds).ShouldBeEmpty();
    }

    [Fact]
    public async Task Guard_NodeSilent_EndsEverythingAndItself()
    {
        string seconds = WorkerHarness.UniqueSeconds();
        using Process guard = await StartGuardAsync(seconds, TimeSpan.FromSeconds(2));
        await guard.WaitForExitAsync().WaitAsync(WorkerHarness.Patience);
        guard.ExitCode.ShouldBe(3);
        WorkerHarness.ProcessesWith(seconds).ShouldBeEmpty();
    }

    [Fact]
    public async Task Guard_StoodStillForLongerThanItEnduresSilence_EndsNothing()
    {
        string seconds = WorkerHarness.UniqueSeconds();
        using Process guard = await StartGuardAsync(seconds, TimeSpan.FromSeconds(3));
        _ = Posix.Kill(guard.Id, 19);
        await Task.Delay(TimeSpan.FromSeconds(4), TimeProvider.System);
        _ = Posix.Kill(guard.Id, Posix.SignalContinue);

        await guard.StandardInput.WriteAsync(Encoding.UTF8.GetString(new GuardHeartbeat(123456789).ToLine()));
        await guard.StandardInput.FlushAsync();
        string? line;
        do
        {
            line = await guard.StandardOutput.ReadLineAsync().WaitAsync(WorkerHarness.Patience);
        } while (line?.Contains("123456789", StringComparison.Ordinal) == false);

        line.ShouldNotBeNull("the guard has ended");
        WorkerHarness.ProcessesWith(seconds).Count.ShouldBeGreaterThanOrEqualTo(3);
        guard.StandardInput.Close();
        await guard.WaitForExitAsync().WaitAsync(WorkerHarness.Patience);
    }

    [Fact]
    public async Task Start_OfANode_EndsTheOrphansOfItsFormerLife()
    {
        string directory = WorkerHarness.NewDirectory();
        string seconds = WorkerHarness.UniqueSeconds();
        ProcessStartInfo info = new("/bin/sh", ["-c", $"(env -u ACTORTRAINER_NODE_DIR setsid sleep {seconds} &) ; exec sleep {seconds}"]);
        info.Environment["ACTORTRAINER_NODE_DIR"] = directory;
        string former = Path.Combine(directory, "runs", "task-a1b2", "1-1");
        _ = Directory.CreateDirectory(Path.Combine(former, "staging", "s1"));
        await File.WriteAllTextAsync(Path.Combine(former, "output.log"), "kept");
        using Process orphan = Process.Start(info)!;
        await WorkerHarness.UntilAsync(() => WorkerHarness.ProcessesWith(seconds).Count >= 1, "the orphan stands");
        await using WorkerHarness harness = await WorkerHarness.StartAsync(directory: directory);
        await orphan.WaitForExitAsync().WaitAsync(WorkerHarness.Patience);
        Directory.Exists(Path.Combine(former, "staging")).ShouldBeFalse();
        harness.Host.OutputFiles(WorkerHarness.Key().Task).ShouldHaveSingleItem().Path.ShouldBe(Path.Combine(former, "output.log"));
        foreach (int pid in WorkerHarness.ProcessesWith(seconds))
        {
            // Its environment was changed and its parent gone before the sweep: nothing tells whose it was.
            _ = Posix.Kill(pid, Posix.SignalKill);
        }
    }

    [Fact]
    public async Task StopAll_WithWorkersOfAllKinds_ReturnsWhenAllAreGone()
    {
        await using WorkerHarness harness = await WorkerHarness.StartAsync();
        string seconds = WorkerHarness.UniqueSeconds();
        for (int i = 1; i <= 4; i++)
        {
            harness.Start(
                WorkerHarness.Key(1, $"task-{i}"),
                WorkerHarness.Shell($"trap '' TERM; setsid sleep {seconds} & sleep {seconds}")
            );
        }

        harness.Start(WorkerHarness.Key(1, "trainer"), WorkerHarness.Trainer("deaf"));
        await WorkerHarness.UntilAsync(() => WorkerHarness.ProcessesWith(seconds).Count >= 8, "all stand");
        await harness.Host.StopAllAsync(TimeSpan.FromMilliseconds(100), CancellationToken.None);
        WorkerHarness.ProcessesWith(seconds).ShouldBeEmpty();
        harness.Inputs.OfType<WorkerExited>().Count().ShouldBe(5);
    }

    private static async Task<Process> StartGuardAsync(string seconds, TimeSpan selfFenceAfter)
    {
        ProcessStartInfo info = new(
            WorkerHarness.WorkerApp,
            ["guard", "--node-dir", "/nowhere", "--self-fence-after-ms", $"{(long)selfFenceAfter.TotalMilliseconds}"]
        )
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        Process guard = Process.Start(info)!;
        GuardStart start = new(
            "t/1-1",
            "/bin/sh",
            ["/bin/sh", "-c", $"(setsid sleep {seconds} &); (env -i setsid sleep {seconds} &); sleep {seconds}"],
            ["PATH=/usr/bin:/bin"],
            "/tmp",
            Path.GetTempPath(),
            1 << 20
        );
        await guard.StandardInput.WriteAsync(Encoding.UTF8.GetString(start.ToLine()));
        await guard.StandardInput.FlushAsync();
        string heartbeat = Encoding.UTF8.GetString(new GuardHeartbeat(1).ToLine());
        await WorkerHarness.UntilAsync(
            () =>
            {
                // Until here the node is not silent.
                guard.StandardInput.Write(heartbeat);
                guard.StandardInput.Flush();
                return WorkerHarness.ProcessesWith(seconds).Count >= 3;
            },
            "the guard's workers stand"
        );
        return guard;
    }
}
