using ActorTrainer.Core.Membership;
using ActorTrainer.Core.Tasks;
using ActorTrainer.Runtime.Api;
using ActorTrainer.Runtime.Client;
using ActorTrainer.Testing.Processes;
using ActorTrainer.Testing.Trainers;
using TaskStatus = ActorTrainer.Core.Tasks.TaskStatus;

namespace ActorTrainer.Cluster.Tests;

public sealed class DrainTests
{
    private const int Steps = 800;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Drained_BySignalOrByCommand_NodeHandsItsTasksOverAndNoStepIsDoneAgain(bool bySignal)
    {
        await using LocalCluster cluster = new(nodes: 3);
        await cluster.StartAsync();
        ObservedTask task = await ObservedTask.SubmitAsync(cluster, Specs.Scripted("moved", new() { Steps = Steps }));
        await task.WaitForCheckpointAsync();
        int starts = task.Starts.Count;
        LocalNode drained = cluster.Nodes.Single(n => n.Address == task.Starts[^1].Node);

        if (bySignal)
        {
            drained.Signal(Signals.Terminate);
        }
        else
        {
            CommandResult command = await cluster.RunAsync("cluster", "drain", $"node{drained.Number}");
            command.ExitCode.ShouldBe(0, command.Error);
        }

        using CancellationTokenSource limit = new(TimeSpan.FromSeconds(60), TimeProvider.System);
        int exitCode = await drained.WaitForExitAsync(limit.Token);

        exitCode.ShouldBe(0, cluster.Logs());
        using ActorTrainerClient others = LocalCluster.ClientOf([.. cluster.Nodes.Where(n => n != drained).Select(n => n.Address)]);
        TaskStarted next = await task.WaitForStartAsync(starts, others);
        next.Node.ShouldNotBe(drained.Address);
        task.Events.OfType<TaskInterrupted>().Last().Reason.ShouldBe(InterruptionReason.Migrated, task.ToString());

        // The run before it saved on the way out, and stopped at that step: nothing is done again.
        List<TaskEvent> before = [.. task.Events.TakeWhile(e => e != next)];
        CheckpointRef last = before.OfType<TaskCheckpointed>().Last().Checkpoint;
        next.RestoredFrom.ShouldBe(last.Name);
        last.Reason.ShouldNotBe("interval", task.ToString());
        before.OfType<TaskProgressed>().Max(e => e.Progress.Step).ShouldBeLessThanOrEqualTo(last.Step);
        ClusterStatus status = await others.GetClusterAsync();
        status.Members.ShouldNotContain(m => m.Address == drained.Address && m.State == MemberState.Up);
        await task.WaitForEndAsync(TaskStatus.Completed);
        task.Events.OfType<TaskCompleted>().Single().Results["sum"].ShouldBe(ScriptedTrainer.SumOf(Steps));
        await task.ShouldHaveLostNothingAsync();
    }
}
