using ActorTrainer.Core.Checkpoints;
using ActorTrainer.Core.Tasks;
using TaskStatus = ActorTrainer.Core.Tasks.TaskStatus;

namespace ActorTrainer.Core.Tests.Tasks;

/// <summary>Checkpoints that the user brings from outside: when that is allowed, and what the next start begins from.</summary>
public sealed class TaskEntityImportTests
{
    private const string Name = "c-1-40-imported";

    [Fact]
    public void On_ImportIntoAPausedTask_TheNextStartBeginsFromItAtItsStep()
    {
        EntityDriver driver = Paused();
        string saved = driver.State.Checkpoints[0].Checkpoint.Name;
        driver.Tell(new PrepareImport()).Reply.ShouldBe(new CommandAccepted(EntityDriver.Id) { Term = 1 });

        EntityStep step = driver.Tell(new ImportCheckpoint(Imported(Name, 40)));

        step.Persist.ShouldBe([new TaskCheckpointed(Imported(Name, 40)), new TaskCheckpointImported(Name, 40)]);
        CommandAccepted accepted = step.Reply.ShouldBeOfType<CommandAccepted>();
        (accepted.Checkpoint?.Name, accepted.Note).ShouldBe((Name, "'actortrainer tasks resume digits-a1' begins with it"));
        driver.State.Status.ShouldBe(TaskStatus.Paused, "an import starts nothing");
        driver.State.Checkpoints.Select(c => c.Checkpoint.Name).ShouldBe([Name, saved]);
        driver.Tell(new ResumeTask());
        driver.Start();
        driver
            .Log.OfType<TaskStarted>()
            .Last()
            .ShouldSatisfyAllConditions(s => s.RestoredFrom.ShouldBe(Name), s => s.RestoredStep.ShouldBe(40));
        driver.State.Progress.Step.ShouldBe(40, "it was at 200, which is another history");
        driver.State.RestoreFrom.ShouldBeNull();
        driver.Save(60);
        driver.State.LastUsable!.Step.ShouldBe(60);
    }

    [Fact]
    public void On_ImportBeforeTheFirstRun_BeginsFromIt()
    {
        EntityDriver driver = EntityDriver.Submitted();

        CommandAccepted accepted = driver.Tell(new ImportCheckpoint(Imported(Name, 40))).Reply.ShouldBeOfType<CommandAccepted>();

        accepted.Note.ShouldBeNull();
        driver.Start();
        driver.Log.OfType<TaskStarted>().Single().RestoredFrom.ShouldBe(Name);
    }

    [Fact]
    public void On_ImportAfterAChoice_TakesItsPlace()
    {
        EntityDriver driver = Paused();
        driver.Tell(new RestoreTask(driver.State.Checkpoints[0].Checkpoint.Name));

        driver.Tell(new ImportCheckpoint(Imported(Name, 40)));

        driver.State.LastUsable!.Name.ShouldBe(Name);
        driver.State.RestoreFrom.ShouldBe(Name);
    }

    [Fact]
    public void On_ImportIntoATaskWithoutAReadableCheckpoint_AResumeBeginsFromIt()
    {
        EntityDriver driver = Paused();
        driver.Do(
            new EntityStep([new TaskCheckpointDamaged(driver.State.Checkpoints[0].Checkpoint.Name, "chunk"), new TaskHeld("why")], [])
        );

        driver.Tell(new ImportCheckpoint(Imported(Name, 40))).Reply.ShouldBeOfType<CommandAccepted>();

        driver.State.Status.ShouldBe(TaskStatus.Held);
        driver.State.Detail.ShouldBe("why");
        driver.Tell(new ResumeTask());
        driver.Start();
        driver.Log.OfType<TaskStarted>().Last().RestoredFrom.ShouldBe(Name);
    }

    [Fact]
    public void On_ImportWhileItWaitsAfterAFailure_TheRetryBeginsFromItWithAllAttempts()
    {
        EntityDriver driver = EntityDriver.Training();
        driver.Save(200);
        driver.Exit(1);
        driver.State.Status.ShouldBe(TaskStatus.Retrying);

        driver.Tell(new ImportCheckpoint(Imported(Name, 40)));

        (driver.State.Status, driver.State.Failures, driver.State.FailedAtStep).ShouldBe((TaskStatus.Retrying, 0, 0));
        driver.Tick(600);
        driver.Start();
        driver.Log.OfType<TaskStarted>().Last().RestoredFrom.ShouldBe(Name);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void On_ImportIntoATaskThatIsOver_IsListedForAnotherTaskToStartFrom(bool cancelled)
    {
        EntityDriver driver = EntityDriver.Training();
        if (cancelled)
        {
            driver.Tell(new CancelTask());
            driver.Exit(null, 15);
        }
        else
        {
            driver.Done();
            driver.Exit(0);
        }

        CommandAccepted accepted = driver.Tell(new ImportCheckpoint(Imported(Name, 40))).Reply.ShouldBeOfType<CommandAccepted>();

        accepted.Note.ShouldBe(
            $"task digits-a1 is {(cancelled ? "cancelled" : "completed")}; 'submit --from-checkpoint {Name}' starts a new task from it"
        );
        driver.State.Checkpoints[0].Checkpoint.Name.ShouldBe(Name);
        driver.State.IsFinished.ShouldBeTrue();
    }

    [Fact]
    public void On_ImportWhileItRuns_IsRefusedWithTheWay()
    {
        const string Way =
            "task digits-a1 runs; pause it ('actortrainer tasks pause digits-a1'), import, and let it go on "
            + "('actortrainer tasks resume digits-a1')";
        EntityDriver driver = EntityDriver.Submitted();
        driver.Grant();
        driver.Tell(new PrepareImport()).Reply.ShouldBe(new CommandRefused(Way), "it starts");
        driver.Happens(new WorkerStarted(driver.Run, 4711));
        driver.Happens(new WorkerReady(driver.Run));

        foreach (TaskCommand command in (TaskCommand[])[new PrepareImport(), new ImportCheckpoint(Imported(Name, 40))])
        {
            EntityStep step = driver.Tell(command);
            step.Persist.ShouldBeEmpty();
            step.Reply.ShouldBe(new CommandRefused(Way));
        }

        // Until its last state is in the store it is not over.
        driver.Tell(new PauseTask());
        driver.Tell(new PrepareImport()).Reply.ShouldBeOfType<CommandUnavailable>().Reason.ShouldContain("is just ending");
        SaveCheckpoint save = driver.Stage(10, "pause").AfterCommit.OfType<SaveCheckpoint>().Single();
        driver.Exit(0);
        driver.Tell(new PrepareImport()).Reply.ShouldBeOfType<CommandUnavailable>();
        driver.Stored(save);
        driver.Tell(new PrepareImport()).Reply.ShouldBeOfType<CommandAccepted>();
    }

    [Fact]
    public void On_ImportTwice_IsListedOnce()
    {
        EntityDriver driver = Paused();
        driver.Tell(new ImportCheckpoint(Imported(Name, 40)));

        EntityStep again = driver.Tell(new ImportCheckpoint(Imported(Name, 40)));

        again.Persist.ShouldBeEmpty();
        again.Reply.ShouldBeOfType<CommandAccepted>().Checkpoint!.Name.ShouldBe(Name);
        driver.State.Checkpoints.Count(c => c.Checkpoint.Name == Name).ShouldBe(1);
    }

    [Fact]
    public void On_ImportWrittenUnderATermThatIsOver_IsRefusedAsItsFilesMayBeGone()
    {
        EntityDriver driver = Paused();
        driver.Tell(new PrepareImport()).Reply.ShouldBe(new CommandAccepted(EntityDriver.Id) { Term = 1 });
        EntityDriver next = driver.Elsewhere(2);

        next.Tell(new ImportCheckpoint(Imported(Name, 40)))
            .Reply.ShouldBe(
                new CommandRefused("another node took task digits-a1 up while the checkpoint was written; import it once more")
            );
        next.Tell(new ImportCheckpoint(Imported("c-3-40-imported", 40))).Reply.ShouldBeOfType<CommandRefused>();
        next.Tell(new ImportCheckpoint(Imported("no name", 40))).Reply.ShouldBeOfType<CommandRefused>();
        next.Tell(new ImportCheckpoint(Imported("c-2-40-imported", 40))).Reply.ShouldBeOfType<CommandAccepted>();
    }

    [Fact]
    public void On_ImportWhileTheTaskWasPutToRest_IsTakenBecauseNobodyHasLookedForGarbage()
    {
        EntityDriver driver = Paused();
        EntityDriver woken = new();
        woken.Entity.Recover(null, driver.Log);
        woken.Do(woken.Entity.Recovered(woken.Now)).Persist.ShouldBeEmpty();
        woken.Entity.Term.ShouldBe(2);

        woken.Tell(new ImportCheckpoint(Imported(Name, 40))).Reply.ShouldBeOfType<CommandAccepted>();

        woken.State.LastUsable!.Name.ShouldBe(Name);
    }

    [Fact]
    public void On_ImportOfOneMoreThanAreKept_RemovesTheOldestAsASaveDoes()
    {
        EntityDriver driver = EntityDriver.Training(
            EntityDriver.Trainer(spec => spec with { Checkpoint = spec.Checkpoint with { KeepLast = 2 } })
        );
        string first = driver.Save(100);
        string second = driver.Save(200);
        Pause(driver);

        EntityStep step = driver.Tell(new ImportCheckpoint(Imported(Name, 40)));

        step.Persist.OfType<TaskCheckpointRemoved>().ShouldBe([new TaskCheckpointRemoved(first, "keep-last")]);
        step.AfterCommit.OfType<UnlinkStoreFiles>().Single().Files.ShouldContain(CheckpointNames.PackFile(first));
        driver.State.Checkpoints.Select(c => c.Checkpoint.Name).ShouldBe([Name, second]);
    }

    private static CheckpointRef Imported(string name, long step) =>
        EntityDriver.Ref(name, step, CheckpointReasons.Imported) with
        {
            // Compared by their content in these tests.
            Packs = Packs,
            Metrics = NoMetrics,
        };

    private static readonly string[] Packs = [CheckpointNames.PackFile(Name)];
    private static readonly Dictionary<string, double> NoMetrics = [];

    private static EntityDriver Paused()
    {
        EntityDriver driver = EntityDriver.Training();
        driver.Save(200);
        Pause(driver);
        return driver;
    }

    private static void Pause(EntityDriver driver)
    {
        driver.Tell(new PauseTask());
        driver.Tick(600);
        driver.Exit(0);
        driver.State.Status.ShouldBe(TaskStatus.Paused);
        driver.Entity.IsIdle.ShouldBeTrue();
    }
}
