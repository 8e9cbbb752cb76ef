using ActorTrainer.Core.Checkpoints;
using ActorTrainer.Core.Tasks;

namespace ActorTrainer.Core.Tests.Tasks;

/// <summary>Now and then a save shares no chunk with former ones.</summary>
public sealed class TaskEntityFullSaveTests
{
    private static readonly DateTimeOffset Start = new(2026, 3, 4, 5, 0, 0, TimeSpan.Zero);

    private long _step;

    [Fact]
    public void On_Staged_OneOfAsManySavesAsWasSaidIsFull()
    {
        EntityDriver driver = Training(new CheckpointSpec { FullEverySaves = 3 });
        bool[] full = [.. Enumerable.Range(0, 8).Select(_ => Save(driver).Full)];
        // The first has nothing to share anyway.
        full.ShouldBe([false, false, false, true, false, false, true, false]);
    }

    [Fact]
    public void On_Staged_FullSaveStillSaysWhichCheckpointsThereAre()
    {
        EntityDriver driver = Training(new CheckpointSpec { FullEverySaves = 1 });
        Save(driver);
        SaveCheckpoint save = Save(driver);
        save.Full.ShouldBeTrue();
        save.Listed.ShouldHaveSingleItem();
    }

    [Fact]
    public void On_Stored_OfAFullSave_SaysWhyItSharesNothing()
    {
        EntityDriver driver = Training(new CheckpointSpec { FullEverySaves = 2 });
        Save(driver);
        Save(driver);
        Save(driver);
        driver.Log.OfType<TaskCheckpointed>().Select(e => e.Full).ShouldBe([null, null, "one of 2 saves does so"]);
        driver.State.SinceFull.ShouldBe(new SinceFull(0, Start + driver.Now));
    }

    [Fact]
    public void On_Staged_AfterThatTime_IsFullWhateverWasSavedMeanwhile()
    {
        EntityDriver driver = Training(new CheckpointSpec { FullEverySaves = 0, FullEvery = TimeSpan.FromHours(1) });
        Save(driver).Full.ShouldBeFalse();
        driver.Now += TimeSpan.FromMinutes(59);
        Save(driver).Full.ShouldBeFalse();
        driver.Now += TimeSpan.FromMinutes(1);
        Save(driver).Full.ShouldBeTrue();
        driver.Log.OfType<TaskCheckpointed>().Last().Full.ShouldBe("the last that did so is 1 h old");
        Save(driver).Full.ShouldBeFalse();
    }

    [Fact]
    public void On_Staged_Defaults_AreTwentySavesOrADay()
    {
        EntityDriver driver = Training(new CheckpointSpec());
        bool[] full = [.. Enumerable.Range(0, 21).Select(_ => Save(driver).Full)];
        full.Count(one => one).ShouldBe(1);
        full[20].ShouldBeTrue();
        driver.Now += TimeSpan.FromDays(1);
        Save(driver).Full.ShouldBeTrue();
    }

    [Fact]
    public void On_Staged_OffByTheTask_NeverIsFull()
    {
        EntityDriver driver = Training(new CheckpointSpec { FullEverySaves = 0, FullEvery = TimeSpan.Zero });
        Enumerable.Range(0, 30).Count(_ => Save(driver).Full).ShouldBe(0);
        driver.Now += TimeSpan.FromDays(30);
        Save(driver).Full.ShouldBeFalse();
    }

    [Fact]
    public void On_Staged_FullByItself_CountsAsOne()
    {
        EntityDriver driver = Training(new CheckpointSpec { FullEverySaves = 3 });
        Save(driver);
        Save(driver);
        Save(driver, shares: false).Full.ShouldBeFalse();
        Save(driver).Full.ShouldBeFalse();
        Save(driver).Full.ShouldBeFalse();
        Save(driver).Full.ShouldBeTrue();
    }

    [Fact]
    public void On_StoreFailed_OfAFullSave_TheNextIsFull()
    {
        EntityDriver driver = Training(new CheckpointSpec { FullEverySaves = 2 });
        Save(driver);
        Save(driver);
        SaveCheckpoint full = Stage(driver);
        full.Full.ShouldBeTrue();
        driver.StoreFails(full);
        Save(driver).Full.ShouldBeTrue();
    }

    /// <summary>Another node knows only what the journal says: the time of the newest checkpoint.</summary>
    [Fact]
    public void On_Staged_OnAnotherNode_CountsOn()
    {
        EntityDriver driver = Training(new CheckpointSpec { FullEverySaves = 3, FullEvery = TimeSpan.FromHours(1) });
        Save(driver);
        Save(driver);
        EntityDriver next = driver.Elsewhere(term: 2);
        next.Start();
        Save(next).Full.ShouldBeFalse();
        Save(next).Full.ShouldBeTrue();

        next.Now += TimeSpan.FromHours(2);
        next.Log.OfType<TaskCheckpointed>().Last().Full.ShouldBe("one of 3 saves does so");
        EntityDriver third = next.Elsewhere(term: 3);
        third.Start();
        Save(third).Full.ShouldBeFalse();
        Save(third).Full.ShouldBeTrue();
        third.Log.OfType<TaskCheckpointed>().Last().Full.ShouldBe("the last that did so is 1 h old");
    }

    private static EntityDriver Training(CheckpointSpec spec) =>
        EntityDriver.Training(EntityDriver.Trainer(task => task with { Checkpoint = spec }));

    private SaveCheckpoint Stage(EntityDriver driver) =>
        driver.Stage(_step += 10).AfterCommit.OfType<SaveCheckpoint>().ShouldHaveSingleItem();

    /// <summary>A save that shares chunks with the one before, unless it is full or there is none.</summary>
    private SaveCheckpoint Save(EntityDriver driver, bool shares = true)
    {
        SaveCheckpoint save = Stage(driver);
        CheckpointRef stored = EntityDriver.Ref(save.Name, save.State.Step) with { SavedAt = Start + driver.Now };
        if (shares && !save.Full && save.Listed.Count > 0)
        {
            stored = stored with { Packs = [.. stored.Packs, .. save.Listed[0].Packs.Take(1)] };
        }

        driver.Happens(new CheckpointStored(save.Run, save.State.Id, stored));
        return save;
    }
}
