using ActorTrainer.Core.Tasks;
using TaskStatus = ActorTrainer.Core.Tasks.TaskStatus;

namespace ActorTrainer.Core.Tests.Tasks;

/// <summary>A run whose node makes its environment first.</summary>
public sealed class TaskEntityPreparingTests
{
    [Fact]
    public void On_EnvironmentIsMade_IsShownAndIsNoStall()
    {
        EntityDriver driver = EntityDriver.Submitted(EntityDriver.Command());
        driver.Grant();

        driver.Happens(new WorkerPreparing(driver.Run, "make")).Persist.ShouldBe([new TaskPreparing(EntityDriver.Here, "make")]);

        driver.State.Status.ShouldBe(TaskStatus.Pending);
        driver.State.Detail.ShouldBe("preparing the environment on 10.0.0.1:7400: make");
        driver.Tick(afterSeconds: 100_000).IsNothing.ShouldBeTrue("how long it takes is no stall");
        driver.Happens(new WorkerStarted(driver.Run, 4711));
        (driver.State.Status, driver.State.Detail).ShouldBe((TaskStatus.Running, "started"));
    }

    [Fact]
    public void On_EnvironmentCannotBeMade_IsAFailureWithItsLastLines()
    {
        EntityDriver driver = EntityDriver.Submitted(EntityDriver.Command());
        driver.Grant();
        driver.Happens(new WorkerPreparing(driver.Run, "make"));

        TaskRetryScheduled retry = driver
            .Happens(new WorkerStartFailed(driver.Run, "no compiler") { LastLines = ["cc: not found"] })
            .Persist.ShouldHaveSingleItem()
            .ShouldBeOfType<TaskRetryScheduled>();

        (retry.Failures, retry.NodeUnfit, retry.Failure.Detail).ShouldBe((1, false, "could not be started: no compiler"));
        retry.Failure.LastLines.ShouldBe(["cc: not found"]);
    }

    [Fact]
    public void Activated_WhatAnotherNodeWasMaking_IsNotShownAnyMore()
    {
        EntityDriver driver = EntityDriver.Submitted(EntityDriver.Command());
        driver.Grant();
        driver.Happens(new WorkerPreparing(driver.Run, "make"));

        EntityDriver next = driver.Elsewhere(term: 2);
        next.Do(next.Entity.Activate(next.Now));

        next.State.Detail.ShouldBe("waits for a slot");
    }

    [Fact]
    public void Cancel_WhileItIsMade_EndsItAtOnce()
    {
        EntityDriver driver = EntityDriver.Submitted(EntityDriver.Command());
        driver.Grant();
        driver.Happens(new WorkerPreparing(driver.Run, "make"));

        driver.Tell(new CancelTask()).AfterCommit.ShouldBe([new StopWorker(driver.Run, TimeSpan.Zero)]);
    }
}
