using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Tasks;
using TaskStatus = ActorTrainer.Core.Tasks.TaskStatus;

namespace ActorTrainer.Core.Tests.Tasks;

/// <summary>A leave that was announced counts neither as a lost node nor as a failure, however the run ends.</summary>
public sealed class TaskEntityLeaveTests
{
    private readonly DeterministicRandom _random = new(3);

    [Fact]
    public void Activated_AfterNodesThatWereToldToGo_IsNeitherCountedNorHeld()
    {
        EntityDriver driver = EntityDriver.Training();
        for (int preempted = 1; preempted <= TaskEntity.NodeLossesToHold + 1; preempted++)
        {
            Leaves(driver).Persist.ShouldBe([new TaskNodeLeaving(EntityDriver.Here)]);
            driver = driver.Elsewhere(preempted + 1, preempted + 1);
            driver.Log[^1].ShouldBeOfType<TaskInterrupted>().Reason.ShouldBe(InterruptionReason.NodeStopping);
            (driver.State.Status, driver.State.NodeLosses, driver.State.Failures, driver.State.Alone).ShouldBe(
                (TaskStatus.Pending, 0, 0, false)
            );
            driver.Start();
        }

        // The next node is lost without a word.
        driver.Elsewhere(9, 9).State.NodeLosses.ShouldBe(1);
    }

    [Fact]
    public void Activated_TwoLossesAndALeave_IsNotHeld()
    {
        EntityDriver driver = EntityDriver.Training().Elsewhere(2, 2);
        driver.Start();
        driver = driver.Elsewhere(3, 3);
        driver.Start();
        Leaves(driver);
        driver = driver.Elsewhere(4, 4);
        (driver.State.Status, driver.State.NodeLosses).ShouldBe((TaskStatus.Pending, 2));
    }

    [Fact]
    public void NodeLeaves_AProvenRun_JournalsNothing()
    {
        EntityDriver driver = EntityDriver.Training();
        driver.Save(10);
        Leaves(driver).IsNothing.ShouldBeTrue();
    }

    [Fact]
    public void NodeLeaves_BeforeTheRunBegins_IsJournaledWithItsStart()
    {
        EntityDriver driver = EntityDriver.Submitted(EntityDriver.Command());
        driver.Grant();
        Leaves(driver).IsNothing.ShouldBeTrue();
        driver.Happens(new WorkerStarted(driver.Run, 17)).Persist[^1].ShouldBe(new TaskNodeLeaving(EntityDriver.Here));
        driver.Elsewhere(2).State.NodeLosses.ShouldBe(0);
    }

    [Theory]
    [InlineData(1, null)]
    [InlineData(143, null)]
    [InlineData(null, 9)]
    public void Exit_AfterTheNodeWasTold_CostsNoAttempt(int? code, int? signal)
    {
        EntityDriver driver = EntityDriver.Training(EntityDriver.Command() with { Retry = new RetrySpec { MaxAttempts = 0 } });
        Leaves(driver);
        TaskInterrupted interrupted = driver.Exit(code, signal).Persist.ShouldHaveSingleItem().ShouldBeOfType<TaskInterrupted>();
        interrupted.Reason.ShouldBe(InterruptionReason.NodeStopping);
        interrupted.Detail.ShouldContain(signal is null ? $"exited with code {code}" : "ended by signal 9");
        (driver.State.Status, driver.State.Failures, driver.Entity.IsIdle).ShouldBe((TaskStatus.Pending, 0, true));
    }

    [Theory]
    [InlineData(143, null)]
    [InlineData(null, 15)]
    public void Exit_ByTheSignalThatTheNodeGetsToo_WaitsForTheNodeToHearIt(int? code, int? signal)
    {
        EntityDriver driver = EntityDriver.Training();
        driver.Exit(code, signal).IsNothing.ShouldBeTrue();
        driver.Tick(0.1).IsNothing.ShouldBeTrue();
        Leaves(driver).Persist.ShouldHaveSingleItem().ShouldBeOfType<TaskInterrupted>();
        (driver.State.Failures, driver.Entity.TakesSlots).ShouldBe((0, false));
    }

    [Fact]
    public void Exit_BySignalTerminateAlone_IsAFailureAfterThat()
    {
        EntityDriver driver = EntityDriver.Training();
        driver.Exit(null, 15).IsNothing.ShouldBeTrue();
        driver.Tick(1).Persist.ShouldHaveSingleItem().ShouldBeOfType<TaskRetryScheduled>().Failure.Signal.ShouldBe(15);
        driver.State.Failures.ShouldBe(1);
    }

    [Fact]
    public void Releasing_WhileTheVerdictWaits_LetsGo()
    {
        EntityDriver driver = EntityDriver.Training();
        driver.Exit(null, 15);
        driver.Do(driver.Entity.Releasing(0, null, "migration", driver.Now)).Release.ShouldBeFalse();
        EntityStep step = driver.Tick(0.1);
        (step.Release, driver.State.Failures, driver.State.Status).ShouldBe((true, 0, TaskStatus.Pending));
    }

    [Fact]
    public void Exit_OfACommandThatCompletes_CompletesThoughItsNodeLeaves()
    {
        EntityDriver driver = EntityDriver.Training(EntityDriver.Command());
        Leaves(driver);
        driver.Exit(0).Persist.ShouldHaveSingleItem().ShouldBeOfType<TaskCompleted>();
    }

    private EntityStep Leaves(EntityDriver driver) => driver.Do(driver.Entity.NodeLeaves(driver.Now, _random));
}
