using ActorTrainer.Core.Tasks;

namespace ActorTrainer.Core.Tests.Tasks;

/// <summary>Workers that are made ready on a node before the task is that node's.</summary>
public sealed class TaskEntityWarmTests
{
    [Fact]
    public void Warm_ThenActivatedWithTheSameCheckpoint_BeginsAtOnce()
    {
        EntityDriver source = EntityDriver.Training();
        string name = source.Save(10);
        EntityDriver next = Warmed(source, out RunKey run);
        next.Entity.IsWarm.ShouldBeTrue();
        (next.Entity.Term, next.Log.Count).ShouldBe((0, 0));
        HandedOver(source, next, saveAt: null);
        EntityStep go = next.Do(next.Entity.Continue(next.Now));
        go.Persist.ShouldBe([new TaskStarted(2, 2, EntityDriver.Here, 77, name, 10)]);
        go.AfterCommit.ShouldHaveSingleItem().ShouldBeOfType<BeginTraining>().Run.ShouldBe(run);
    }

    [Fact]
    public void Warm_ThenActivatedWithANewerCheckpoint_RestoresThatFirst()
    {
        EntityDriver source = EntityDriver.Training();
        source.Save(10);
        EntityDriver next = Warmed(source, out RunKey run);
        HandedOver(source, next, saveAt: 20);
        EntityStep go = next.Do(next.Entity.Continue(next.Now));
        ShouldRestoreAndBegin(next, run, go, step: 20);
    }

    /// <summary>The node was lost after another checkpoint, and the restore of the one before ends after the task was recovered.</summary>
    [Fact]
    public void Warm_RestoredLateAfterTheRecovery_DoesNotBeginFromTheOlderCheckpoint()
    {
        EntityDriver source = EntityDriver.Training();
        string older = source.Save(10);
        EntityDriver next = Restoring(source, out RunKey run);
        source.Save(20);
        next.Entity.Recover(source.State, []);
        next.Do(next.Entity.Recovered(next.Now));

        next.Happens(new CheckpointRestored(run, older)).IsNothing.ShouldBeTrue("it has no slots, and a newer checkpoint");
        next.Do(next.Entity.Activate(next.Now));
        ShouldRestoreAndBegin(next, run, next.Do(next.Entity.Grant(next.Now)), step: 20);
    }

    [Fact]
    public void Warm_DamageFoundBeforeTheTerm_IsOnlyPersistedUnderIt()
    {
        EntityDriver source = EntityDriver.Training();
        string name = source.Save(10);
        EntityDriver next = Restoring(source, out RunKey run);
        next.Happens(new CheckpointUnreadable(run, name, true, "missing")).IsNothing.ShouldBeTrue();
        next.Entity.IsWarm.ShouldBeFalse();
        HandedOver(source, next, saveAt: null);
        next.Do(next.Entity.Continue(next.Now)).IsNothing.ShouldBeTrue();
        next.Tick(1).AfterCommit.ShouldHaveSingleItem().ShouldBeOfType<RestoreCheckpoint>();
        next.Happens(new CheckpointUnreadable(run, name, true, "missing")).Persist[0].ShouldBe(new TaskCheckpointDamaged(name, "missing"));
    }

    [Fact]
    public void Warm_Command_WaitsWithItsStartForTheTerm()
    {
        EntityDriver source = EntityDriver.Training(EntityDriver.Command());
        EntityDriver next = new(2) { Now = source.Now };
        next.Do(next.Entity.Warm(source.State.Spec, null, 2, 2, next.Now)).IsNothing.ShouldBeTrue();
        next.Entity.IsWarm.ShouldBeTrue();
        HandedOver(source, next, saveAt: null);
        next.Do(next.Entity.Continue(next.Now))
            .AfterCommit.ShouldHaveSingleItem()
            .ShouldBeOfType<StartWorker>()
            .Run.ShouldBe(new RunKey(EntityDriver.Id, 2, 2));
    }

    [Fact]
    public void Activated_WarmedForATermThatNeverCame_DropsTheWorkerAndStartsAnew()
    {
        EntityDriver source = EntityDriver.Training();
        source.Save(10);
        EntityDriver next = Warmed(source, out RunKey run);
        next.Log.AddRange(source.Log);
        next.Entity.Recover(null, source.Log);
        EntityStep activated = next.Do(next.Entity.Activated(5, next.Now));
        activated.AfterCommit.ShouldBe([new StopWorker(run, TimeSpan.Zero), new ListStoreFiles(EntityDriver.Id, 5)]);
        next.Do(next.Entity.Continue(next.Now)).IsNothing.ShouldBeTrue();
        next.Grant();
        next.Run.Term.ShouldBe(5);
    }

    [Fact]
    public void Continue_TaskWasPausedMeanwhile_DropsTheWarmedWorker()
    {
        EntityDriver source = EntityDriver.Training();
        source.Save(10);
        EntityDriver next = Warmed(source, out RunKey run);
        source.Tell(new PauseTask());
        HandedOver(source, next, saveAt: null);
        next.Do(next.Entity.Continue(next.Now)).AfterCommit.ShouldBe([new StopWorker(run, TimeSpan.Zero)]);
        next.Entity.IsIdle.ShouldBeTrue();
    }

    [Fact]
    public void Warm_WorkerDiesBeforeTheTerm_IsForgotten()
    {
        EntityDriver source = EntityDriver.Training();
        source.Save(10);
        EntityDriver next = Warmed(source, out RunKey run);
        next.Happens(new WorkerExited(run, null, 9, null, [])).IsNothing.ShouldBeTrue();
        (next.Entity.IsWarm, next.Entity.IsIdle).ShouldBe((false, true));
    }

    private static EntityDriver Warmed(EntityDriver source, out RunKey run)
    {
        EntityDriver next = Restoring(source, out run);
        next.Entity.IsWarm.ShouldBeFalse();
        next.Happens(new CheckpointRestored(run, source.State.LastUsable!.Name)).IsNothing.ShouldBeTrue();
        return next;
    }

    /// <summary>Its worker is ready, and the checkpoint is still being restored.</summary>
    private static EntityDriver Restoring(EntityDriver source, out RunKey run)
    {
        EntityDriver next = new(2) { Now = source.Now };
        EntityStep warm = next.Do(next.Entity.Warm(source.State.Spec, source.State.LastUsable, 2, source.State.Runs + 1, next.Now));
        run = warm.AfterCommit.OfType<StartWorker>().Single().Run;
        next.Take(run);
        next.Happens(new WorkerStarted(run, 77));
        next.Happens(new WorkerReady(run)).IsNothing.ShouldBeTrue();
        return next;
    }

    private static void ShouldRestoreAndBegin(EntityDriver next, RunKey run, EntityStep go, long step)
    {
        RestoreCheckpoint restore = go.AfterCommit.ShouldHaveSingleItem().ShouldBeOfType<RestoreCheckpoint>();
        restore.Checkpoint.Step.ShouldBe(step);
        next.Happens(new CheckpointRestored(run, restore.Checkpoint.Name))
            .Persist.ShouldHaveSingleItem()
            .ShouldBeOfType<TaskStarted>()
            .RestoredStep.ShouldBe(step);
    }

    /// <summary>The source lets go and the destination recovers what it left behind.</summary>
    private static void HandedOver(EntityDriver source, EntityDriver next, long? saveAt)
    {
        source.Do(source.Entity.Releasing(2, EntityDriver.There, "migration", source.Now));
        if (saveAt is long step)
        {
            source.Save(step, "migration");
        }
        else
        {
            source.Happens(new WorkerStageFailed(source.Run, "migration", "no time"));
        }

        source.Exit(0).Release.ShouldBeTrue();
        next.Entity.Recover(null, source.Log);
        next.Do(next.Entity.Activated(2, next.Now)).AfterCommit.ShouldBe([new ListStoreFiles(EntityDriver.Id, 2)]);
    }
}
