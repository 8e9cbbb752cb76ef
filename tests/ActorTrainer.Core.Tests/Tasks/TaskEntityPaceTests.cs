using ActorTrainer.Core.Checkpoints;
using ActorTrainer.Core.Tasks;
using TaskStatus = ActorTrainer.Core.Tasks.TaskStatus;

namespace ActorTrainer.Core.Tests.Tasks;

/// <summary>How a task learns at which pace to save.</summary>
public sealed class TaskEntityPaceTests
{
    [Fact]
    public void On_FirstSave_PacesTheTaskByWhatItCostAndTellsTheWorker()
    {
        EntityDriver driver = EntityDriver.Training(Paced());
        EntityStep step = Save(driver, 10, stall: 0.02, commit: 0.5);
        SavePace pace = new(
            TimeSpan.FromSeconds(58.792),
            SavePaceReason.Balance,
            TimeSpan.FromSeconds(0.02),
            TimeSpan.Zero,
            TimeSpan.FromSeconds(0.5),
            TimeSpan.FromSeconds(10.5),
            Losses: 0
        );
        step.Persist.OfType<TaskSavesPaced>().ShouldHaveSingleItem().ShouldBe(new TaskSavesPaced(null, pace));
        step.Persist.OfType<TaskCheckpointed>().ShouldHaveSingleItem().Trained.ShouldBe(TimeSpan.FromSeconds(10.5));
        step.AfterCommit.OfType<PaceSaves>().ShouldHaveSingleItem().ShouldBe(new PaceSaves(driver.Run, pace.Interval));
        (driver.State.Pace, driver.State.Summarize(0).Pace).ShouldBe((pace, pace));
    }

    [Theory]
    [InlineData(CheckpointStrategy.Adaptive, true)]
    [InlineData(CheckpointStrategy.Hybrid, true)]
    [InlineData(CheckpointStrategy.Interval, false)]
    [InlineData(CheckpointStrategy.Epoch, false)]
    [InlineData(CheckpointStrategy.Event, false)]
    public void On_Save_IsPacedWhereTheStrategyIs(CheckpointStrategy strategy, bool paced)
    {
        EntityDriver driver = EntityDriver.Training(Paced(s => s with { Strategy = strategy }));
        EntityStep step = Save(driver, 10, stall: 0.02, commit: 0.5);
        (step.Persist.OfType<TaskSavesPaced>().Any(), step.AfterCommit.OfType<PaceSaves>().Any()).ShouldBe((paced, paced));
        (step.Persist.OfType<TaskCheckpointed>().Single().Trained is not null).ShouldBe(paced);
    }

    [Fact]
    public void On_SaveOfAWorkerThatDoesNotSayTheStall_DecidesNothing()
    {
        EntityDriver driver = EntityDriver.Training(Paced());
        driver.Save(10);
        driver.State.Pace.ShouldBeNull();
        driver.Log.OfType<TaskCheckpointed>().Single().Trained.ShouldBeNull();
    }

    [Fact]
    public void On_ManyAlikeSaves_ArePacedOnceAfterTheFirstWarmOne()
    {
        EntityDriver driver = EntityDriver.Training(Paced());
        double[] stalls = [0.5, .. Enumerable.Range(0, 60).Select(i => 0.02 + (0.004 * (i % 3)))];
        foreach ((int i, double stall) in stalls.Index())
        {
            Save(driver, i + 1, stall, commit: 0.4 + (0.1 * (i % 2)));
        }

        TaskSavesPaced[] paced = [.. driver.Log.OfType<TaskSavesPaced>()];
        paced.Length.ShouldBe(2, "the first save is cold, the second one tells; the journal does not grow with the others");
        paced[1].From.ShouldBe(paced[0].Pace.Interval);
        (paced[0].Pace.Stall, paced[1].Pace.Stall).ShouldBe((TimeSpan.FromSeconds(0.5), TimeSpan.FromSeconds(0.02)));
    }

    [Fact]
    public void On_SavesThatBecomeDear_SlowDownUntilTheOverheadIsWithinItsBound()
    {
        EntityDriver driver = EntityDriver.Training(Paced(s => s with { Interval = TimeSpan.FromSeconds(2) }));
        foreach (int i in Enumerable.Range(1, 40))
        {
            Save(driver, i, stall: i < 10 ? 0.001 : 0.2, commit: 0.3);
        }

        driver.Log.OfType<TaskSavesPaced>().First().Pace.Reason.ShouldBe(SavePaceReason.Longest);
        SavePace last = driver.State.Pace.ShouldNotBeNull();
        last.Reason.ShouldBe(SavePaceReason.Overhead);
        (0.2 / last.Interval.TotalSeconds).ShouldBeLessThanOrEqualTo(0.01);
    }

    [Fact]
    public void On_DragOfTheWorker_CountsAsCost()
    {
        EntityDriver driver = EntityDriver.Training(Paced());
        Save(driver, 1, stall: 0.02, commit: 0.5);
        Save(driver, 2, stall: 0.02, commit: 0.5, drag: 0.16);
        SavePace pace = driver.State.Pace.ShouldNotBeNull();
        (pace.Drag, pace.Cost).ShouldBe((TimeSpan.FromSeconds(0.16), TimeSpan.FromSeconds(0.18)));
        pace.Interval.TotalSeconds.ShouldBe(Math.Sqrt(2 * 0.18 * 86400), 1);
    }

    [Fact]
    public void Start_AfterALossOnAnotherNode_GoesOnAtTheLearnedPaceAndCountsTheLoss()
    {
        EntityDriver driver = EntityDriver.Training(Paced());
        Save(driver, 1, stall: 0.02, commit: 0.5);
        TimeSpan interval = driver.State.Pace!.Interval;

        EntityDriver next = driver.Elsewhere(2);
        next.State.Pace!.Losses.ShouldBe(1);
        EntityStep begun = Begin(next);
        begun.AfterCommit.OfType<BeginTraining>().ShouldHaveSingleItem().Pace.ShouldBe(interval);

        // The first save of a run meets cold memory: it must not make the task forget what it knows.
        Save(next, 2, stall: 5, commit: 9);
        (next.State.Pace.Stall, next.State.Pace.Losses).ShouldBe((TimeSpan.FromSeconds(0.02), 1));
        next.State.Pace.Trained.ShouldBe(TimeSpan.FromSeconds(10.5 + 19));
    }

    [Fact]
    public void Fold_Losses_AreThoseThatCostWork()
    {
        EntityDriver driver = EntityDriver.Training(Paced());
        Save(driver, 1, stall: 0.02, commit: 0.5);
        Failure failure = new("exit-code", "exited", 1, null, []);
        TaskRetryScheduled retry = new(1, failure, TimeSpan.Zero, Elsewhere: false, 3);
        (TaskEvent Event, int Losses)[] events =
        [
            (new TaskInterrupted(InterruptionReason.NodeLost, ""), 1),
            (new TaskInterrupted(InterruptionReason.GuardLost, ""), 1),
            (new TaskInterrupted(InterruptionReason.JournalAway, ""), 1),
            (new TaskInterrupted(InterruptionReason.Migrated, ""), 0),
            (new TaskInterrupted(InterruptionReason.Paused, ""), 0),
            (new TaskInterrupted(InterruptionReason.NodeStopping, ""), 0),
            (new TaskInterrupted(InterruptionReason.GoesBack, ""), 0),
            (retry, 1),
            (retry with { NodeUnfit = true }, 0),
            (retry with { FormerMayLive = true }, 0),
            (retry with { FailedStartFrom = "c-1-1-aaaaaaaa" }, 0),
            (new TaskHeld("damaged"), 0),
            (new TaskHeld("diverged") { Failure = failure }, 1),
        ];
        foreach ((TaskEvent e, int losses) in events)
        {
            TaskState.Fold(EntityDriver.Id, driver.State, [e])!.Pace!.Losses.ShouldBe(losses, e.ToString());
        }
    }

    [Fact]
    public void Fold_BeforeTheFirstPace_CountsNothing()
    {
        EntityDriver driver = EntityDriver.Training(Paced());
        TaskState.Fold(EntityDriver.Id, driver.State, [new TaskInterrupted(InterruptionReason.NodeLost, "lost")])!.Pace.ShouldBeNull();
    }

    [Fact]
    public void On_SaveOfARunThatIsAskedToStop_LeavesThePaceAlone()
    {
        EntityDriver driver = EntityDriver.Training(Paced());
        driver.Tell(new PauseTask());
        EntityStep step = Save(driver, 10, stall: 0.02, commit: 0.5);
        step.Persist.OfType<TaskSavesPaced>().ShouldBeEmpty();
        (driver.State.Status, driver.State.Pace).ShouldBe((TaskStatus.Paused, null));
    }

    private static TaskSpec Paced(Func<CheckpointSpec, CheckpointSpec>? with = null)
    {
        CheckpointSpec spec = new() { Strategy = CheckpointStrategy.Adaptive };
        return EntityDriver.Trainer(s => s with { Checkpoint = with?.Invoke(spec) ?? spec });
    }

    private static EntityStep Begin(EntityDriver driver)
    {
        EntityStep step = driver.Grant();
        RestoreCheckpoint restore = step.AfterCommit.OfType<RestoreCheckpoint>().ShouldHaveSingleItem();
        driver.Happens(new CheckpointRestored(driver.Run, restore.Checkpoint.Name));
        driver.Happens(new WorkerStarted(driver.Run, 4711));
        return driver.Happens(new WorkerReady(driver.Run));
    }

    /// <summary>Ten seconds later a state is staged, and stored after the time of its commit.</summary>
    private static EntityStep Save(EntityDriver driver, long step, double stall, double commit, double? drag = null)
    {
        driver.Now += TimeSpan.FromSeconds(10);
        StagedState state = new($"p{step}", step, 0, CheckpointReasons.Adaptive, new Dictionary<string, double>())
        {
            Stall = TimeSpan.FromSeconds(stall),
            Drag = drag is { } known ? TimeSpan.FromSeconds(known) : null,
        };
        SaveCheckpoint save = driver
            .Happens(new WorkerStaged(driver.Run, state))
            .AfterCommit.OfType<SaveCheckpoint>()
            .ShouldHaveSingleItem();
        driver.Now += TimeSpan.FromSeconds(commit);
        return driver.Stored(save);
    }
}
