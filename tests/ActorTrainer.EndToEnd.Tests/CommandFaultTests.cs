using ActorTrainer.Client;
using ActorTrainer.Core.Tasks;
using ActorTrainer.Testing.Processes;
using TaskStatus = ActorTrainer.Core.Tasks.TaskStatus;

namespace ActorTrainer.EndToEnd.Tests;

/// <summary>Commands of users that do what they should not. Each has a node to itself: a failure must not hide in another's.</summary>
public sealed class CommandFaultTests
{
    private const long MaxGrowthBytes = 20 * 1024 * 1024;
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task Command_ExitsNonZero_ClassAndLastLinesAreRecordedAndItIsRetriedThenFails()
    {
        await using LocalCluster cluster = await StartOneAsync();
        ObservedTask task = await ObservedTask.SubmitAsync(
            cluster,
            Specs.Shell("exits", "echo about to fail; echo reason: no data >&2; exit 7")
        );

        TaskView view = await task.WaitForEndAsync(TaskStatus.Failed);

        view.ExitCode.ShouldBe(7);
        task.Starts.Count.ShouldBe(2);
        task.Events.OfType<TaskRetryScheduled>().Single().Failure.ExitCode.ShouldBe(7);
        Failure failure = task.Events.OfType<TaskFailed>().Single().Failure;
        failure.Class.ShouldBe("exit-code");
        failure.LastLines.ShouldBe(["about to fail", "reason: no data"], ignoreOrder: true);
        CommandResult wait = await cluster.RunAsync("tasks", "wait", "exits");
        wait.ExitCode.ShouldBe(7, wait.Error);
    }

    [Fact]
    public async Task Node_IsToldToEnd_GivesAScriptItsGraceWithinTheStopTimeout()
    {
        await using LocalCluster cluster = new(nodes: 1, slots: 1, "actortrainer.node.stop-timeout=40s");
        await cluster.StartAsync();
        string up = Path.Combine(cluster.Folder, "up");
        string saved = Path.Combine(cluster.Folder, "saved");
        TaskSpec spec = Specs.Shell("slow", $"trap 'sleep 10; > {saved}; exit 0' TERM; > {up}; while :; do sleep 0.1; done") with
        {
            Grace = TimeSpan.FromSeconds(30),
        };
        await ObservedTask.SubmitAsync(cluster, spec);
        await cluster.WaitAsync("the script runs", () => Task.FromResult(File.Exists(up)), Limit);

        cluster.Nodes[0].Signal(Signals.Terminate);
        using CancellationTokenSource limit = new(Limit, TimeProvider.System);
        int exitCode = await cluster.Nodes[0].WaitForExitAsync(limit.Token);

        exitCode.ShouldBe(0, cluster.Logs());
        File.Exists(saved).ShouldBeTrue("10 s are more than the 8 s that a node takes by default");
    }

    [Fact]
    public async Task Trainer_Hangs_IsStoppedAsStalledAndRetriedThenFails()
    {
        await using LocalCluster cluster = await StartOneAsync();
        TaskSpec spec = Specs.Scripted("hangs", new() { Steps = 100, HangAt = 20 }) with
        {
            Stall = new StallSpec { Training = TimeSpan.FromSeconds(2) },
            Grace = TimeSpan.FromSeconds(1),
        };
        ObservedTask task = await ObservedTask.SubmitAsync(cluster, spec);

        await task.WaitForEndAsync(TaskStatus.Failed);

        task.Starts.Count.ShouldBe(2);
        Failure failure = task.Events.OfType<TaskFailed>().Single().Failure;
        failure.Class.ShouldBe("stalled");
        failure.Detail.ShouldContain("no progress");
        await ShouldLeaveNoWorkersAsync(cluster);
    }

    [Fact]
    public async Task Command_DoubleForksIntoASessionOfItsOwn_IsGoneWithItsDescendantsAfterCancel()
    {
        await using LocalCluster cluster = await StartOneAsync();
        ObservedTask task = await ObservedTask.SubmitAsync(
            cluster,
            Specs.Shell("forks", "sleep 1000 & (setsid sh -c 'sleep 1001 & sleep 1002' &) ; sleep 1003")
        );
        await cluster.WaitAsync("its four sleepers stand", () => Task.FromResult(Sleepers(cluster) == 4), Limit);

        CommandResult cancel = await cluster.RunAsync("tasks", "cancel", "forks");

        cancel.ExitCode.ShouldBe(0, cancel.Error);
        await task.WaitForEndAsync(TaskStatus.Cancelled);
        await ShouldLeaveNoWorkersAsync(cluster);
    }

    [Fact]
    public async Task Command_PrintsTwoHundredMegabytes_NodeDoesNotGrowAndTheLastLinesAreKept()
    {
        await using LocalCluster cluster = await StartOneAsync("actortrainer.worker.log-max-size=8 MiB");

        // What carrying output takes at all, for the first time, is no growth with the output.
        ObservedTask first = await ObservedTask.SubmitAsync(cluster, Specs.Shell("first", Printing(20_000_000)));
        await first.WaitForEndAsync(TaskStatus.Completed);
        long before = ProcessInfo.ResidentBytes(cluster.Nodes[0].Pid);

        ObservedTask task = await ObservedTask.SubmitAsync(cluster, Specs.Shell("loud", $"{Printing(200_000_000)}; echo the end"));
        long highest = before;
        await cluster.WaitAsync(
            "it has ended",
            async () =>
            {
                highest = Math.Max(highest, ProcessInfo.ResidentBytes(cluster.Nodes[0].Pid));
                return (await cluster.Client.GetTaskAsync("loud")).Task.Finished;
            },
            Limit * 3
        );

        await task.WaitForEndAsync(TaskStatus.Completed);
        (highest - before).ShouldBeLessThan(MaxGrowthBytes);
        CommandResult logs = await cluster.RunAsync("tasks", "logs", "loud");
        logs.Output.TrimEnd().ShouldEndWith("the end");
        ((long)logs.Output.Length).ShouldBeLessThan(9 * 1024 * 1024);
    }

    private static string Printing(int bytes) =>
        FormattableString.Invariant($"yes 0123456789012345678901234567890123456789 | head -c {bytes}");

    private static async Task<LocalCluster> StartOneAsync(params string[] settings)
    {
        LocalCluster cluster = new(nodes: 1, slots: 4, settings);
        await cluster.StartAsync();
        return cluster;
    }

    private static int Sleepers(LocalCluster cluster) =>
        cluster.Children().Count(p => p.CommandLine.StartsWith("sleep 100", StringComparison.Ordinal));

    private static Task ShouldLeaveNoWorkersAsync(LocalCluster cluster) =>
        cluster.WaitAsync(
            "no process is left but the guard",
            () => Task.FromResult(cluster.Children().All(p => p.Variable("ACTORTRAINER_TASK") is null)),
            TimeSpan.FromSeconds(15)
        );
}
