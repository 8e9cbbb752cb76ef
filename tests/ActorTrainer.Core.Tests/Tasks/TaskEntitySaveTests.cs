using ActorTrainer.Core.Checkpoints;
using ActorTrainer.Core.Tasks;
using TaskStatus = ActorTrainer.Core.Tasks.TaskStatus;

namespace ActorTrainer.Core.Tests.Tasks;

/// <summary>From a staged state to a checkpoint, and away again.</summary>
public sealed class TaskEntitySaveTests
{
    [Fact]
    public void On_Staged_IsSavedThenListedThenReleased()
    {
        EntityDriver driver = EntityDriver.Training();
        EntityStep staged = driver.Stage(10);
        SaveCheckpoint save = staged.AfterCommit.ShouldHaveSingleItem().ShouldBeOfType<SaveCheckpoint>();
        staged.Persist.ShouldBeEmpty();
        save.Name.ShouldStartWith("c-1-10-");
        driver.State.Checkpoints.ShouldBeEmpty();
        EntityStep stored = driver.Stored(save);
        stored.Persist.ShouldHaveSingleItem().ShouldBeOfType<TaskCheckpointed>().Checkpoint.Name.ShouldBe(save.Name);
        stored.AfterCommit.ShouldBe([new ReleaseStaged(driver.Run, save.State.Id)]);
        driver.State.LastUsable!.Name.ShouldBe(save.Name);
        driver.Stored(save).IsNothing.ShouldBeTrue();
    }

    [Fact]
    public void On_StagedWhileSaving_IsSavedNextAndMayUseTheChunksOfTheOneBefore()
    {
        EntityDriver driver = EntityDriver.Training();
        SaveCheckpoint first = driver.Stage(10).AfterCommit.OfType<SaveCheckpoint>().Single();
        driver.Stage(20).AfterCommit.ShouldBeEmpty();
        driver.Stage(30).AfterCommit.ShouldBeEmpty();
        SaveCheckpoint second = driver.Stored(first).AfterCommit.OfType<SaveCheckpoint>().ShouldHaveSingleItem();
        second.State.Step.ShouldBe(20);
        second.Listed.Select(c => c.Name).ShouldBe([first.Name]);
        driver.Stored(second).AfterCommit.OfType<SaveCheckpoint>().Single().Listed.Select(c => c.Name).ShouldBe([second.Name, first.Name]);
    }

    [Fact]
    public void On_StoredBeyondKeepLast_CondemnsTheOldestAndOffersItToNobody()
    {
        EntityDriver driver = EntityDriver.Training(EntityDriver.Trainer(s => s with { Checkpoint = new CheckpointSpec { KeepLast = 1 } }));
        string first = driver.Save(10);
        SaveCheckpoint second = driver.Stage(20).AfterCommit.OfType<SaveCheckpoint>().Single();
        driver.Stage(30);
        EntityStep stored = driver.Stored(second);
        stored.Persist.OfType<TaskCheckpointRemoved>().ShouldBe([new TaskCheckpointRemoved(first, "keep-last")]);
        string[] files = [CheckpointNames.ManifestFile(first), CheckpointNames.PackFile(first)];
        stored.Persist.OfType<TaskPacksCondemned>().Single().Packs.ShouldBe(files);
        stored.AfterCommit.OfType<UnlinkStoreFiles>().Single().Files.ShouldBe(files);
        stored.AfterCommit.OfType<SaveCheckpoint>().Single().Listed.Select(c => c.Name).ShouldBe([second.Name]);
        driver.State.Checkpoints.Select(c => c.Checkpoint.Name).ShouldBe([second.Name]);
    }

    [Fact]
    public void Protect_CheckpointThatAnotherNodeRestores_OutlivesKeepLast()
    {
        EntityDriver driver = EntityDriver.Training(EntityDriver.Trainer(s => s with { Checkpoint = new CheckpointSpec { KeepLast = 1 } }));
        string first = driver.Save(10);
        driver.Entity.Protect(first);
        string second = driver.Save(20);
        driver.State.Checkpoints.Select(c => c.Checkpoint.Name).ShouldBe([second, first]);
        driver.Entity.Protect(null);
        string third = driver.Save(30);
        driver.State.Checkpoints.Select(c => c.Checkpoint.Name).ShouldBe([third]);
    }

    [Fact]
    public void On_StoredWhileTheRunStandsOnAnOlderOne_KeepsWhatItWasRestoredFrom()
    {
        EntityDriver driver = EntityDriver.Training(EntityDriver.Trainer(s => s with { Checkpoint = new CheckpointSpec { KeepLast = 1 } }));
        string first = driver.Save(10);
        driver.Exit(1);
        driver.Tick(10);
        driver.Start();
        string second = driver.Save(20);
        driver.State.Checkpoints.Select(c => c.Checkpoint.Name).ShouldBe([second, first]);
    }

    [Fact]
    public void On_WarningOfARun_IsJournaledAndChangesNothing()
    {
        EntityDriver driver = EntityDriver.Training();
        TaskState before = driver.State;

        EntityStep warned = driver.Happens(new WorkerWarned(driver.Run, "'data' is a link that leads out"));

        warned.Persist.ShouldBe([new TaskWarned("'data' is a link that leads out")]);
        warned.AfterCommit.ShouldBeEmpty();
        (driver.State.Status, driver.State.Detail).ShouldBe((before.Status, before.Detail));
    }

    [Fact]
    public void On_WarningOfARun_IsShownUntilItIsSettled()
    {
        EntityDriver driver = EntityDriver.Training();

        driver.Happens(new WorkerWarned(driver.Run, "'data' is a link that leads out"));
        driver.Save(9);
        driver.State.Summarize(3).Warning.ShouldBe("'data' is a link that leads out", "the next checkpoint does not have it either");

        driver.Happens(new WorkerWarned(driver.Run, "no checkpoint: 'a' is cut short"));
        driver.State.Summarize(3).Warning.ShouldBe("no checkpoint: 'a' is cut short");
        driver.Save(10);
        driver.State.Summarize(3).Warning.ShouldBeNull();

        driver.Happens(new WorkerWarned(driver.Run, "'data' is a link that leads out"));
        driver.Exit(1);
        driver.State.Warning.ShouldNotBeNull();
        driver.Tick(10);
        driver.Start();
        driver.State.Warning.ShouldBeNull("a run says it anew");
    }

    [Fact]
    public void On_StoreFailedWhileTraining_SaysSoAndTrainsOn()
    {
        EntityDriver driver = EntityDriver.Training();
        SaveCheckpoint save = driver.Stage(10).AfterCommit.OfType<SaveCheckpoint>().Single();
        driver.Stage(20);
        EntityStep failed = driver.StoreFails(save);
        failed.Persist.ShouldBe([new TaskCheckpointFailed("interval", "disk full")]);
        failed.AfterCommit[0].ShouldBe(new ReleaseStaged(driver.Run, save.State.Id));
        failed.AfterCommit[1].ShouldBeOfType<SaveCheckpoint>().State.Step.ShouldBe(20);
        driver.StoreFails(save).IsNothing.ShouldBeTrue();
        driver.State.Status.ShouldBe(TaskStatus.Running);
    }

    [Fact]
    public void On_StoreFailsFinal_AsksUntilItTakesIt()
    {
        EntityDriver driver = EntityDriver.Training();
        SaveCheckpoint save = driver.Stage(1000, "final").AfterCommit.OfType<SaveCheckpoint>().Single();
        driver.Done();
        driver.Exit(0);
        driver.StoreFails(save).Persist.ShouldBe([new TaskCheckpointFailed("final", "disk full")]);
        for (int i = 0; i < 20; i++)
        {
            driver.Tick(0.5).IsNothing.ShouldBeTrue();
            save = driver.Tick(0.5).AfterCommit.ShouldHaveSingleItem().ShouldBeOfType<SaveCheckpoint>();
            driver.StoreFails(save).IsNothing.ShouldBeTrue();
        }

        driver.Entity.IsIdle.ShouldBeFalse();
        save = driver.Tick(1).AfterCommit.OfType<SaveCheckpoint>().Single();
        driver.StoreFails(save, "another trouble").Persist.ShouldBe([new TaskCheckpointFailed("final", "another trouble")]);
        save = driver.Tick(1).AfterCommit.OfType<SaveCheckpoint>().Single();
        driver.Stored(save);
        driver.State.Status.ShouldBe(TaskStatus.Completed);
    }

    [Fact]
    public void On_StoreFailsAfterTheRunEnded_KeepsTheStateAndOnlyThenRetries()
    {
        EntityDriver driver = EntityDriver.Training();
        SaveCheckpoint save = driver.Stage(10).AfterCommit.OfType<SaveCheckpoint>().Single();
        driver.Exit(1).IsNothing.ShouldBeTrue();
        driver.StoreFails(save).AfterCommit.ShouldBeEmpty();
        driver.State.Status.ShouldBe(TaskStatus.Running);
        save = driver.Tick(1).AfterCommit.OfType<SaveCheckpoint>().Single();
        driver.Stored(save).Persist.Select(e => e.GetType()).ShouldBe([typeof(TaskCheckpointed), typeof(TaskRetryScheduled)]);
        driver.State.LastUsable!.Step.ShouldBe(10);
    }

    [Fact]
    public void On_StageFailed_IsRecordedForTrainersOnly()
    {
        EntityDriver trainer = EntityDriver.Training();
        trainer
            .Happens(new WorkerStageFailed(trainer.Run, "request", "no space"))
            .Persist.ShouldBe([new TaskCheckpointFailed("request", "no space")]);
        EntityDriver command = EntityDriver.Training(EntityDriver.Command());
        command.Happens(new WorkerStageFailed(command.Run, "files", "no space")).IsNothing.ShouldBeTrue();
    }

    [Fact]
    public void On_Save_AsksTheWorkerOfATrainerOnly()
    {
        EntityDriver trainer = EntityDriver.Training();
        trainer.Tell(new SaveTask()).AfterCommit.ShouldBe([new RequestStaging(trainer.Run, "request")]);
        EntityDriver command = EntityDriver.Training(EntityDriver.Command());
        command.Tell(new SaveTask()).Reply.ShouldBeOfType<CommandRefused>().Reason.ShouldContain("ACTORTRAINER_CHECKPOINT_DIR");
    }

    [Fact]
    public void On_StoreFiles_CondemnsWhatEarlierTermsLeftBehind()
    {
        EntityDriver driver = EntityDriver.Training();
        string kept = driver.Save(10);
        EntityDriver next = driver.Elsewhere(2);
        string[] files = [CheckpointNames.PackFile(kept), "packs/c-1-20-aaaaaaaa.pack", "packs/c-2-30-bbbbbbbb.pack"];
        next.Happens(new StoreFilesListed(EntityDriver.Id, 1, files)).IsNothing.ShouldBeTrue();
        EntityStep step = next.Happens(new StoreFilesListed(EntityDriver.Id, 2, files));
        step.Persist.ShouldHaveSingleItem().ShouldBeOfType<TaskPacksCondemned>().Packs.ShouldBe(["packs/c-1-20-aaaaaaaa.pack"]);
        step.AfterCommit.ShouldHaveSingleItem().ShouldBeOfType<UnlinkStoreFiles>().Files.ShouldBe(["packs/c-1-20-aaaaaaaa.pack"]);
        next.Happens(new StoreFilesListed(EntityDriver.Id, 2, files[..1])).IsNothing.ShouldBeTrue();
    }
}
