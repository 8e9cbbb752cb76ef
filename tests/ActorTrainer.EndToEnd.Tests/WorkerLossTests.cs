using ActorTrainer.Core.Tasks;
using ActorTrainer.Testing.Processes;
using ActorTrainer.Testing.Trainers;
using TaskStatus = ActorTrainer.Core.Tasks.TaskStatus;

namespace ActorTrainer.EndToEnd.Tests;

public sealed class WorkerLossTests
{
    private const int Steps = 500;

    [Fact]
    public async Task Guard_Killed_TaskGoesOnByItselfAndNoFailureIsCounted()
    {
        await using LocalCluster cluster = new(nodes: 1);
        await cluster.StartAsync();
        ObservedTask task = await ObservedTask.SubmitAsync(cluster, Specs.Scripted("guarded", new() { Steps = Steps }));
        await task.WaitForCheckpointAsync();
        ProcessInfo guard = cluster.GuardOf(cluster.Nodes[0]).ShouldNotBeNull();

        Signals.Send(guard.Pid, Signals.Kill);

        TaskStarted second = await task.WaitForStartAsync(after: 1);
        second.RestoredStep.ShouldBeGreaterThan(0);
        ProcessInfo.Read(task.Starts[0].Pid).ShouldBeNull("the worker of the guard that was killed");
        task.Events.OfType<TaskInterrupted>().ShouldContain(e => e.Reason == InterruptionReason.GuardLost);
        await ShouldCompleteAsync(task, failures: 0);
    }

    [Fact]
    public async Task Worker_Killed_FailureIsRecordedAndItGoesOnFromItsCheckpoint()
    {
        await using LocalCluster cluster = new(nodes: 1);
        await cluster.StartAsync();
        ObservedTask task = await ObservedTask.SubmitAsync(cluster, Specs.Scripted("worker", new() { Steps = Steps }));
        await task.WaitForCheckpointAsync();

        Signals.Send(task.Starts[0].Pid, Signals.Kill);

        TaskStarted second = await task.WaitForStartAsync(after: 1);
        second.RestoredStep.ShouldBeGreaterThan(0);
        await ShouldCompleteAsync(task, failures: 1);
        TaskRetryScheduled retry = task.Events.OfType<TaskRetryScheduled>().Single();
        retry.Failure.Class.ShouldBe("killed");
        retry.Failure.Signal.ShouldBe(Signals.Kill);
    }

    private static async Task ShouldCompleteAsync(ObservedTask task, int failures)
    {
        await task.WaitForEndAsync(TaskStatus.Completed);
        await task.ShouldHaveLostNothingAsync();
        task.Events.OfType<TaskRetryScheduled>().Count().ShouldBe(failures, task.ToString());
        task.Events.OfType<TaskCompleted>().Single().Results["sum"].ShouldBe(ScriptedTrainer.SumOf(Steps));
    }
}
