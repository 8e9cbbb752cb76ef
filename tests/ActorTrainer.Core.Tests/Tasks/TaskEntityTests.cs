using ActorTrainer.Core.Tasks;
using TaskStatus = ActorTrainer.Core.Tasks.TaskStatus;

namespace ActorTrainer.Core.Tests.Tasks;

/// <summary>Commands, starts and ends of a task.</summary>
public sealed class TaskEntityTests
{
    private static readonly TaskCommand[] Commands =
    [
        new PauseTask(),
        new ResumeTask(),
        new CancelTask(),
        new SaveTask(),
        new MigrateTask(null),
    ];

    [Fact]
    public void On_CommandBeforeSubmit_IsRefused()
    {
        EntityDriver driver = new();
        foreach (TaskCommand command in Commands)
        {
            driver.Tell(command).Reply.ShouldBeOfType<CommandRefused>().Reason.ShouldContain("there is no task");
        }

        driver.Entity.WantsSlots(driver.Now).ShouldBeFalse();
        driver.Entity.IsIdle.ShouldBeTrue();
        driver.Entity.Progress.ShouldBe(TaskProgress.None);
    }

    [Fact]
    public void On_Submit_CreatesTheTaskOnce()
    {
        EntityDriver driver = EntityDriver.Submitted();
        driver.State.Status.ShouldBe(TaskStatus.Pending);
        driver.State.SpecHash.ShouldBe("hash");
        driver.State.Term.ShouldBe(1);
        int events = driver.Log.Count;
        driver.Tell(new SubmitTask(EntityDriver.Trainer(), "hash")).Reply.ShouldBe(new CommandAccepted(EntityDriver.Id, Existed: true));
        driver.Log.Count.ShouldBe(events);
    }

    [Theory]
    [InlineData(TaskStatus.Pending, "accepted", "accepted", "accepted", "refused", "accepted")]
    [InlineData(TaskStatus.Running, "accepted", "accepted", "accepted", "accepted", "accepted")]
    [InlineData(TaskStatus.Retrying, "accepted", "accepted", "accepted", "refused", "accepted")]
    [InlineData(TaskStatus.Paused, "accepted", "accepted", "accepted", "refused", "accepted")]
    [InlineData(TaskStatus.Held, "refused", "accepted", "accepted", "refused", "accepted")]
    [InlineData(TaskStatus.Completed, "refused", "refused", "refused", "refused", "refused")]
    [InlineData(TaskStatus.Failed, "refused", "accepted", "refused", "refused", "refused")]
    [InlineData(TaskStatus.Cancelled, "refused", "refused", "accepted", "refused", "refused")]
    public void On_CommandInStatus_IsAnsweredAsTheStatusAllows(TaskStatus status, params string[] answers)
    {
        for (int i = 0; i < Commands.Length; i++)
        {
            EntityDriver driver = InStatus(status);
            driver.State.Status.ShouldBe(status);
            CommandReply reply = driver.Tell(Commands[i]).Reply.ShouldNotBeNull();
            (reply is CommandAccepted ? "accepted" : "refused").ShouldBe(answers[i], $"{Commands[i]} while {status}");
        }
    }

    [Theory]
    [InlineData(TaskStatus.Paused)]
    [InlineData(TaskStatus.Held)]
    [InlineData(TaskStatus.Failed)]
    public void On_Resume_BeginsAnewWithItsCounters(TaskStatus status)
    {
        EntityDriver driver = InStatus(status);
        driver.Tell(new ResumeTask());
        driver.State.Status.ShouldBe(TaskStatus.Pending);
        (driver.State.Failures, driver.State.NodeLosses, driver.State.ExitCode).ShouldBe((0, 0, null));
        driver.Entity.WantsSlots(driver.Now).ShouldBeTrue();
    }

    [Fact]
    public void Grant_Trainer_StartsAndBeginsWhenItIsReady()
    {
        EntityDriver driver = EntityDriver.Submitted();
        EntityStep grant = driver.Grant();
        grant.AfterCommit.ShouldBe([new StartWorker(driver.Run, driver.State.Spec, HasRestore: false)]);
        (driver.Entity.TakesSlots, driver.Entity.IsRestoring, driver.Entity.IsTraining).ShouldBe((true, true, false));
        driver.Happens(new WorkerStarted(driver.Run, 4711)).IsNothing.ShouldBeTrue();
        EntityStep ready = driver.Happens(new WorkerReady(driver.Run));
        ready.Persist.ShouldBe([new TaskStarted(1, 1, EntityDriver.Here, 4711, null, 0)]);
        ready.AfterCommit.ShouldBe([new BeginTraining(driver.Run, false, driver.State.Spec.Checkpoint, null)]);
        driver.Happens(new WorkerReady(driver.Run)).IsNothing.ShouldBeTrue();
        driver.Entity.IsTraining.ShouldBeTrue();
        driver.State.Status.ShouldBe(TaskStatus.Running);
    }

    [Fact]
    public void Grant_CommandWithCheckpoint_StartsWhenItsFilesStand()
    {
        EntityDriver driver = EntityDriver.Training(EntityDriver.Command());
        string name = driver.Save(3, "files");
        driver.Exit(1);
        driver.Tick(5);
        EntityStep grant = driver.Grant();
        grant.AfterCommit.ShouldHaveSingleItem().ShouldBeOfType<RestoreCheckpoint>().Checkpoint.Name.ShouldBe(name);
        driver.Happens(new CheckpointRestored(driver.Run, "another")).IsNothing.ShouldBeTrue();
        driver
            .Happens(new CheckpointRestored(driver.Run, name))
            .AfterCommit.ShouldBe([new StartWorker(driver.Run, driver.State.Spec, true, 3)]);
        EntityStep started = driver.Happens(new WorkerStarted(driver.Run, 12));
        started.Persist.ShouldBe([new TaskStarted(2, 1, EntityDriver.Here, 12, name, 3)]);
        started.AfterCommit.ShouldBeEmpty();
    }

    [Fact]
    public void On_StoreAwayWhileRestoring_SaysSoOnceAsksAgainAndIsNoStall()
    {
        EntityDriver driver = EntityDriver.Training();
        string name = driver.Save(10);
        EntityDriver next = driver.Elsewhere(2);
        next.Grant();
        for (int i = 0; i < 1000; i++)
        {
            IReadOnlyList<TaskEvent> said = next.Happens(new CheckpointUnreadable(next.Run, name, false, "no answer")).Persist;
            said.ShouldBe(i > 0 ? [] : [new TaskWarned($"{name} cannot be restored now, and is tried again: no answer")]);
            next.State.Warning.ShouldEndWith("no answer");
            next.Tick(0.5).IsNothing.ShouldBeTrue();
            next.Tick(0.5).AfterCommit.ShouldHaveSingleItem().ShouldBeOfType<RestoreCheckpoint>();
        }

        next.Happens(new CheckpointRestored(next.Run, name));
        next.Happens(new WorkerReady(next.Run)).Persist.ShouldHaveSingleItem().ShouldBeOfType<TaskStarted>().RestoredFrom.ShouldBe(name);
        next.State.Warning.ShouldBeNull();
    }

    [Fact]
    public void On_InputOfAnotherRun_IsDropped()
    {
        EntityDriver driver = EntityDriver.Training();
        RunKey other = driver.Run with { Run = 9 };
        TaskInput[] inputs =
        [
            new WorkerStarted(other, 1),
            new WorkerStartFailed(other, ""),
            new WorkerReady(other),
            new WorkerPhaseChanged(other, WorkerPhase.Saving),
            new WorkerProgressed(other, EntityDriver.Progress(5)),
            new WorkerStaged(other, new StagedState("s", 1, 0, "interval", new Dictionary<string, double>())),
            new WorkerStageFailed(other, "", ""),
            new WorkerDone(other, EntityDriver.Progress(5), new Dictionary<string, string>()),
            new WorkerExited(other, 0, null, null, []),
            new WorkerLost(other, ""),
            new CheckpointRestored(other, "c"),
            new CheckpointUnreadable(other, "c", true, ""),
            new CheckpointStored(other, "s", EntityDriver.Ref("c-1-1-aaaaaaaa", 1)),
            new CheckpointStoreFailed(other, "s", ""),
            new StoreFilesListed(EntityDriver.Id, 9, ["packs/x"]),
        ];
        inputs.ShouldAllBe(input => driver.Happens(input).IsNothing);
        driver.Entity.IsTraining.ShouldBeTrue();
    }

    [Fact]
    public void On_Progress_IsJournaledOnceASecond()
    {
        EntityDriver driver = EntityDriver.Training();
        driver.Happens(new WorkerProgressed(driver.Run, EntityDriver.Progress(1))).Persist.Count.ShouldBe(1);
        driver.Now += TimeSpan.FromSeconds(0.9);
        driver.Happens(new WorkerProgressed(driver.Run, EntityDriver.Progress(2))).IsNothing.ShouldBeTrue();
        driver.Entity.Progress.Step.ShouldBe(2);
        driver.State.Progress.Step.ShouldBe(1);
        driver.Now += TimeSpan.FromSeconds(0.1);
        driver
            .Happens(new WorkerProgressed(driver.Run, EntityDriver.Progress(3)))
            .Persist.ShouldHaveSingleItem()
            .ShouldBeOfType<TaskProgressed>();
    }

    [Fact]
    public void On_DoneThenStored_CompletesAfterTheExit()
    {
        EntityDriver driver = EntityDriver.Training();
        SaveCheckpoint save = driver.Stage(1000, "final").AfterCommit.OfType<SaveCheckpoint>().Single();
        driver.Done();
        driver.Stored(save);
        driver.State.Status.ShouldBe(TaskStatus.Running);
        TaskCompleted completed = driver.Exit(0).Persist.ShouldHaveSingleItem().ShouldBeOfType<TaskCompleted>();
        completed.Results["accuracy"].ShouldBe("0.97");
        (driver.State.Status, driver.State.ExitCode, driver.State.Progress.Step).ShouldBe((TaskStatus.Completed, 0, 1000));
    }

    [Fact]
    public void On_DoneAndExitBeforeStored_CompletesWithTheCheckpoint()
    {
        EntityDriver driver = EntityDriver.Training();
        SaveCheckpoint save = driver.Stage(1000, "final").AfterCommit.OfType<SaveCheckpoint>().Single();
        driver.Done();
        driver.Exit(0).IsNothing.ShouldBeTrue();
        driver.Stored(save).Persist.Select(e => e.GetType()).ShouldBe([typeof(TaskCheckpointed), typeof(TaskCompleted)]);
        driver.Entity.IsIdle.ShouldBeTrue();
    }

    [Theory]
    [InlineData(0, TaskStatus.Completed, 0)]
    [InlineData(127, TaskStatus.Failed, 127)]
    [InlineData(3, TaskStatus.Retrying, null)]
    public void On_CommandExits_ItsCodeDecides(int code, TaskStatus status, int? exit)
    {
        EntityDriver driver = EntityDriver.Training(EntityDriver.Command());
        driver.Exit(code);
        (driver.State.Status, driver.State.ExitCode).ShouldBe((status, exit));
    }

    [Fact]
    public void On_TrainerExitsWithoutBeingDone_IsAFailure()
    {
        EntityDriver driver = EntityDriver.Training();
        driver
            .Exit(0)
            .Persist.ShouldHaveSingleItem()
            .ShouldBeOfType<TaskRetryScheduled>()
            .Failure.Detail.ShouldContain("before training was complete");
    }

    [Theory]
    [InlineData(9, 137)]
    [InlineData(15, 143)]
    public void On_LastAttemptEndsBySignal_FailsWithTheShellsExitCode(int signal, int code)
    {
        EntityDriver driver = EntityDriver.Training(EntityDriver.Trainer(s => s with { Retry = new RetrySpec { MaxAttempts = 0 } }));
        driver.Exit(null, signal);
        driver.Tick(1);
        driver.Log[^1].ShouldBeOfType<TaskFailed>();
        driver.State.ExitCode.ShouldBe(code);
    }

    [Fact]
    public void On_StartFailed_IsTriedElsewhere()
    {
        EntityDriver driver = EntityDriver.Submitted();
        driver.Grant();
        TaskRetryScheduled retry = driver
            .Happens(new WorkerStartFailed(driver.Run, "no memory"))
            .Persist.ShouldHaveSingleItem()
            .ShouldBeOfType<TaskRetryScheduled>();
        (retry.Failure.Class, retry.Elsewhere).ShouldBe(("start-failed", true));
        retry.Failure.Detail.ShouldBe("could not be started: no memory");
        driver.State.AvoidIncarnation.ShouldBe(1);
    }

    [Fact]
    public void On_FailsAtAStepThatWasNotOnRecordYet_CheckpointsBeforeThatStepDoNotGiveTheBudgetBack()
    {
        EntityDriver driver = EntityDriver.Training(EntityDriver.Trainer(s => s with { Retry = new RetrySpec { MaxAttempts = 1 } }));
        driver.Happens(new WorkerProgressed(driver.Run, EntityDriver.Progress(50)));
        driver
            .Happens(new WorkerProgressed(driver.Run, EntityDriver.Progress(90)))
            .IsNothing.ShouldBeTrue("progress goes on record once a second");
        driver.Save(94);
        driver.Exit(1);
        driver.State.Progress.Step.ShouldBe(94, "a checkpoint says how far the run was at least");
        driver.Now += driver.State.RetryDelay!.Value;
        driver.Start();
        driver.Save(94);
        driver.State.Failures.ShouldBe(1);
        driver.Exit(1).Persist.ShouldHaveSingleItem().ShouldBeOfType<TaskFailed>();
    }

    [Fact]
    public void On_Failures_BudgetIsUsedUpAndCheckpointsBeyondThePlaceGiveItBack()
    {
        EntityDriver driver = EntityDriver.Training(EntityDriver.Trainer(s => s with { Retry = new RetrySpec { MaxAttempts = 2 } }));
        driver.Happens(new WorkerProgressed(driver.Run, EntityDriver.Progress(50)));
        driver.Exit(1);
        driver.State.Failures.ShouldBe(1);
        driver.Entity.WantsSlots(driver.Now).ShouldBeFalse();
        driver.Now += driver.State.RetryDelay!.Value;
        driver.Start();
        driver.Save(40);
        driver.State.Failures.ShouldBe(1);
        driver.Save(60);
        driver.State.Failures.ShouldBe(0);
        driver.Exit(1);
        driver.Tick(10);
        driver.Start();
        driver.Exit(1);
        driver.State.Failures.ShouldBe(2);
        driver.Tick(10);
        driver.Start();
        driver.Exit(1).Persist.ShouldHaveSingleItem().ShouldBeOfType<TaskFailed>();
        (driver.State.Status, driver.State.ExitCode).ShouldBe((TaskStatus.Failed, 1));
    }

    [Fact]
    public void On_FailsAgainAndAgain_IsStartedAgainAsOftenAsMaxAttemptsSays()
    {
        EntityDriver driver = EntityDriver.Training(EntityDriver.Trainer(s => s with { Retry = new RetrySpec { MaxAttempts = 3 } }));
        List<string> said = [];
        for (int retry = 1; retry <= 3; retry++)
        {
            driver.Exit(7);
            driver.State.Status.ShouldBe(TaskStatus.Retrying);
            said.Add(driver.State.Detail);
            driver.Tick(60);
            driver.Start();
        }

        driver.Exit(7).Persist.ShouldHaveSingleItem().ShouldBeOfType<TaskFailed>();
        driver.State.Runs.ShouldBe(4);
        said.Select(detail => detail[..(detail.IndexOf(" starts after ", StringComparison.Ordinal))])
            .ShouldBe([
                "exit-code: exited with code 7; retry 1 of 3",
                "exit-code: exited with code 7; retry 2 of 3",
                "exit-code: exited with code 7; retry 3 of 3",
            ]);
    }

    [Fact]
    public void On_RuleSaysHold_WaitsForAPerson()
    {
        FailureRule rule = new("nan", FailureAction.Hold, null, null, "loss is nan");
        EntityDriver driver = EntityDriver.Training(EntityDriver.Trainer(s => s with { Retry = new RetrySpec { Rules = [rule] } }));
        driver
            .Exit(1, lines: "step 5: Loss is NaN")
            .Persist.ShouldHaveSingleItem()
            .ShouldBeOfType<TaskHeld>()
            .Reason.ShouldContain("tasks resume digits-a1");
        driver.State.Status.ShouldBe(TaskStatus.Held);
    }

    [Fact]
    public void On_GuardLost_IsNoFailureOfTheTask()
    {
        EntityDriver driver = EntityDriver.Training();
        driver
            .Happens(new WorkerLost(driver.Run, "guard died"))
            .Persist.ShouldBe([new TaskInterrupted(InterruptionReason.GuardLost, "guard died")]);
        (driver.State.Status, driver.State.Failures).ShouldBe((TaskStatus.Pending, 0));
        driver.Entity.WantsSlots(driver.Now).ShouldBeTrue();
    }

    private static EntityDriver InStatus(TaskStatus status)
    {
        EntityDriver driver = status == TaskStatus.Pending ? EntityDriver.Submitted() : EntityDriver.Training();
        switch (status)
        {
            case TaskStatus.Retrying:
                driver.Exit(1);
                break;
            case TaskStatus.Paused:
                driver.Tell(new PauseTask());
                driver.Exit(0);
                break;
            case TaskStatus.Held:
                driver.Do(TaskEntity.Hold("look at it"));
                driver.Exit(0);
                break;
            case TaskStatus.Completed:
                driver.Done();
                driver.Exit(0);
                break;
            case TaskStatus.Failed:
                driver.Exit(127);
                break;
            case TaskStatus.Cancelled:
                driver.Tell(new CancelTask());
                driver.Exit(0);
                break;
        }

        return driver;
    }
}
