using ActorTrainer.Core.Tasks;
using TaskStatus = ActorTrainer.Core.Tasks.TaskStatus;

namespace ActorTrainer.Core.Tests.Tasks;

/// <summary>Stops by the user, hand-over, and loss of nodes.</summary>
public sealed class TaskEntityMoveTests
{
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(8);

    [Fact]
    public void On_PauseWhileTraining_SavesStopsAndWaits()
    {
        EntityDriver driver = EntityDriver.Training();
        EntityStep pause = driver.Tell(new PauseTask());
        pause.Persist.ShouldBe([new TaskPaused()]);
        pause.AfterCommit.ShouldBe([new RequestStaging(driver.Run, "pause")]);
        EntityStep staged = driver.Stage(10, "pause");
        SaveCheckpoint save = staged.AfterCommit[0].ShouldBeOfType<SaveCheckpoint>();
        staged.AfterCommit[1].ShouldBe(new StopWorker(driver.Run, Grace));
        driver.Exit(0).IsNothing.ShouldBeTrue();
        driver.Stored(save).Persist.ShouldHaveSingleItem().ShouldBeOfType<TaskCheckpointed>();
        (driver.State.Status, driver.Entity.IsIdle).ShouldBe((TaskStatus.Paused, true));
        driver.Entity.WantsSlots(driver.Now).ShouldBeFalse();
    }

    [Fact]
    public void Tick_SaveBeforeAStopTakesLongerThanTheGrace_StopsWithoutIt()
    {
        EntityDriver driver = EntityDriver.Training();
        driver.Tell(new PauseTask());
        driver.Tick(7.9).IsNothing.ShouldBeTrue();
        driver.Tick(0.1).AfterCommit.ShouldBe([new StopWorker(driver.Run, Grace)]);
        driver.Tick(1).IsNothing.ShouldBeTrue();
    }

    [Fact]
    public void On_StageFailsBeforeAStop_StopsAtOnce()
    {
        EntityDriver driver = EntityDriver.Training();
        driver.Tell(new PauseTask());
        driver.Happens(new WorkerStageFailed(driver.Run, "pause", "no space")).AfterCommit.ShouldBe([new StopWorker(driver.Run, Grace)]);
    }

    [Fact]
    public void On_PauseWhileStarting_EndsTheWorkerWithoutGrace()
    {
        EntityDriver driver = EntityDriver.Submitted();
        driver.Grant();
        driver.Tell(new PauseTask()).AfterCommit.ShouldBe([new StopWorker(driver.Run, TimeSpan.Zero)]);
        driver.Happens(new WorkerReady(driver.Run)).IsNothing.ShouldBeTrue();
        driver.Exit(null, 9).Persist.ShouldBeEmpty();
        driver.State.Status.ShouldBe(TaskStatus.Paused);
    }

    [Fact]
    public void On_PauseWhileACommandRestores_EndsARunWithoutWorker()
    {
        EntityDriver driver = EntityDriver.Training(EntityDriver.Command());
        driver.Save(1, "files");
        driver.Exit(1);
        driver.Tick(10);
        driver.Grant();
        driver.Tell(new PauseTask()).AfterCommit.ShouldBe([new StopWorker(driver.Run, TimeSpan.Zero)]);
        driver.Exit(null);
        (driver.State.Status, driver.Entity.IsIdle).ShouldBe((TaskStatus.Paused, true));
    }

    [Fact]
    public void On_ResumeWhileStopping_StartsAgainWhenTheWorkerIsGone()
    {
        EntityDriver driver = EntityDriver.Training();
        driver.Tell(new PauseTask());
        SaveCheckpoint save = driver.Stage(10, "pause").AfterCommit.OfType<SaveCheckpoint>().Single();
        driver.Tell(new ResumeTask()).Reply.ShouldBeOfType<CommandAccepted>();
        driver.Entity.WantsSlots(driver.Now).ShouldBeFalse();
        driver.Stored(save);
        driver.Exit(0);
        driver.State.Status.ShouldBe(TaskStatus.Pending);
        driver.Grant().AfterCommit.OfType<RestoreCheckpoint>().Single().Checkpoint.Step.ShouldBe(10);
    }

    [Fact]
    public void On_CancelWhileTraining_StopsWithGraceAndEnds()
    {
        EntityDriver driver = EntityDriver.Training();
        EntityStep cancel = driver.Tell(new CancelTask());
        cancel.Persist.ShouldBe([new TaskCancelled()]);
        cancel.AfterCommit.ShouldBe([new StopWorker(driver.Run, Grace)]);
        driver.Exit(null, 15).IsNothing.ShouldBeTrue();
        (driver.State.Status, driver.State.ExitCode, driver.Entity.IsIdle).ShouldBe((TaskStatus.Cancelled, 1, true));
    }

    [Fact]
    public void Releasing_Idle_LetsGoAtOnce()
    {
        EntityDriver driver = EntityDriver.Submitted();
        driver.Do(driver.Entity.Releasing(2, EntityDriver.There, "migration", driver.Now)).Release.ShouldBeTrue();
        driver.Entity.WantsSlots(driver.Now).ShouldBeFalse();
        driver.Entity.ReleaseAborted();
        driver.Entity.WantsSlots(driver.Now).ShouldBeTrue();
    }

    [Fact]
    public void Releasing_Training_SavesStopsStoresAndOnlyThenLetsGo()
    {
        EntityDriver driver = EntityDriver.Training();
        EntityStep releasing = driver.Do(driver.Entity.Releasing(2, EntityDriver.There, "migration", driver.Now));
        releasing.Persist.ShouldBe([new TaskMigrating(2, EntityDriver.There, "migration")]);
        releasing.AfterCommit.ShouldBe([new RequestStaging(driver.Run, "migration")]);
        releasing.Release.ShouldBeFalse();
        SaveCheckpoint save = driver.Stage(10, "migration").AfterCommit.OfType<SaveCheckpoint>().Single();
        driver.Exit(0).Release.ShouldBeFalse();
        EntityStep stored = driver.Stored(save);
        stored.Release.ShouldBeTrue();
        stored.Persist[^1].ShouldBe(new TaskInterrupted(InterruptionReason.Migrated, "handed over: migration"));
        (driver.State.Status, driver.State.Failures, driver.State.NodeLosses).ShouldBe((TaskStatus.Pending, 0, 0));
    }

    [Fact]
    public void Releasing_StoreAway_LetsGoWithoutTheState()
    {
        EntityDriver driver = EntityDriver.Training();
        driver.Do(driver.Entity.Releasing(2, EntityDriver.There, "migration", driver.Now));
        SaveCheckpoint save = driver.Stage(10, "migration").AfterCommit.OfType<SaveCheckpoint>().Single();
        driver.Exit(0);
        EntityStep failed = driver.StoreFails(save);
        failed.Release.ShouldBeTrue();
        failed.Persist[0].ShouldBeOfType<TaskCheckpointFailed>();
    }

    [Fact]
    public void Releasing_Command_IsStoppedWithGrace()
    {
        EntityDriver driver = EntityDriver.Training(EntityDriver.Command());
        driver.Do(driver.Entity.Releasing(0, null, "node stops", driver.Now)).AfterCommit.ShouldBe([new StopWorker(driver.Run, Grace)]);
        EntityStep exit = driver.Exit(0);
        exit.Release.ShouldBeTrue();
        exit.Persist.ShouldHaveSingleItem().ShouldBeOfType<TaskInterrupted>();
    }

    [Fact]
    public void Releasing_WhileSavingAfterTheRun_LetsGoWhenItIsStored()
    {
        EntityDriver driver = EntityDriver.Training();
        SaveCheckpoint save = driver.Stage(10).AfterCommit.OfType<SaveCheckpoint>().Single();
        driver.Tell(new CancelTask());
        driver.Exit(null, 15);
        driver.Do(driver.Entity.Releasing(2, EntityDriver.There, "drain", driver.Now)).Release.ShouldBeFalse();
        driver.Stored(save).Release.ShouldBeTrue();
    }

    [Fact]
    public void Releasing_Starting_StopsWithoutAnEvent()
    {
        EntityDriver driver = EntityDriver.Submitted();
        driver.Grant();
        EntityStep releasing = driver.Do(driver.Entity.Releasing(2, EntityDriver.There, "drain", driver.Now));
        releasing.Persist.ShouldBeEmpty();
        releasing.AfterCommit.ShouldBe([new StopWorker(driver.Run, TimeSpan.Zero)]);
        EntityStep exit = driver.Exit(null, 9);
        (exit.Release, exit.Persist.Count).ShouldBe((true, 0));
    }

    [Fact]
    public void ReleaseAborted_BeforeTheStop_TrainsOn()
    {
        EntityDriver driver = EntityDriver.Training();
        driver.Do(driver.Entity.Releasing(2, EntityDriver.There, "migration", driver.Now));
        driver.Entity.ReleaseAborted();
        driver.Stage(10, "migration").AfterCommit.ShouldHaveSingleItem().ShouldBeOfType<SaveCheckpoint>();
        driver.Tick(30).AfterCommit.ShouldBeEmpty();
        driver.Entity.IsTraining.ShouldBeTrue();
    }

    [Fact]
    public void ReleaseAborted_AfterTheStop_StartsAgainHere()
    {
        EntityDriver driver = EntityDriver.Training();
        driver.Do(driver.Entity.Releasing(2, EntityDriver.There, "migration", driver.Now));
        driver.Stored(driver.Stage(10, "migration").AfterCommit.OfType<SaveCheckpoint>().Single());
        driver.Entity.ReleaseAborted();
        EntityStep exit = driver.Exit(0);
        exit.Release.ShouldBeFalse();
        exit.Persist.ShouldHaveSingleItem().ShouldBeOfType<TaskInterrupted>();
        driver.Entity.WantsSlots(driver.Now).ShouldBeTrue();
    }

    [Fact]
    public void Lost_Training_StopsWithoutGraceAndPersistsNothing()
    {
        EntityDriver driver = EntityDriver.Training();
        SaveCheckpoint save = driver.Stage(10).AfterCommit.OfType<SaveCheckpoint>().Single();
        driver.Entity.Lost().ShouldBe([new StopWorker(driver.Run, TimeSpan.Zero)]);
        driver.Stored(save).IsNothing.ShouldBeTrue();
        driver.Exit(1).IsNothing.ShouldBeTrue();
        driver.Entity.IsIdle.ShouldBeTrue();
    }

    [Fact]
    public void Activated_AfterNodeLosses_CountsThoseOfUnprovenRunsAndHoldsAtTheThird()
    {
        EntityDriver driver = EntityDriver.Training();
        for (int losses = 1; losses < TaskEntity.NodeLossesToHold; losses++)
        {
            driver = driver.Elsewhere(losses + 1, losses + 1);
            (driver.State.NodeLosses, driver.State.Alone).ShouldBe((losses, losses == 2));
            driver.Start();
        }

        driver = driver.Elsewhere(9, 9);
        driver.State.Status.ShouldBe(TaskStatus.Held);
        driver.State.Detail.ShouldContain("tasks resume digits-a1");
        driver.Tell(new ResumeTask());
        (driver.State.NodeLosses, driver.State.Alone).ShouldBe((0, false));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Run_AfterTwoLosses_HasTheNodeForItselfUntilItIsProven(bool byCheckpoint)
    {
        EntityDriver driver = EntityDriver.Training().Elsewhere(2);
        driver.Start();
        driver = driver.Elsewhere(3, 3);
        driver.Start();
        driver.State.Alone.ShouldBeTrue();

        Prove(driver, byCheckpoint);

        driver.State.Alone.ShouldBeFalse();
        driver.State.Summarize(3).Alone.ShouldBeFalse();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Activated_AfterTheLossOfAProvenRun_StartsCountingAnew(bool byCheckpoint)
    {
        EntityDriver driver = EntityDriver.Training().Elsewhere(2).Elsewhere(3);
        driver.State.NodeLosses.ShouldBe(1);
        driver.Start();
        Prove(driver, byCheckpoint);

        driver = driver.Elsewhere(4, 4);
        (driver.State.NodeLosses, driver.State.Status).ShouldBe((0, TaskStatus.Pending));
    }

    /// <summary>The node is there: the owner could not write, ended its run and took the task up again later.</summary>
    [Fact]
    public void Activated_BySameLifeAfterTheJournalWasAway_IsNoLossOfANode()
    {
        EntityDriver driver = EntityDriver.Training();
        for (int term = 2; term <= TaskEntity.NodeLossesToHold + 1; term++)
        {
            driver = driver.Elsewhere(term, 1);
            TaskInterrupted interrupted = driver.Log.OfType<TaskInterrupted>().Last();
            interrupted.Reason.ShouldBe(InterruptionReason.JournalAway);
            interrupted.Detail.ShouldBe("the journal could not be reached from node 10.0.0.1:7400, which ended the run");
            (driver.State.NodeLosses, driver.State.Status).ShouldBe((0, TaskStatus.Pending));
            driver.Start();
        }
    }

    /// <summary>Losses with a run between them that saved and moved on are not in a row.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Activated_LostBeforeAndAfterAProvenRunThatMoved_CountsTheLossAfterItAlone(bool byCheckpoint)
    {
        EntityDriver driver = EntityDriver.Training().Elsewhere(2);
        driver.Start();
        driver = driver.Elsewhere(3, 3);
        driver.State.NodeLosses.ShouldBe(2);
        driver.Start();
        Prove(driver, byCheckpoint);
        driver.Do(driver.Entity.Releasing(5, EntityDriver.There, "migration", driver.Now));
        SaveCheckpoint save = driver.Stage(20, "migration").AfterCommit.OfType<SaveCheckpoint>().Single();
        driver.Exit(0);
        driver.Stored(save);
        driver.State.Status.ShouldBe(TaskStatus.Pending);
        (driver.State.NodeLosses, driver.State.Alone).ShouldBe((0, false));

        driver = driver.Elsewhere(5, 5);
        driver.Start();
        driver.State.Alone.ShouldBeFalse();
        driver = driver.Elsewhere(6, 6);
        (driver.State.NodeLosses, driver.State.Status).ShouldBe((1, TaskStatus.Pending));
    }

    [Fact]
    public void Activated_WhileRetrying_WaitsForTheDelay()
    {
        EntityDriver driver = EntityDriver.Training();
        driver.Exit(1);
        TimeSpan delay = driver.State.RetryDelay!.Value;
        EntityDriver next = driver.Elsewhere(2);
        next.Entity.WantsSlots(next.Now + delay - TimeSpan.FromMilliseconds(1)).ShouldBeFalse();
        next.Entity.WantsSlots(next.Now + delay).ShouldBeTrue();
    }

    private static void Prove(EntityDriver driver, bool byCheckpoint)
    {
        if (byCheckpoint)
        {
            driver.Save(10);
        }
        else
        {
            driver.Tick(60);
        }
    }
}
