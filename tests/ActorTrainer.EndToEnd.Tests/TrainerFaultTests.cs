using ActorTrainer.Client;
using ActorTrainer.Core.Tasks;
using ActorTrainer.Testing.Processes;
using TaskStatus = ActorTrainer.Core.Tasks.TaskStatus;

namespace ActorTrainer.EndToEnd.Tests;

public sealed class TrainerFaultTests
{
    [Fact]
    public async Task Trainer_Throws_FirstLineIsRecordedAndItIsRetriedFromItsCheckpointThenFails()
    {
        await using LocalCluster cluster = new(nodes: 1);
        await cluster.StartAsync();
        ObservedTask task = await ObservedTask.SubmitAsync(cluster, Specs.Scripted("throws", new() { Steps = 500, ThrowAt = 150 }));

        TaskView view = await task.WaitForEndAsync(TaskStatus.Failed);

        task.Starts.Count.ShouldBe(2);
        task.Starts[1].RestoredStep.ShouldBeGreaterThan(0);
        Failure retried = task.Events.OfType<TaskRetryScheduled>().Single().Failure;
        retried.Class.ShouldBe("exception");
        retried.Detail.ShouldContain("the loss is not a number");
        retried.Detail.ShouldNotContain("second line");
        Failure failure = task.Events.OfType<TaskFailed>().Single().Failure;
        failure.Class.ShouldBe("exception");
        string.Join('\n', failure.LastLines).ShouldContain("ScriptedTrainer", Case.Sensitive, "the stack is in the last lines");
        view.Detail.ShouldContain("the loss is not a number");
        CommandResult wait = await cluster.RunAsync("tasks", "wait", "throws");
        wait.ExitCode.ShouldBe(view.ExitCode!.Value, wait.Error);
        wait.ExitCode.ShouldNotBe(0);
    }

    [Fact]
    public async Task Trainer_ExitsInTheMiddle_IsAFailureEvenWithExitCodeZero()
    {
        await using LocalCluster cluster = new(nodes: 1);
        await cluster.StartAsync();
        ObservedTask zero = await ObservedTask.SubmitAsync(
            cluster,
            Specs.Scripted(
                "exits-zero",
                new()
                {
                    Steps = 100,
                    ExitAt = 10,
                    ExitCode = 0,
                }
            )
        );
        ObservedTask five = await ObservedTask.SubmitAsync(
            cluster,
            Specs.Scripted(
                "exits-five",
                new()
                {
                    Steps = 100,
                    ExitAt = 10,
                    ExitCode = 5,
                }
            )
        );

        await zero.WaitForEndAsync(TaskStatus.Failed);
        TaskView view = await five.WaitForEndAsync(TaskStatus.Failed);

        zero.Events.OfType<TaskFailed>().Single().Failure.Detail.ShouldContain("before training was complete");
        view.ExitCode.ShouldBe(5);
        five.Starts.Count.ShouldBe(2);
    }
}
