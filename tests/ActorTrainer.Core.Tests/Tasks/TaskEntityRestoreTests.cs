using ActorTrainer.Core.Tasks;
using TaskStatus = ActorTrainer.Core.Tasks.TaskStatus;

namespace ActorTrainer.Core.Tests.Tasks;

/// <summary>Which checkpoint a task goes on from when the newest does not load, or when its user says so.</summary>
public sealed class TaskEntityRestoreTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void On_TwoStartsFromTheNewestFail_TheThirdAttemptRestoresTheOneBefore(bool command)
    {
        EntityDriver driver = EntityDriver.Training(command ? EntityDriver.Command() : EntityDriver.Trainer());
        string before = driver.Save(10);
        string newest = driver.Save(20);
        driver.Exit(1).Persist.OfType<TaskRetryScheduled>().Single().FailedStartFrom.ShouldBeNull("it had not started from a checkpoint");
        FailStart(driver).Persist.ShouldHaveSingleItem().ShouldBeOfType<TaskRetryScheduled>().FailedStartFrom.ShouldBe(newest);
        driver.State.LastUsable!.Name.ShouldBe(newest, "one failed start says nothing yet");
        EntityStep second = FailStart(driver);
        second.Persist.OfType<TaskCheckpointSetAside>().ShouldBe([new TaskCheckpointSetAside(newest, 2, before, 10)]);
        driver.State.Detail.ShouldContain("retry 3 of 3");
        driver.State.Detail.ShouldEndWith($"from the checkpoint before ({before}, {(command ? "save" : "step")} 10)");
        driver.Tick(600);
        driver.Start();
        driver.Log.OfType<TaskStarted>().Last().RestoredFrom.ShouldBe(before);

        // What it makes from there counts, and the failures are over with it.
        driver.Save(30);
        driver.State.Failures.ShouldBe(0);
        driver.State.Checkpoints.ShouldAllBe(c => c.FailedStarts == 0 && !c.SetAside && c.Checkpoint.Name != newest);
    }

    [Fact]
    public void On_TheOneBeforeFailsTwiceToo_GoesOnFromTheOneBeforeThat()
    {
        EntityDriver driver = EntityDriver.Training(Retries(9));
        string[] names = [driver.Save(10), driver.Save(20), driver.Save(30)];
        driver.Exit(1);
        List<string?> restored = [];
        for (int i = 0; i < 8; i++)
        {
            FailStart(driver);
            restored.Add(driver.Log.OfType<TaskStarted>().Last().RestoredFrom);
        }

        // Nothing is before the oldest: a start from nothing would lose all of the training.
        restored.ShouldBe([names[2], names[2], names[1], names[1], names[0], names[0], names[0], names[0]]);
        driver.Log.OfType<TaskCheckpointSetAside>().Select(e => e.Next).ShouldBe([names[1], names[0]]);
    }

    [Fact]
    public void On_FailedStarts_AreCountedOverNodesAndNotForOtherEnds()
    {
        EntityDriver driver = EntityDriver.Training(Retries(9));
        string before = driver.Save(10);
        string newest = driver.Save(20);
        driver.Exit(1);
        FailStart(driver);

        // Lost with its node, its guard lost, drained, paused: none of them says anything about the checkpoint.
        driver.Tick(600);
        driver.Start();
        EntityDriver next = driver.Elsewhere(2);
        next.Start();
        next.Happens(new WorkerLost(next.Run, "guard died"));
        next.Start();
        next.Tell(new PauseTask());
        next.Tick(60);
        next.Exit(1);
        next.Tell(new ResumeTask());
        next.Start();
        next.Do(next.Entity.Releasing(3, EntityDriver.There, "drain", next.Now));
        next.Exit(1);
        next.State.LastUsable!.Name.ShouldBe(newest);
        next.Log.OfType<TaskCheckpointSetAside>().ShouldBeEmpty();

        // The resume has begun the count anew.
        EntityDriver last = next.Elsewhere(3, 3);
        FailStart(last).Persist.OfType<TaskCheckpointSetAside>().ShouldBeEmpty();
        EntityDriver other = last.Elsewhere(4, 4);
        FailStart(other).Persist.OfType<TaskCheckpointSetAside>().Single().Next.ShouldBe(before);
    }

    [Fact]
    public void On_RunMadeProgressOrSaved_ItsCheckpointLoads()
    {
        EntityDriver driver = EntityDriver.Training(Retries(9));
        driver.Save(10);
        string newest = driver.Save(20);
        driver.Exit(1);
        for (int i = 0; i < 3; i++)
        {
            driver.Tick(600);
            driver.Start();
            driver.Happens(new WorkerProgressed(driver.Run, EntityDriver.Progress(21)));
            driver.Exit(1).Persist.OfType<TaskRetryScheduled>().Single().FailedStartFrom.ShouldBeNull();
        }

        driver.State.LastUsable!.Name.ShouldBe(newest);
        driver.Tick(600);
        driver.Start();
        string own = driver.Save(20);
        driver.Exit(1).Persist.OfType<TaskRetryScheduled>().Single().FailedStartFrom.ShouldBeNull();
        driver.State.LastUsable!.Name.ShouldBe(own);
    }

    /// <summary>Whatever ended these, it was not that the checkpoint does not load.</summary>
    [Theory]
    [InlineData("killed", null, 9, 0, false)]
    [InlineData("killed below a shell", 137, null, 0, false)]
    [InlineData("went on for long", 1, null, 600, false)]
    [InlineData("told of a step", 1, null, 0, true)]
    public void On_CommandThatEndsOtherwise_ItsCheckpointStays(string how, int? exitCode, int? signal, int seconds, bool tells)
    {
        EntityDriver driver = EntityDriver.Training(EntityDriver.Command() with { Retry = new RetrySpec { MaxAttempts = 9 } });
        driver.Save(10);
        string newest = driver.Save(20);
        driver.Exit(1);
        for (int i = 0; i < 3; i++)
        {
            driver.Tick(600);
            driver.Start();
            if (tells)
            {
                driver.Happens(new WorkerPrinted(driver.Run, new OutputProgress { Step = 21 }, null));
            }

            driver.Tick(seconds);
            EntityStep end = driver.Exit(exitCode, signal);
            end.Persist.OfType<TaskRetryScheduled>().Single().FailedStartFrom.ShouldBeNull(how);
        }

        driver.State.LastUsable!.Name.ShouldBe(newest);
    }

    [Fact]
    public void On_WorkerCouldNotBeStarted_SaysNothingAboutTheCheckpoint()
    {
        EntityDriver driver = EntityDriver.Training(Retries(9));
        driver.Save(10);
        string newest = driver.Save(20);
        driver.Exit(1);
        for (int i = 0; i < 3; i++)
        {
            driver.Tick(600);
            driver.Grant();
            driver.Happens(new WorkerStartFailed(driver.Run, "no memory"));
        }

        driver.State.LastUsable!.Name.ShouldBe(newest);
    }

    [Fact]
    public void On_ResumeAfterAllAttempts_TakesTheNewestUpAgain()
    {
        EntityDriver driver = EntityDriver.Training();
        string before = driver.Save(10);
        string newest = driver.Save(20);
        driver.Exit(1);
        FailStart(driver);
        FailStart(driver);
        FailStart(driver).Persist.ShouldHaveSingleItem().ShouldBeOfType<TaskFailed>();
        driver.Log.OfType<TaskStarted>().Last().RestoredFrom.ShouldBe(before);
        driver.Tell(new ResumeTask());
        driver.State.Checkpoints.ShouldAllBe(c => c.IsUsable && !c.SetAside && c.FailedStarts == 0);
        driver.Start();
        driver.Log.OfType<TaskStarted>().Last().RestoredFrom.ShouldBe(newest);
    }

    [Fact]
    public void On_TheOneBeforeIsDamaged_TheOneSetAsideIsBetterThanNothing()
    {
        EntityDriver driver = EntityDriver.Training();
        string before = driver.Save(10);
        string newest = driver.Save(20);
        driver.Exit(1);
        FailStart(driver);
        FailStart(driver);
        driver.Tick(600);
        driver.Grant();
        driver
            .Happens(new CheckpointUnreadable(driver.Run, before, true, "chunk"))
            .AfterCommit.ShouldHaveSingleItem()
            .ShouldBeOfType<RestoreCheckpoint>()
            .Checkpoint.Name.ShouldBe(newest);
        driver.Happens(new CheckpointRestored(driver.Run, newest));
        driver.Happens(new WorkerReady(driver.Run));
        driver.State.LastUsable!.Name.ShouldBe(newest);
    }

    [Fact]
    public void On_Restore_StopsWithGraceAndGoesOnFromTheChosenOne()
    {
        EntityDriver driver = EntityDriver.Training(
            EntityDriver.Trainer(s => s with { Checkpoint = new CheckpointSpec { BestMetric = "loss" } })
        );
        string chosen = driver.Save(10, metrics: new Dictionary<string, double> { ["loss"] = 0.5 });
        string newer = driver.Save(20, metrics: new Dictionary<string, double> { ["loss"] = 0.25 });
        driver.Happens(new WorkerProgressed(driver.Run, EntityDriver.Progress(25)));
        SaveCheckpoint late = driver.Stage(26).AfterCommit.OfType<SaveCheckpoint>().Single();
        EntityStep step = driver.Tell(new RestoreTask(chosen));
        step.Reply.ShouldBe(new CommandAccepted(EntityDriver.Id));
        step.Persist.ShouldBe([new TaskRestoreChosen(chosen, 10)]);
        step.AfterCommit.ShouldBe([new StopWorker(driver.Run, driver.State.Spec.Grace)]);

        // What was on its way into the store is listed, and not gone on from.
        driver.Stored(late);
        driver.Exit(1).Persist.ShouldBe([new TaskInterrupted(InterruptionReason.GoesBack, $"to go on from {chosen}")]);
        (driver.State.Status, driver.State.Failures).ShouldBe((TaskStatus.Pending, 0));
        driver.State.Checkpoints.Select(c => (c.Checkpoint.Step, c.Dead)).ShouldBe([(26, true), (20, true), (10, false)]);
        driver.Start();
        driver.Log.OfType<TaskStarted>().Last().ShouldBe(new TaskStarted(2, 1, EntityDriver.Here, 4711, chosen, 10));
        (driver.State.Progress.Step, driver.State.BestMetric, driver.State.RestoreFrom).ShouldBe((10, 0.5, null));

        // Steps begin again at the chosen one's, and so do the names of what it saves.
        driver.Save(15);
        driver.State.LastUsable!.Step.ShouldBe(15);
        driver.State.Checkpoints.ShouldNotContain(c => c.Checkpoint.Name == newer, "a good newer one is there now");
    }

    [Fact]
    public void On_RestoreOfAnOvertakenOne_TakesItsBranchUpAgain()
    {
        EntityDriver driver = EntityDriver.Training();
        string first = driver.Save(10);
        string second = driver.Save(20);
        driver.Tell(new RestoreTask(first));
        driver.Exit(0);
        driver.Tell(new RestoreTask(second)).Reply.ShouldBeOfType<CommandAccepted>();
        driver.Start();
        driver.Log.OfType<TaskStarted>().Last().RestoredFrom.ShouldBe(second);
        driver.State.Checkpoints.ShouldAllBe(c => c.IsUsable);
    }

    [Theory]
    [InlineData(TaskStatus.Paused, TaskStatus.Paused)]
    [InlineData(TaskStatus.Held, TaskStatus.Pending)]
    [InlineData(TaskStatus.Failed, TaskStatus.Pending)]
    [InlineData(TaskStatus.Retrying, TaskStatus.Pending)]
    public void On_RestoreOfATaskThatDoesNotRun_GoesOnUnlessItIsPaused(TaskStatus status, TaskStatus expected)
    {
        EntityDriver driver = EntityDriver.Training();
        string chosen = driver.Save(10);
        driver.Save(20);
        switch (status)
        {
            case TaskStatus.Paused:
                driver.Tell(new PauseTask());
                driver.Tick(60);
                driver.Exit(0);
                break;
            case TaskStatus.Held:
                driver.Do(TaskEntity.Hold("look"));
                driver.Exit(0);
                break;
            case TaskStatus.Failed:
                driver.Exit(127);
                break;
            default:
                driver.Exit(1);
                break;
        }

        driver.State.Status.ShouldBe(status);
        driver.Tell(new RestoreTask(chosen)).AfterCommit.ShouldBeEmpty();
        (driver.State.Status, driver.State.ExitCode).ShouldBe((expected, null));
        driver.Entity.WantsSlots(driver.Now).ShouldBe(expected == TaskStatus.Pending);
        if (expected == TaskStatus.Paused)
        {
            driver.State.Detail.ShouldBe("paused by the user; resumes from step 10");
            driver.Tell(new ResumeTask());
        }

        driver.Start();
        driver.Log.OfType<TaskStarted>().Last().RestoredFrom.ShouldBe(chosen);
    }

    [Fact]
    public void On_RestoreThatCannotBe_SaysWhyAndChangesNothing()
    {
        EntityDriver driver = EntityDriver.Training();
        string name = driver.Save(10);
        CommandRefused unknown = driver.Tell(new RestoreTask("c-9-9-zzzzzzzz")).Reply.ShouldBeOfType<CommandRefused>();
        (unknown.NotFound, unknown.Reason).ShouldBe(
            (true, "task digits-a1 has no checkpoint 'c-9-9-zzzzzzzz'; 'actortrainer checkpoints ls digits-a1' lists those it has")
        );
        driver.Do(new EntityStep([new TaskCheckpointDamaged(name, "chunk")], []));
        driver.Tell(new RestoreTask(name)).Reply.ShouldBeOfType<CommandRefused>().Reason.ShouldContain("is damaged");
        driver.Done();
        driver.Exit(0);
        driver.Tell(new RestoreTask(name)).Reply.ShouldBeOfType<CommandRefused>().Reason.ShouldContain("submit --from-checkpoint");
        driver.Log.OfType<TaskRestoreChosen>().ShouldBeEmpty();
    }

    [Fact]
    public void Tell_RestoreWhileAWorkerWaitsWarm_ItRestoresTheChosenOne()
    {
        EntityDriver driver = EntityDriver.Training();
        string chosen = driver.Save(10);
        string newest = driver.Save(20);
        EntityDriver next = new(2) { Now = driver.Now };
        EntityStep warm = next.Do(next.Entity.Warm(driver.State.Spec, driver.State.LastUsable, 2, 2, next.Now));
        RunKey run = warm.AfterCommit.OfType<StartWorker>().Single().Run;
        next.Happens(new CheckpointRestored(run, newest));
        next.Happens(new WorkerReady(run));
        next.Entity.Recover(null, driver.Log);
        next.Do(next.Entity.Recovered(next.Now));
        next.Entity.WaitsWarm.ShouldBeTrue();
        next.Do(next.Entity.Activate(next.Now));
        next.Tell(new RestoreTask(chosen)).AfterCommit.ShouldBeEmpty();
        next.Do(next.Entity.Grant(next.Now)).AfterCommit.OfType<RestoreCheckpoint>().Single().Checkpoint.Name.ShouldBe(chosen);
        next.Happens(new CheckpointRestored(run, chosen)).Persist.OfType<TaskStarted>().Single().RestoredFrom.ShouldBe(chosen);
    }

    [Fact]
    public void On_SubmitFromACheckpoint_BeginsWithItAndNeverFromNothing()
    {
        TaskSpec spec = EntityDriver.Trainer(s => s with { FromCheckpoint = "c-3-40-aaaaaaaa" });
        EntityDriver driver = new();
        driver.Do(driver.Entity.Activated(1, driver.Now));
        driver.Tell(new SubmitTask(spec, "hash")).Reply.ShouldBeOfType<CommandUnavailable>();
        driver.Entity.State.ShouldBeNull();
        CheckpointRef copy = EntityDriver.Ref("c-0-40-bbbbbbbb", 40, "copied");
        driver
            .Tell(new SubmitTask(spec, "hash") { Checkpoint = copy })
            .Persist.ShouldBe([new TaskSubmitted(spec, "hash", 1, 1), new TaskCheckpointed(copy)]);
        (driver.State.Status, driver.State.Progress.Step).ShouldBe((TaskStatus.Pending, 40));
        driver.Tell(new SubmitTask(spec, "hash")).Reply.ShouldBe(new CommandAccepted(EntityDriver.Id, Existed: true));
        driver.Start();
        driver.Log.OfType<TaskStarted>().Single().RestoredFrom.ShouldBe(copy.Name);
        driver.Save(50);
        driver.State.Checkpoints.Select(c => c.Checkpoint.Step).ShouldBe([50, 40]);
    }

    private static TaskSpec Retries(int most) => EntityDriver.Trainer(s => s with { Retry = new RetrySpec { MaxAttempts = most } });

    /// <summary>A start from a checkpoint that ends by itself before anything came of it.</summary>
    private static EntityStep FailStart(EntityDriver driver)
    {
        driver.Tick(600);
        EntityStep grant = driver.Grant();
        driver.Happens(new CheckpointRestored(driver.Run, grant.AfterCommit.OfType<RestoreCheckpoint>().Single().Checkpoint.Name));
        driver.Happens(new WorkerStarted(driver.Run, 4711));
        driver.Happens(new WorkerReady(driver.Run));
        driver.Entity.IsTraining.ShouldBeTrue();
        return driver.Exit(1, error: "KeyError: 'optimizer'");
    }
}
