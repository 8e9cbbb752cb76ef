using ActorTrainer.Cluster.Messages;
using ActorTrainer.Cluster.Rows;
using ActorTrainer.Cluster.Tasks;
using ActorTrainer.Cluster.Tests.Support;
using ActorTrainer.Core.Checkpoints;
using ActorTrainer.Core.Queries;
using ActorTrainer.Core.Tasks;
using Akka.Actor;
using Akka.Cluster.Sharding;
using Akka.TestKit.Xunit2;
using TaskStatus = ActorTrainer.Core.Tasks.TaskStatus;

namespace ActorTrainer.Cluster.Tests.Tasks;

public sealed class TrainingTaskActorTests() : TestKit(TestSystems.InMemory())
{
    [Fact]
    public void Submit_OfANewTask_IsAcceptedUnderTermOne()
    {
        TaskFixture task = new(this);

        TaskAnswer answer = task.Submit();

        answer.Reply.ShouldBe(new CommandAccepted(TaskFixture.Id));
        answer.Sequence.ShouldBe(1);
        JournaledEvent only = Journaled().ShouldHaveSingleItem();
        TaskSubmitted submitted = only.Event.ShouldBeOfType<TaskSubmitted>();
        (only.Term, submitted.Term, submitted.Incarnation).ShouldBe((1, 1, 1));
    }

    [Fact]
    public void Submit_Again_IsTheSameTaskForTheSameSpecificationOnly()
    {
        TaskFixture task = new(this);
        task.Submit();

        task.Submit().Reply.ShouldBe(new CommandAccepted(TaskFixture.Id, Existed: true));
        task.Submit("other").Reply.ShouldBeOfType<CommandRefused>().Reason.ShouldContain("another specification");
        Journaled().Count.ShouldBe(1);
    }

    [Fact]
    public void Command_ForATaskThatNeverWas_IsRefusedAsNotFound() =>
        new TaskFixture(this).Ask(new PauseTask()).Reply.ShouldBeOfType<CommandRefused>().NotFound.ShouldBeTrue();

    [Fact]
    public void Recovery_OfATaskThatOnlyWaits_WritesItsRowAndNoEvent()
    {
        Lost(new TaskFixture(this), t => t.Submit());

        TaskFixture second = new(this, incarnation: 2);
        second.Slots.FishForMessage<SlotStatus>(s => s.Wants, TimeSpan.FromSeconds(10));

        Journaled().Count.ShouldBe(1);
        TaskRow row = second.Rows.Put.ShouldHaveSingleItem();
        (row.Owner, row.Sequence, row.Term).ShouldBe((2, 1, 1));
    }

    [Fact]
    public void Recovery_OfATaskThatRan_ShowsItWaiting()
    {
        Lost(
            new TaskFixture(this),
            t =>
            {
                t.Submit();
                t.Start();
            }
        );

        TaskFixture second = new(this, incarnation: 2);
        second.Slots.FishForMessage<SlotStatus>(s => s.Wants, TimeSpan.FromSeconds(10));

        TaskSummary shown = second.Rows.Put.ShouldHaveSingleItem().Summary;
        shown.Status.ShouldBe(TaskStatus.Pending);
        shown.Detail.ShouldContain("was lost");
    }

    [Fact]
    [Trait("Lane", "Slow")]
    public void Row_OfATaskThatTrains_HasItsProgressWithoutAnEvent()
    {
        TaskFixture task = new(this);
        task.Submit();
        task.Start();
        int events = Journaled().Count;

        task.Host.Post(new WorkerProgressed(task.Run, TaskFixture.Progress(7)));

        AwaitCondition(() => task.Rows.Put[^1].Summary.Progress.Step == 7, TimeSpan.FromSeconds(10));
        Journaled().Count.ShouldBe(events);
    }

    [Fact]
    public void Row_KeptByAnotherOwner_EndsTheRunAtOnce()
    {
        TaskFixture task = new(this);
        task.Submit();
        task.Start();

        task.Actor.Tell(new RowRefused(TaskFixture.Id));

        task.ShouldStop();
        task.Effect<StopWorker>().Grace.ShouldBe(TimeSpan.Zero);
        task.Starter.ExpectMsg<TaskStopped>(TimeSpan.FromSeconds(10)).Reason.ShouldBe(TaskStopReason.Fenced);
    }

    [Fact]
    public void Row_AfterACheckpoint_ListsItWithTermAndTime()
    {
        TaskFixture task = new(this);
        task.Submit();
        task.Start();

        string name = task.Save(40);

        AwaitCondition(() => task.Rows.Checkpoints.Count == 1, TimeSpan.FromSeconds(10));
        CheckpointListing listed = task.Rows.Checkpoints[0];
        (listed.Checkpoint.Name, listed.Term, listed.Damaged).ShouldBe((name, 1, false));
        listed.Time.ShouldBe(TimeProvider.System.GetUtcNow(), TimeSpan.FromMinutes(1));
    }

    [Fact]
    public void Row_AfterAPin_ShowsIt()
    {
        TaskFixture task = new(this);
        task.Submit();
        task.Start();
        string name = task.Save(40);

        task.Ask(new PinCheckpoint(name)).Reply.ShouldBe(new CommandAccepted(TaskFixture.Id));

        AwaitCondition(() => task.Rows.Checkpoints is [{ Pinned: true }], TimeSpan.FromSeconds(10));
        task.Ask(new UnpinCheckpoint(name)).Reply.ShouldBe(new CommandAccepted(TaskFixture.Id));
        AwaitCondition(() => task.Rows.Checkpoints is [{ Pinned: false }], TimeSpan.FromSeconds(10));
    }

    [Fact]
    public void Recovery_OfAnUnfinishedTask_PersistsAnActivationUnderTheNextTermFirst()
    {
        Lost(new TaskFixture(this), t => t.Submit());

        TaskFixture next = new(this, incarnation: 2);
        next.Start();

        JournaledEvent second = Journaled()[1];
        second.Term.ShouldBe(2);
        second.Event.ShouldBeOfType<TaskActivated>().Incarnation.ShouldBe(2);
        next.Run.Term.ShouldBe(2);
    }

    [Fact]
    public void Recovery_AfterALostNode_GoesOnFromTheLastCheckpoint()
    {
        string name = "";
        Lost(
            new TaskFixture(this),
            t =>
            {
                t.Submit();
                t.Start();
                name = t.Save(40);
            }
        );

        TaskFixture second = new(this, incarnation: 2);
        second.Slots.FishForMessage<SlotStatus>(s => s.Wants);
        second.Actor.Tell(new SlotsGranted(1));

        second.Effect<RestoreCheckpoint>().Checkpoint.Name.ShouldBe(name);
        Journaled().Select(e => e.Event).OfType<TaskInterrupted>().ShouldHaveSingleItem().Reason.ShouldBe(InterruptionReason.NodeLost);
    }

    [Fact]
    public void Effects_OfAStep_StartAfterItsEventsAreJournaled()
    {
        TaskFixture task = new(this);
        task.Submit();
        task.Start();

        // BeginTraining was seen by Start; the event that allows it stands in the journal by then.
        Journaled().Select(e => e.Event).OfType<TaskStarted>().ShouldHaveSingleItem().Run.ShouldBe(1);
    }

    [Fact]
    public void Leave_OfTheNode_IsJournaledBeforeTheTaskIsLetGoAndCountsAsNoLoss()
    {
        Lost(
            new TaskFixture(this),
            t =>
            {
                t.Submit();
                t.Start();
                t.Host.AnnounceLeave();
                AwaitAssert(() => Journaled()[^1].Event.ShouldBeOfType<TaskNodeLeaving>());
            }
        );

        TaskFixture second = new(this, incarnation: 2);
        second.Slots.FishForMessage<SlotStatus>(s => s.Wants);
        second.Actor.Tell(new SlotsGranted(1));
        _ = second.Effect<StartWorker>();

        Journaled().Select(e => e.Event).OfType<TaskInterrupted>().ShouldHaveSingleItem().Reason.ShouldBe(InterruptionReason.NodeStopping);
    }

    [Fact]
    public void Release_WhileTraining_SavesStopsAndLetsGo()
    {
        TaskFixture task = new(this);
        task.Submit();
        task.Start();

        task.Actor.Tell(ReleaseTask.Instance);

        task.Effect<RequestStaging>().Reason.ShouldBe(CheckpointReasons.Migration);
        task.Save(77, CheckpointReasons.Migration);
        task.Host.Post(new WorkerExited(task.Run, 0, null, null, []));
        task.ShouldStop();
        Journaled().Select(e => e.Event.GetType()).TakeLast(2).ShouldBe([typeof(TaskCheckpointed), typeof(TaskInterrupted)]);
    }

    [Fact]
    public void Release_OfATaskThatWaits_LetsGoAtOnce()
    {
        TaskFixture task = new(this);
        task.Submit();

        task.Actor.Tell(ReleaseTask.Instance);

        task.ShouldStop();
        task.Rows.Put[^1].Owner.ShouldBe(0);
        task.Starter.ExpectMsg<TaskStopped>(TimeSpan.FromSeconds(10)).Reason.ShouldBe(TaskStopReason.Released);
    }

    [Fact]
    public void Decision_Throws_HoldsThisTaskAndItsActorLivesOn()
    {
        TaskFixture task = new(this);
        task.Ask(new SubmitTask(TaskFixture.Spec with { Retry = new RetrySpec { Rules = [null!] } }, "hash"));
        task.Start();

        task.Host.Post(new WorkerExited(task.Run, 1, null, null, []));

        AwaitCondition(() => Journaled()[^1].Event is TaskHeld, TimeSpan.FromSeconds(10));
        ((TaskHeld)Journaled()[^1].Event).Reason.ShouldContain("NullReferenceException");
        task.Ask(new CancelTask()).Reply.ShouldBe(new CommandAccepted(TaskFixture.Id));
        Journaled()[^1].Event.ShouldBeOfType<TaskCancelled>();
    }

    [Fact]
    public void Completion_OfTheTraining_PutsTheTaskToRest()
    {
        TaskFixture task = new(this);
        task.Submit();
        task.Start();

        task.Host.Post(new WorkerDone(task.Run, TaskFixture.Progress(1000), new Dictionary<string, string> { ["sum"] = "1" }));
        task.Host.Post(new WorkerExited(task.Run, 0, null, null, []));

        task.Parent.ExpectMsg<Passivate>(TimeSpan.FromSeconds(10)).StopMessage.ShouldBeOfType<StopTask>();
        task.Actor.Tell(StopTask.Instance);
        task.ShouldStop();
        Journaled()[^1].Event.ShouldBeOfType<TaskCompleted>().Results["sum"].ShouldBe("1");
    }

    [Fact]
    [Trait("Lane", "Slow")]
    public void Task_ThatOnlyWaits_GoesToRestAndTakesNoSlotsOnTheWay()
    {
        TaskFixture task = new(this);
        task.Submit();

        task.Parent.ExpectMsg<Passivate>(TimeSpan.FromSeconds(20)).StopMessage.ShouldBeOfType<StopTask>();
        task.Actor.Tell(new SlotsGranted(1));
        task.Slots.FishForMessage<SlotStatus>(s => s.Grant == 1, TimeSpan.FromSeconds(10))
            .ShouldSatisfyAllConditions(s => s.Wants.ShouldBeFalse(), s => s.Takes.ShouldBeFalse());
        task.Actor.Tell(StopTask.Instance);

        task.ShouldStop();
        task.Starter.ExpectMsg<TaskStopped>(TimeSpan.FromSeconds(10)).Reason.ShouldBe(TaskStopReason.Passivated);
        (task.Rows.Put[^1].Owner, task.Rows.Put[^1].Summary.Status).ShouldBe((1, TaskStatus.Pending));
        Journaled().Count.ShouldBe(1);
    }

    [Fact]
    [Trait("Lane", "Slow")]
    public void Command_ForATaskThatHasEnded_WritesNothingUnlessItGoesOn()
    {
        Lost(
            new TaskFixture(this),
            t =>
            {
                t.Submit();
                t.Ask(new CancelTask());
            }
        );
        TaskFixture ended = new(this, incarnation: 2);

        ended.Ask(new PauseTask()).Reply.ShouldBeOfType<CommandRefused>();
        ended.Ask(new CancelTask()).Reply.ShouldBeOfType<CommandAccepted>();

        Journaled().Count.ShouldBe(2);
    }

    [Fact]
    public void Resume_OfATask_IsAcknowledgedOnceItsRowIsWritten()
    {
        TaskFixture task = new(this);
        task.Submit();
        task.Ask(new PauseTask());
        TaskCompletionSource written = new();
        task.Rows.Written = written.Task;

        task.Actor.Tell(new TaskRequest(task.Task, new ResumeTask()), TestActor);

        ExpectNoMsg(TimeSpan.FromMilliseconds(200));
        task.Rows.Put[^1].Summary.Status.ShouldBe(TaskStatus.Pending);
        written.SetResult();
        ExpectMsg<TaskAnswer>(TimeSpan.FromSeconds(10)).Reply.ShouldBeOfType<CommandAccepted>();
    }

    [Fact]
    public void Resume_OfAFailedTask_GoesOnUnderATermOfItsOwn()
    {
        Lost(
            new TaskFixture(this),
            t =>
            {
                t.Ask(new SubmitTask(TaskFixture.Spec with { Retry = new RetrySpec { MaxAttempts = 0 } }, "hash"));
                t.Start();
                t.Host.Post(new WorkerExited(t.Run, 3, null, null, ["boom"]));
                t.Parent.ExpectMsg<Passivate>(TimeSpan.FromSeconds(10));
            }
        );
        TaskFixture again = new(this, incarnation: 2);

        again.Ask(new ResumeTask()).Reply.ShouldBeOfType<CommandAccepted>();

        Journaled().TakeLast(2).Select(e => (e.Term, e.Event.GetType())).ShouldBe([(2, typeof(TaskActivated)), (2, typeof(TaskResumed))]);
    }

    [Fact]
    public void Snapshot_AfterManyEvents_IsKeptAndUsed()
    {
        Lost(
            new TaskFixture(this),
            t =>
            {
                t.Submit();
                for (int i = 0; i < TrainingTaskActor.SnapshotEvery; i++)
                {
                    t.Ask(i % 2 == 0 ? new PauseTask() : new ResumeTask()).Reply.ShouldBeOfType<CommandAccepted>();
                }
            }
        );

        TaskFixture second = new(this, incarnation: 2);
        second.Ask(new PauseTask()).Sequence.ShouldBe(TrainingTaskActor.SnapshotEvery + 3, "its birth, those, an activation, and this");
        SnapshotOf(TaskFixture.Id).ShouldBeOfType<FoldedTask>().State.Spec.Name.ShouldBe("digits");
    }

    [Fact]
    public void Event_OfANewerVersion_LeavesTheTaskAsItIsWithTheReason()
    {
        Lost(new TaskFixture(this), t => t.Submit());
        WriteEvent(new Unreadable("event-2", "'event-2' was written by another version"));

        TaskFixture second = new(this, incarnation: 2);

        second.Ask(new PauseTask()).Reply.ShouldBeOfType<CommandRefused>().Reason.ShouldContain("event-2");
        second.Actor.Tell(ReleaseTask.Instance);
        second.ShouldStop();
    }

    /// <summary>Lets a task do something, then takes its node away: the actor stops without a word.</summary>
    private static void Lost(TaskFixture task, Action<TaskFixture> act)
    {
        act(task);
        task.Actor.Tell(StopTask.Instance);
        task.ShouldStop();
    }

    private List<JournaledEvent> Journaled() => JournalProbe.Ask(this, new JournalProbe.ReadAll()).ShouldBeOfType<List<JournaledEvent>>();

    private object? SnapshotOf(Core.Identity.TaskId task)
    {
        task.ShouldBe(TaskFixture.Id);
        return JournalProbe.Ask(this, new JournalProbe.ReadSnapshot());
    }

    private void WriteEvent(object e) => JournalProbe.Ask(this, new JournalProbe.WriteThis(e));
}
