using System.Runtime.Versioning;
using ActorTrainer.Core.Tasks;

namespace ActorTrainer.Runtime.Tests.Workers;

/// <summary>What a command's own process leaves behind, and commands that do nothing.</summary>
[UnsupportedOSPlatform("windows")]
[Trait("Lane", "Slow")]
public sealed class LeftBehindTests
{
    [Fact]
    public async Task Exit_WithAProcessAtWork_EndsItAndSaysSo()
    {
        await using WorkerHarness harness = await WorkerHarness.StartAsync();
        string seconds = WorkerHarness.UniqueSeconds();
        (await harness.RunAsync($"nohup sleep {seconds} > /dev/null 2>&1 &")).ExitCode.ShouldBe(0);
        WorkerHarness.ProcessesWith(seconds).ShouldBeEmpty();
        string warning = harness.Inputs.OfType<WorkerWarned>().ShouldHaveSingleItem().Detail;
        warning.ShouldMatch(@"^ended with 1 process still at work, which was ended: \d+ (sleep|nohup); .*--wait-for-children");
    }

    [Theory]
    [InlineData("sleep {0} & exit 3")]
    [InlineData("sleep 0.01 & exit 0")]
    public async Task Exit_WithAFailureOrWithOnesThatFollow_SaysNothing(string script)
    {
        await using WorkerHarness harness = await WorkerHarness.StartAsync();
        _ = await harness.RunAsync(script.Replace("{0}", WorkerHarness.UniqueSeconds(), StringComparison.Ordinal));
        harness.Inputs.OfType<WorkerWarned>().ShouldBeEmpty();
    }

    [Fact]
    public async Task Exit_ThatWaitsForChildren_ComesWhenAllHaveEnded()
    {
        await using WorkerHarness harness = await WorkerHarness.StartAsync();
        WorkerExited exited = await WaitingAsync(
            harness,
            "nohup setsid sh -c 'sleep 1; sh -c \"sleep 0.5; echo done\" &' 2> /dev/null & exit 0"
        );
        exited.ExitCode.ShouldBe(0);
        exited.LastLines.ShouldContain("done");
        harness.Inputs.OfType<WorkerWarned>().ShouldBeEmpty();
    }

    [Theory]
    [InlineData("sh -c 'sleep 0.6; exit 4' &", 4, null)]
    [InlineData("sh -c 'sleep 0.6; kill -9 $$' &", null, 9)]
    [InlineData("sh -c 'sleep 0.6; exit 4' & exit 5", 5, null)]
    public async Task Exit_ThatWaitsForAChildThatFails_IsAFailure(string script, int? code, int? signal)
    {
        await using WorkerHarness harness = await WorkerHarness.StartAsync();
        WorkerExited exited = await WaitingAsync(harness, script);
        (exited.ExitCode, exited.Signal).ShouldBe((code, signal));
    }

    [Fact]
    public async Task Checkpoint_OfAChildThatIsWaitedFor_IsTakenWhileItWorksOn()
    {
        await using WorkerHarness harness = await WorkerHarness.StartAsync();
        const string child = "sleep 0.7; cd $ACTORTRAINER_CHECKPOINT_DIR; mkdir .s; echo 1 > .s/a; mv .s step-1; sleep 1000";
        RunKey run = WorkerHarness.Key();
        harness.Start(run, WorkerHarness.Shell($"nohup sh -c '{child}' > /dev/null 2>&1 &") with { WaitForChildren = true });
        _ = await harness.WaitAsync<WorkerStaged>();
        harness.Inputs.OfType<WorkerExited>().ShouldBeEmpty();
        harness.Host.Stop(new StopWorker(run, TimeSpan.Zero));
        _ = await harness.WaitAsync<WorkerExited>();
    }

    [Fact]
    public async Task Stop_WhileChildrenAreWaitedFor_TellsThemAndLeavesThemTheGrace()
    {
        await using WorkerHarness harness = await WorkerHarness.StartAsync();
        const string script = "trap \"echo saved; exit\" TERM; echo up; while :; do sleep 0.05; done";
        RunKey run = WorkerHarness.Key();
        harness.Start(run, WorkerHarness.Shell($"sh -c '{script}' & sleep 0.2") with { WaitForChildren = true });
        int pid = (await harness.WaitAsync<WorkerStarted>()).Pid;
        await WorkerHarness.UntilAsync(() => WorkerHarness.StateOf(pid) == 'Z', "the shell has ended");
        harness.Host.Stop(new StopWorker(run, TimeSpan.FromSeconds(20)));
        (await harness.WaitAsync<WorkerExited>()).LastLines[^1].ShouldBe("saved");
    }

    [Theory]
    [InlineData("while :; do :; done")]
    [InlineData("while :; do echo x; sleep 0.3; done")]
    public async Task Watch_CommandAtWork_IsToldAgainAndAgain(string script)
    {
        await using WorkerHarness harness = await WorkerHarness.StartAsync();
        harness.Start(
            WorkerHarness.Key(),
            WorkerHarness.Shell(script) with
            {
                Stall = new StallSpec { Command = TimeSpan.FromSeconds(2) },
            }
        );
        await WorkerHarness.UntilAsync(() => harness.Inputs.OfType<WorkerActive>().Count() >= 3, "the command was found at work");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Watch_CommandThatSleeps_IsNeverToldToBeAtWork(bool watched)
    {
        await using WorkerHarness harness = await WorkerHarness.StartAsync();
        TaskSpec spec = WorkerHarness.Shell(watched ? "exec sleep 3" : "echo x; sleep 1; echo y");
        harness.Start(WorkerHarness.Key(), spec with { Stall = new StallSpec { Command = watched ? TimeSpan.FromSeconds(1) : null } });
        _ = await harness.WaitAsync<WorkerExited>();
        // Its start may be found as work, once.
        harness.Inputs.OfType<WorkerActive>().Count().ShouldBeLessThanOrEqualTo(watched ? 1 : 0);
    }

    private static async Task<WorkerExited> WaitingAsync(WorkerHarness harness, string script)
    {
        harness.Start(WorkerHarness.Key(), WorkerHarness.Shell(script) with { WaitForChildren = true });
        return await harness.WaitAsync<WorkerExited>();
    }
}
