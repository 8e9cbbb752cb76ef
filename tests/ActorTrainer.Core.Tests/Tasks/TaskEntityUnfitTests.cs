using ActorTrainer.Core.Tasks;
using TaskStatus = ActorTrainer.Core.Tasks.TaskStatus;

namespace ActorTrainer.Core.Tests.Tasks;

/// <summary>A node without the executable or the working directory of a task.</summary>
public sealed class TaskEntityUnfitTests
{
    [Fact]
    public void On_NodeLacksWhatItNeeds_CostsNoAttemptAndTheNodeIsPassedOver()
    {
        EntityDriver driver = EntityDriver.Submitted(EntityDriver.Trainer(s => s with { Retry = new RetrySpec { MaxAttempts = 0 } }));
        driver.Grant();

        TaskRetryScheduled retry = driver.Happens(Unfit(driver)).Persist.ShouldHaveSingleItem().ShouldBeOfType<TaskRetryScheduled>();

        retry.NodeUnfit.ShouldBeTrue();
        retry.Failure.Detail.ShouldBe("10.0.0.1:7400: 'tool' was not found");
        (driver.State.Status, driver.State.Failures).ShouldBe((TaskStatus.Retrying, 0));
        driver.State.Detail.ShouldMatch(
            "^waits for a node that can start it, looks again after [0-9.]+ s: 10.0.0.1:7400: 'tool' was not found$"
        );
        driver.State.Summarize(3).UnfitIncarnations.ShouldBe([1]);

        EntityDriver next = driver.Elsewhere(term: 2);
        next.Now += next.State.RetryDelay!.Value;
        next.Start();
        next.State.Status.ShouldBe(TaskStatus.Running);
        next.State.UnfitIncarnations.ShouldBe([1]);
    }

    [Fact]
    public void On_NoNodeHasWhatItNeeds_GoesRoundWithGrowingPausesAndNeverFails()
    {
        EntityDriver driver = EntityDriver.Submitted(EntityDriver.Trainer(s => s with { Retry = new RetrySpec { MaxAttempts = 0 } }));
        List<double> delays = [];
        for (int i = 0; i < 24; i++)
        {
            driver.Now += driver.State.RetryDelay ?? TimeSpan.Zero;
            driver.Grant();
            driver.Happens(Unfit(driver));
            delays.Add(driver.State.RetryDelay!.Value.TotalSeconds);
            driver.State.UnfitIncarnations.ShouldBe(i % 2 == 0 ? [1] : [1, 2], "the second node may have it in the next round");
            driver = driver.Elsewhere(term: i + 2, incarnation: 1 + ((i + 1) % 2));
        }

        driver.State.Status.ShouldBe(TaskStatus.Retrying);
        delays.Where((_, i) => i % 2 == 1).ShouldAllBe(seconds => seconds < 1.3, "the other node is tried at once");
        delays[2].ShouldBeInRange(1.6, 2.4);
        delays[^2].ShouldBeInRange(240, 360);

        driver.Now += driver.State.RetryDelay!.Value;
        driver.Start();
        driver.State.UnfitRounds.ShouldBe(0);
        driver.State.UnfitIncarnations.ShouldBe([2], "this node has it by now");
    }

    [Fact]
    public void On_ResumedByTheUser_NoNodeIsUnfitAnyMore()
    {
        EntityDriver driver = EntityDriver.Submitted();
        driver.Grant();
        driver.Happens(Unfit(driver));
        driver.Tell(new PauseTask());

        driver.Tell(new ResumeTask());

        driver.State.UnfitIncarnations.ShouldBeNull();
    }

    private static WorkerStartFailed Unfit(EntityDriver driver) => new(driver.Run, "'tool' was not found") { NodeUnfit = true };
}
