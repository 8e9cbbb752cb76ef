using ActorTrainer.Core.Tasks;
using TaskStatus = ActorTrainer.Core.Tasks.TaskStatus;

namespace ActorTrainer.Core.Tests.Tasks;

/// <summary>A task whose checkpoints are all damaged waits for a person.</summary>
public sealed class TaskEntityDamageTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void On_NoneCanBeRead_IsHeldWithTheirNames(bool command)
    {
        (EntityDriver driver, string first, string second) = Held(command);

        driver.State.Detail.ShouldBe(
            $"every checkpoint that it could go on from is damaged ({second}, {first}); 'actortrainer tasks resume digits-a1' reads them "
                + "again, 'tasks restore' goes on from another one, and once they are removed ('checkpoints rm') a resume starts from "
                + "nothing"
        );
        driver.Entity.WantsSlots(driver.Now).ShouldBeFalse();
        driver.Log.OfType<TaskStarted>().Count().ShouldBe(1, "it never starts from nothing");
        driver.Log.OfType<TaskRetryScheduled>().ShouldBeEmpty();
    }

    [Fact]
    public void On_RestoreDamaged_GoesBackOneByOneAndThenStartsFromNothingIfToldTo()
    {
        EntityDriver driver = EntityDriver.Training(
            EntityDriver.Trainer(s => s with { Checkpoint = s.Checkpoint with { OnDamage = DamageAction.Restart } })
        );
        string first = driver.Save(10);
        string second = driver.Save(20);
        EntityDriver next = driver.Elsewhere(2);
        next.Grant().AfterCommit.OfType<RestoreCheckpoint>().Single().Checkpoint.Name.ShouldBe(second);
        next.Happens(new WorkerReady(next.Run)).IsNothing.ShouldBeTrue();
        EntityStep back = next.Happens(new CheckpointUnreadable(next.Run, second, true, "chunk 3 is wrong"));
        back.Persist.ShouldBe([new TaskCheckpointDamaged(second, "chunk 3 is wrong")]);
        back.AfterCommit.ShouldHaveSingleItem().ShouldBeOfType<RestoreCheckpoint>().Checkpoint.Name.ShouldBe(first);
        next.Happens(new CheckpointUnreadable(next.Run, second, true, "again")).IsNothing.ShouldBeTrue();
        EntityStep none = next.Happens(new CheckpointUnreadable(next.Run, first, true, "missing"));
        string said =
            $"no checkpoint that it could go on from can be read ({second}, {first}): it starts from nothing, as "
            + "checkpoint.on-damage = restart says";
        none.Persist.ShouldBe([
            new TaskCheckpointDamaged(first, "missing"),
            new TaskStarted(2, 2, EntityDriver.Here, 0, null, 0),
            new TaskWarned(said),
        ]);
        next.State.Warning.ShouldBe(said);
        none.AfterCommit.ShouldHaveSingleItem().ShouldBeOfType<BeginTraining>().HasRestore.ShouldBeFalse();
        next.State.LastUsable.ShouldBeNull();

        // From then on there is nothing to be said of them.
        next.Exit(1);
        next.Tick(600);
        next.Start();
        next.State.Warning.ShouldBeNull();
    }

    [Fact]
    public void On_ResumeOfAHeldOne_ReadsThemAgainAndHoldsAgain()
    {
        (EntityDriver driver, string first, string second) = Held();

        driver
            .Tell(new ResumeTask())
            .Reply.ShouldBe(
                new CommandAccepted(EntityDriver.Id)
                {
                    Note = $"reads {second}, {first} again; if none of them can be read it is held again",
                }
            );
        Restores(driver.Grant()).ShouldBe(second);
        Restores(Unreadable(driver, second)).ShouldBe(first);
        Unreadable(driver, first).AfterCommit.ShouldHaveSingleItem().ShouldBeOfType<StopWorker>();
        driver.Exit(null, 9);
        driver.State.Status.ShouldBe(TaskStatus.Held);
        driver.State.Checkpoints.ShouldAllBe(c => c.Damaged && !c.ReadAgain);
    }

    [Fact]
    public void On_ResumeAfterOneWasMended_GoesOnFromIt()
    {
        (EntityDriver driver, string first, string second) = Held();
        driver.Tell(new ResumeTask());
        Restores(driver.Grant()).ShouldBe(second);
        Restores(Unreadable(driver, second)).ShouldBe(first);
        driver.Happens(new CheckpointRestored(driver.Run, first));
        driver.Happens(new WorkerReady(driver.Run));

        driver.Log.OfType<TaskStarted>().Last().RestoredFrom.ShouldBe(first);
        driver.State.LastUsable!.Name.ShouldBe(first);
        driver.State.Checkpoints.Select(c => c.Damaged).ShouldBe([true, false]);
        SaveCheckpoint save = driver.Stage(30).AfterCommit.OfType<SaveCheckpoint>().Single();
        save.Listed.Select(c => c.Name).ShouldBe([first], "damage is not inherited");
    }

    [Fact]
    public void On_RemovalOfAllThatAreDamaged_AResumeStartsFromNothing()
    {
        (EntityDriver driver, string first, string second) = Held();
        driver.Tell(new RemoveCheckpoints([first, second])).Reply.ShouldBeOfType<CommandAccepted>();

        driver.Tell(new ResumeTask()).Reply.ShouldBe(new CommandAccepted(EntityDriver.Id));
        driver.Start();

        driver.Log.OfType<TaskStarted>().Last().RestoredFrom.ShouldBeNull();
    }

    [Fact]
    public void On_RestoreOfAnOvertakenOneOfAHeldTask_GoesOnFromIt()
    {
        EntityDriver driver = EntityDriver.Training();
        string first = driver.Save(10);
        string second = driver.Save(20);
        driver.Tell(new RestoreTask(first));
        driver.Exit(0);
        Restores(driver.Grant()).ShouldBe(first);
        Unreadable(driver, first);
        driver.Exit(null, 9);
        driver.State.Status.ShouldBe(TaskStatus.Held);
        driver.State.Detail.ShouldContain($"({first})");

        driver.Tell(new RestoreTask(second)).Reply.ShouldBeOfType<CommandAccepted>();
        driver.Start();
        driver.Log.OfType<TaskStarted>().Last().RestoredFrom.ShouldBe(second);
    }

    /// <summary>The user stopped the run while the last one was being read: the next start finds none.</summary>
    [Theory]
    [InlineData(DamageAction.Hold)]
    [InlineData(DamageAction.Restart)]
    public void On_PauseBeforeTheLastOneIsFoundDamaged_TheNextStartFindsOut(DamageAction action)
    {
        EntityDriver driver = EntityDriver.Training(
            EntityDriver.Trainer(s => s with { Checkpoint = s.Checkpoint with { OnDamage = action } })
        );
        string only = driver.Save(10);
        EntityDriver next = driver.Elsewhere(2);
        next.Grant();
        next.Tell(new PauseTask());
        Unreadable(next, only).AfterCommit.ShouldBeEmpty();
        next.Exit(0);
        (next.State.Status, next.State.Checkpoints.Single().Damaged).ShouldBe((TaskStatus.Paused, true));

        EntityDriver last = next.Elsewhere(3, 3);
        last.Do(new EntityStep([new TaskResumed()], []));
        Restores(last.Grant()).ShouldBe(only, "a resume reads it again");
        last.Do(new EntityStep([new TaskCheckpointDamaged(only, "chunk")], []));
        EntityDriver other = last.Elsewhere(4, 4);
        EntityStep step = other.Do(other.Entity.Grant(other.Now));
        if (action == DamageAction.Hold)
        {
            (
                step.Persist.Single().ShouldBeOfType<TaskHeld>().Reason.Contains(only, StringComparison.Ordinal),
                step.AfterCommit.Count
            ).ShouldBe((true, 0));
            other.State.Status.ShouldBe(TaskStatus.Held);
            other.Entity.TakesSlots.ShouldBeFalse();
        }
        else
        {
            RunKey run = step.AfterCommit.OfType<StartWorker>().Single().Run;
            IReadOnlyList<TaskEvent> begun = other.Happens(new WorkerReady(run)).Persist;
            begun[0].ShouldBeOfType<TaskStarted>().RestoredFrom.ShouldBeNull();
            begun[1].ShouldBeOfType<TaskWarned>().Detail.ShouldContain(only);
        }
    }

    /// <summary>A task with two checkpoints on a node that can read neither.</summary>
    private static (EntityDriver Driver, string First, string Second) Held(bool command = false)
    {
        EntityDriver driver = EntityDriver.Training(command ? EntityDriver.Command() : EntityDriver.Trainer());
        string first = driver.Save(10);
        string second = driver.Save(20);
        EntityDriver next = driver.Elsewhere(2);
        Restores(next.Grant()).ShouldBe(second);
        Restores(Unreadable(next, second)).ShouldBe(first);
        EntityStep none = Unreadable(next, first);
        none.Persist.Count.ShouldBe(2);
        none.Persist[0].ShouldBe(new TaskCheckpointDamaged(first, "chunk 3 is wrong"));
        none.Persist[1].ShouldBeOfType<TaskHeld>();
        none.AfterCommit.ShouldBe([new StopWorker(next.Run, TimeSpan.Zero)]);
        next.Exit(null, 9);
        next.State.Status.ShouldBe(TaskStatus.Held);
        return (next, first, second);
    }

    private static EntityStep Unreadable(EntityDriver driver, string name) =>
        driver.Happens(new CheckpointUnreadable(driver.Run, name, Damaged: true, "chunk 3 is wrong"));

    private static string? Restores(EntityStep step) => step.AfterCommit.OfType<RestoreCheckpoint>().Single().Checkpoint.Name;
}
