using ActorTrainer.Core.Tasks;
using TaskStatus = ActorTrainer.Core.Tasks.TaskStatus;

namespace ActorTrainer.Core.Tests.Tasks;

/// <summary>States of commands that the store could not take: a script does not save the same state again.</summary>
public sealed class TaskEntityRefusedSaveTests
{
    private static readonly double Pause = TaskEntity.AgainWhileRunning.TotalSeconds;

    private readonly EntityDriver _driver = EntityDriver.Training(EntityDriver.Command());

    [Fact]
    public void On_StoreFailsBeforeTheCommandEnds_CompletesOnlyWithItsLastState()
    {
        SaveCheckpoint save = Stage(3);
        EntityStep failed = _driver.StoreFails(save);
        failed.Persist.ShouldBe([new TaskCheckpointFailed("files", "disk full")]);
        failed.AfterCommit.ShouldBeEmpty("it is kept");

        EntityStep exited = _driver.Exit(0);
        exited.Persist.ShouldBeEmpty();
        save = exited.AfterCommit.ShouldHaveSingleItem().ShouldBeOfType<SaveCheckpoint>();
        save.State.Step.ShouldBe(3);
        _driver.StoreFails(save).Persist.ShouldHaveSingleItem().ShouldBeOfType<TaskWarned>().Detail.ShouldContain("waits for the store");
        _driver.State.Status.ShouldBe(TaskStatus.Running);
        _driver.State.Summarize(3).Warning.ShouldNotBeNull();
        for (int i = 0; i < 20; i++)
        {
            _driver.Tick(0.5).IsNothing.ShouldBeTrue();
            save = _driver.Tick(0.5).AfterCommit.ShouldHaveSingleItem().ShouldBeOfType<SaveCheckpoint>();
            _driver.StoreFails(save).IsNothing.ShouldBeTrue();
        }

        save = _driver.Tick(1).AfterCommit.OfType<SaveCheckpoint>().Single();
        EntityStep stored = _driver.Stored(save);
        stored.Persist.Select(e => e.GetType()).ShouldBe([typeof(TaskCheckpointed), typeof(TaskCompleted)]);
        stored.AfterCommit.ShouldBe([new ReleaseStaged(_driver.Run, save.State.Id)]);
        _driver.State.Status.ShouldBe(TaskStatus.Completed);
        _driver.State.LastUsable!.Step.ShouldBe(3);
        _driver.State.Summarize(3).Warning.ShouldBeNull();
        _driver.Entity.IsIdle.ShouldBeTrue();
    }

    /// <summary>Files that nobody can read: a task does not keep its slot for them.</summary>
    [Fact]
    public void On_StateCannotBeRead_IsGivenUpAndSaid()
    {
        SaveCheckpoint save = Stage(3);
        _driver.Exit(0);
        EntityStep failed = _driver.Happens(
            new CheckpointStoreFailed(save.Run, save.State.Id, "it cannot be read") { IsOfTheState = true }
        );

        failed.Persist.Select(e => e.GetType()).ShouldBe([typeof(TaskCheckpointFailed), typeof(TaskCompleted)]);
        _driver.State.Status.ShouldBe(TaskStatus.Completed);
    }

    [Fact]
    public void On_StoreFailsAsTheCommandFails_KeepsItsLastStateForTheNextRun()
    {
        _driver.StoreFails(Stage(3));
        SaveCheckpoint save = _driver.Exit(1).AfterCommit.OfType<SaveCheckpoint>().ShouldHaveSingleItem();
        _driver.Stored(save).Persist.Select(e => e.GetType()).ShouldBe([typeof(TaskCheckpointed), typeof(TaskRetryScheduled)]);
    }

    [Fact]
    public void Tick_AfterAFailureWhileTheCommandRuns_OffersTheStateAgainNowAndThen()
    {
        SaveCheckpoint save = Stage(3);
        _driver.StoreFails(save);
        _driver.Tick(Pause - 1).IsNothing.ShouldBeTrue();
        save = _driver.Tick(1).AfterCommit.OfType<SaveCheckpoint>().ShouldHaveSingleItem();
        _driver.StoreFails(save).IsNothing.ShouldBeTrue("the same is said once");
        save = _driver.Tick(Pause).AfterCommit.OfType<SaveCheckpoint>().ShouldHaveSingleItem();
        _driver.Stored(save);
        _driver.State.LastUsable!.Step.ShouldBe(3);
        _driver.Tick(Pause).IsNothing.ShouldBeTrue();
    }

    [Fact]
    public void On_StoreFailsForTheSameReason_SaysSoOnceWhateverTheNameOfTheAttempt()
    {
        SaveCheckpoint save = Stage(3);
        _driver.StoreFails(save, $"{save.Name}: disk full").Persist.ShouldHaveSingleItem();
        save = _driver.Exit(0).AfterCommit.OfType<SaveCheckpoint>().Single();
        _driver.StoreFails(save, $"{save.Name}: disk full").Persist.ShouldHaveSingleItem().ShouldBeOfType<TaskWarned>();
        save = _driver.Tick(1).AfterCommit.OfType<SaveCheckpoint>().Single();
        _driver.StoreFails(save, $"{save.Name}: disk full").IsNothing.ShouldBeTrue();
        save = _driver.Tick(1).AfterCommit.OfType<SaveCheckpoint>().Single();
        _driver.StoreFails(save, $"{save.Name}: read-only").Persist.ShouldHaveSingleItem().ShouldBeOfType<TaskCheckpointFailed>();
    }

    [Fact]
    public void On_NewerStateAfterAFailure_TakesThePlaceOfTheOneThatIsKept()
    {
        SaveCheckpoint first = Stage(3);
        _driver.StoreFails(first);
        EntityStep staged = _driver.Stage(4, "files");
        staged.AfterCommit[0].ShouldBe(new ReleaseStaged(_driver.Run, first.State.Id));
        SaveCheckpoint second = staged.AfterCommit[1].ShouldBeOfType<SaveCheckpoint>();
        staged.AfterCommit.Count.ShouldBe(2);
        second.State.Step.ShouldBe(4);
        _driver.StoreFails(second).Persist.ShouldBe([new TaskCheckpointFailed("files", "disk full")], "it is another save that is missing");
    }

    [Fact]
    public void On_NewerStateWhileTheKeptOneIsOffered_IsSavedNext()
    {
        SaveCheckpoint first = Stage(3);
        _driver.StoreFails(first);
        first = _driver.Tick(Pause).AfterCommit.OfType<SaveCheckpoint>().ShouldHaveSingleItem();
        _driver.Stage(4, "files").AfterCommit.ShouldBeEmpty();
        EntityStep failed = _driver.StoreFails(first);
        failed.Persist.ShouldBeEmpty("that was said");
        failed.AfterCommit[0].ShouldBe(new ReleaseStaged(_driver.Run, first.State.Id));
        failed.AfterCommit[1].ShouldBeOfType<SaveCheckpoint>().State.Step.ShouldBe(4);
    }

    [Fact]
    public void On_CancelWhileTheLastStateWaits_GivesItUp()
    {
        _driver.StoreFails(Stage(3));
        SaveCheckpoint save = _driver.Exit(0).AfterCommit.OfType<SaveCheckpoint>().Single();
        _driver.StoreFails(save);
        _driver.Tell(new CancelTask());
        save = _driver.Tick(1).AfterCommit.OfType<SaveCheckpoint>().Single();
        _driver.StoreFails(save).AfterCommit.ShouldBe([new ReleaseStaged(_driver.Run, save.State.Id)]);
        _driver.State.Status.ShouldBe(TaskStatus.Cancelled);
        _driver.Entity.IsIdle.ShouldBeTrue();
    }

    [Fact]
    public void Releasing_WhileTheLastStateWaits_AsksOnceMoreAndLetsGo()
    {
        _driver.StoreFails(Stage(3));
        _driver.Do(_driver.Entity.Releasing(2, EntityDriver.There, "drain", _driver.Now));
        SaveCheckpoint save = _driver.Exit(0).AfterCommit.OfType<SaveCheckpoint>().ShouldHaveSingleItem();
        EntityStep failed = _driver.StoreFails(save);
        failed.Release.ShouldBeTrue();
        failed.Persist.OfType<TaskInterrupted>().ShouldHaveSingleItem().Reason.ShouldBe(InterruptionReason.Migrated);
    }

    private SaveCheckpoint Stage(long step) => _driver.Stage(step, "files").AfterCommit.OfType<SaveCheckpoint>().ShouldHaveSingleItem();
}
