using ActorTrainer.Cluster.Messages;
using ActorTrainer.Cluster.Persistence;
using ActorTrainer.Cluster.Tasks;
using ActorTrainer.Cluster.Tests.Support;
using ActorTrainer.Core.Tasks;
using Akka.Actor;
using Akka.Configuration;
using Akka.Persistence;
using Akka.Persistence.TestKit;
using Akka.TestKit.Xunit2;

namespace ActorTrainer.Cluster.Tests.Tasks;

/// <summary>
/// A task's actor on a journal that fails, rejects, hangs, or cannot be read; the next actor of the task is started by hand, on the same
/// node.
/// </summary>
[Trait("Lane", "Slow")]
public sealed class JournalFaultTests : TestKit
{
    private static readonly Config Faulty = ConfigurationFactory.ParseString(
        """
        akka.persistence.journal.actortrainer {
          class = "Akka.Persistence.TestKit.TestJournal, Akka.Persistence.TestKit"
          circuit-breaker { max-failures = 100, call-timeout = 1s, reset-timeout = 1s }
        }
        akka.persistence.snapshot-store.actortrainer.class = "Akka.Persistence.TestKit.TestSnapshotStore, Akka.Persistence.TestKit"
        """
    );

    private readonly ITestJournal _journal;
    private readonly ITestSnapshotStore _snapshots;

    public JournalFaultTests()
        : base(Faulty.WithFallback(TestSystems.InMemory()))
    {
        PersistenceExtension persistence = Akka.Persistence.Persistence.Instance.Apply(Sys);
        _journal = TestJournal.FromRef(persistence.JournalFor(TaskPersistence.JournalPlugin));
        _snapshots = TestSnapshotStore.FromRef(persistence.SnapshotStoreFor(TaskPersistence.SnapshotPlugin));
    }

    [Fact]
    public async Task Write_Fails_TheClientIsToldAndNothingHasHappened()
    {
        TaskFixture task = new(this);
        task.Submit();
        await _journal.OnWrite.Fail();

        task.Ask(new PauseTask()).Reply.ShouldBeOfType<CommandUnavailable>();

        task.ShouldStop();
        task.Starter.ExpectMsg<TaskStopped>(TimeSpan.FromSeconds(10)).Reason.ShouldBe(TaskStopReason.Failed);
        await _journal.OnWrite.Pass();
        Journaled().Count.ShouldBe(1);
    }

    [Fact]
    public async Task Write_FailsWhileTraining_TheRunGoesOnAndIsAdoptedWithWhatItStaged()
    {
        TaskFixture task = Training();
        await _journal.OnWrite.Fail();

        Store(task, 10);
        ShouldPark(task);
        task.Effect<ReleaseStaged>().StagedId.ShouldBe("s10", "the worker has room for a newer one");
        task.Host.Post(new WorkerStaged(task.Run, State(20)));
        task.Host.Post(new WorkerStaged(task.Run, State(30)));
        task.Effect<ReleaseStaged>().StagedId.ShouldBe("s20");
        await _journal.OnWrite.Pass();
        Recover(task);

        Store(task.Effect<SaveCheckpoint>(), task);
        task.Effect<ReleaseStaged>().StagedId.ShouldBe("s30");
        Events<TaskCheckpointed>().Select(c => c.Checkpoint.Step).ShouldBe([10, 30]);
        Events<TaskAdopted>().ShouldHaveSingleItem().Run.ShouldBe(1);
        Events<TaskStarted>().Count.ShouldBe(1);
    }

    /// <summary>No worker has begun under the term that the journal did not take, so there is nothing to keep.</summary>
    [Fact]
    public async Task Write_OfTheNextOwnersActivationFails_TheTaskWaitsForSlotsAgain()
    {
        TaskFixture lost = Training();
        lost.Parent.Unwatch(lost.Actor);
        TaskFixture task = new(this, incarnation: 2);
        task.Slots.FishForMessage<SlotStatus>(s => s.Wants, TimeSpan.FromSeconds(10));
        await _journal.OnWrite.Fail();

        task.Actor.Tell(new SlotsGranted(1));

        task.ShouldStop();
        task.Starter.ExpectMsg<TaskStopped>(TimeSpan.FromSeconds(10)).Reason.ShouldBe(TaskStopReason.Failed);
        task.Slots.FishForMessage<TaskGone>(gone => gone.Entity.Equals(task.Actor), TimeSpan.FromSeconds(10));
        task.Host.Parked.ShouldBeEmpty();
        await _journal.OnWrite.Pass();
        IActorRef next = Recover(task);
        task.Slots.FishForMessage<SlotStatus>(s => s.Wants && s.Entity.Equals(next), TimeSpan.FromSeconds(10));
        next.Tell(new SlotsGranted(2));
        task.Effect<StartWorker>().Run.Term.ShouldBe(2);
    }

    [Fact]
    public async Task Write_FailsAfterAWhile_WhatHappenedInThatTimeIsNotLost()
    {
        TaskFixture task = Training();
        TaskCompletionSource away = new(TaskCreationOptions.RunContinuationsAsynchronously);
        Hold hold = new(away.Task);
        await _journal.OnWrite.SetInterceptorAsync(hold);

        Store(task, 10);
        await hold.Reached.WaitAsync(TimeSpan.FromSeconds(10));
        task.Host.Post(new WorkerStaged(task.Run, State(20)));
        task.Host.Post(new WorkerStaged(task.Run, State(30)));
        task.Host.Post(new WorkerDone(task.Run, TaskFixture.Progress(1000), new Dictionary<string, string>()));
        task.Host.Post(new WorkerExited(task.Run, 0, null, null, []));
        away.SetException(new TestJournalFailureException());
        ShouldPark(task);
        task.Effect<ReleaseStaged>().StagedId.ShouldBe("s10");
        task.Effect<ReleaseStaged>().StagedId.ShouldBe("s20", "the worker waits for room");
        await _journal.OnWrite.Pass();
        Recover(task);

        Store(task.Effect<SaveCheckpoint>(), task);
        AwaitCondition(() => Events<TaskCompleted>().Count == 1, TimeSpan.FromSeconds(10));
        Events<TaskCheckpointed>().Select(c => c.Checkpoint.Step).ShouldBe([10, 30]);
        Events<TaskStarted>().Count.ShouldBe(1);
    }

    [Fact]
    public async Task Write_OfTheAdoptionFails_TheRunsTimeGoesOn()
    {
        TaskFixture task = Training();
        await _journal.OnWrite.Fail();
        Store(task, 10);
        ShouldPark(task);
        task.Host.Parked[TaskFixture.Id].Deadline = TimeSpan.FromHours(1);

        Recover(task);

        task.Starter.ExpectMsg<TaskStopped>(TimeSpan.FromSeconds(10)).Reason.ShouldBe(TaskStopReason.Parked);
        task.Host.Parked[TaskFixture.Id].Deadline.ShouldBe(TimeSpan.FromHours(1), "only an answer of the journal gives it more");
    }

    [Fact]
    public async Task Write_OfTheEndFails_IsCommittedByTheNextActorAndNothingIsDoneAgain()
    {
        TaskFixture task = Training();
        await _journal.OnWrite.Fail();

        task.Host.Post(new WorkerDone(task.Run, TaskFixture.Progress(1000), new Dictionary<string, string> { ["sum"] = "1" }));
        task.Host.Post(new WorkerExited(task.Run, 0, null, null, []));
        ShouldPark(task);
        await _journal.OnWrite.Pass();
        Recover(task);

        AwaitCondition(() => Events<TaskCompleted>().Count == 1, TimeSpan.FromSeconds(10));
        Events<TaskCompleted>()[0].Results["sum"].ShouldBe("1");
        Events<TaskStarted>().Count.ShouldBe(1);
    }

    [Fact]
    public async Task Write_IsRejected_TheRunEndsAndTheNextOwnerGoesOnWithoutAGap()
    {
        TaskFixture task = Training();
        int before = Journaled().Count;
        await _journal.OnWrite.Reject();

        task.Ask(new PauseTask()).Reply.ShouldBeOfType<CommandUnavailable>();

        task.ShouldStop();
        task.Effect<StopWorker>().Grace.ShouldBe(TimeSpan.Zero);
        task.Starter.ExpectMsg<TaskStopped>(TimeSpan.FromSeconds(10)).Reason.ShouldBe(TaskStopReason.Failed);
        await _journal.OnWrite.Pass();
        TaskFixture next = new(this, incarnation: 2);
        next.Ask(new PauseTask()).Sequence.ShouldBe(before + 3, "an activation, the loss of the run, and this");
    }

    [Fact]
    public async Task Write_HangsAndArrivesAfterAll_IsCommittedOnce()
    {
        TaskFixture task = Training();
        TaskCompletionSource arrive = new(TaskCreationOptions.RunContinuationsAsynchronously);
        await _journal.OnWrite.SetInterceptorAsync(new Hold(arrive.Task));

        Store(task, 10);
        ShouldPark(task);
        await _journal.OnWrite.Pass();
        arrive.SetResult();
        AwaitCondition(() => Events<TaskCheckpointed>().Count == 1, TimeSpan.FromSeconds(10));
        Recover(task);

        AwaitCondition(() => Events<TaskAdopted>().Count == 1, TimeSpan.FromSeconds(10));
        Events<TaskCheckpointed>().Count.ShouldBe(1);
    }

    [Fact]
    public async Task Write_HangsAndNeverArrives_IsCommittedOnceByTheNextActor()
    {
        TaskFixture task = Training();
        await _journal.OnWrite.SetInterceptorAsync(new Hold(new TaskCompletionSource().Task));

        Store(task, 10);
        ShouldPark(task);
        await _journal.OnWrite.Pass();
        Recover(task);

        AwaitCondition(() => Events<TaskAdopted>().Count == 1, TimeSpan.FromSeconds(10));
        Events<TaskCheckpointed>().Count.ShouldBe(1);
    }

    [Fact]
    public async Task Write_HangsAndAnotherOwnerHasWrittenMeanwhile_TheRunEnds()
    {
        TaskFixture task = Training();
        await _journal.OnWrite.Fail();
        Store(task, 10);
        ShouldPark(task);
        await _journal.OnWrite.Pass();
        TaskFixture other = new(this, incarnation: 2);
        other.Ask(new PauseTask()).Reply.ShouldBeOfType<CommandAccepted>();

        Recover(task);

        task.Effect<StopWorker>().Grace.ShouldBe(TimeSpan.Zero);
        Events<TaskCheckpointed>().ShouldBeEmpty("it was not the task's any more");
        Events<TaskAdopted>().ShouldBeEmpty();
    }

    [Fact]
    public async Task Recovery_Fails_TheParkedRunWaitsForTheNext()
    {
        TaskFixture task = Training();
        await _journal.OnWrite.Fail();
        Store(task, 10);
        ShouldPark(task);
        await _journal.OnWrite.Pass();
        await _journal.OnRecovery.Fail();

        IActorRef failed = Recover(task);
        task.Parent.Watch(failed);
        task.Parent.ExpectTerminated(failed, TimeSpan.FromSeconds(20));
        task.Starter.ExpectMsg<TaskStopped>(TimeSpan.FromSeconds(10)).Reason.ShouldBe(TaskStopReason.Failed);
        task.Host.Parked.ContainsKey(TaskFixture.Id).ShouldBeTrue();
        await _journal.OnRecovery.Pass();
        Recover(task);

        AwaitCondition(() => Events<TaskCheckpointed>().Count == 1, TimeSpan.FromSeconds(10));
        Events<TaskStarted>().Count.ShouldBe(1);
    }

    [Fact]
    public async Task Snapshot_CannotBeSaved_TheTaskGoesOnAndIsRecoveredFromItsEvents()
    {
        TaskFixture task = new(this);
        task.Submit();
        await _snapshots.OnSave.Fail();
        for (int i = 0; i <= TrainingTaskActor.SnapshotEvery; i++)
        {
            task.Ask(i % 2 == 0 ? new PauseTask() : new ResumeTask()).Reply.ShouldBeOfType<CommandAccepted>();
        }

        task.Actor.Tell(StopTask.Instance);
        task.ShouldStop();

        new TaskFixture(this, incarnation: 2).Ask(new ResumeTask()).Sequence.ShouldBe(TrainingTaskActor.SnapshotEvery + 4);
    }

    [Fact]
    public async Task Snapshot_CannotBeLoaded_TheTaskWaitsAndFoldsNothing()
    {
        TaskFixture born = new(this);
        born.Submit();
        born.Actor.Tell(StopTask.Instance);
        born.ShouldStop();
        await _snapshots.OnLoad.Fail();

        TaskFixture task = new(this, incarnation: 2);
        task.ShouldStop();
        await _snapshots.OnLoad.Pass();

        task.Rows.Put.ShouldBeEmpty();
        new TaskFixture(this, incarnation: 3).Ask(new PauseTask()).Sequence.ShouldBe(3);
    }

    [Fact]
    public async Task Snapshot_OfATaskWithFewEvents_IsNotLookedFor()
    {
        TaskFixture born = new(this);
        born.Submit();
        born.Actor.Tell(StopTask.Instance);
        born.ShouldStop();
        await _snapshots.OnLoad.Fail();

        new TaskFixture(this, incarnation: 2, isLong: _ => false).Ask(new PauseTask()).Sequence.ShouldBe(3);
    }

    [Fact]
    public void Snapshot_OfATaskWithMoreEventsThanWasKnown_IsReadAfterAllAndNoCommandIsLost()
    {
        TaskFixture task = new(this);
        task.Submit();
        for (int i = 0; i <= TrainingTaskActor.SnapshotEvery + 10; i++)
        {
            task.Ask(i % 2 == 0 ? new PauseTask() : new ResumeTask()).Reply.ShouldBeOfType<CommandAccepted>();
        }

        task.Actor.Tell(StopTask.Instance);
        task.ShouldStop();

        TaskFixture next = new(this, incarnation: 2, isLong: _ => false);
        next.Ask(new ResumeTask())
            .Sequence.ShouldBe(TrainingTaskActor.SnapshotEvery + 14, "the submit, 211 commands, an activation and this");
        next.Ask(new PauseTask()).Reply.ShouldBeOfType<CommandAccepted>();
    }

    private TaskFixture Training()
    {
        TaskFixture task = new(this);
        task.Submit();
        task.Start();
        return task;
    }

    private static StagedState State(long step) => new($"s{step}", step, 0, "interval", new Dictionary<string, double>());

    /// <summary>The worker stages a state and the store takes it; the journal is still to be asked.</summary>
    private static void Store(TaskFixture task, long step)
    {
        task.Host.Post(new WorkerStaged(task.Run, State(step)));
        Store(task.Effect<SaveCheckpoint>(), task);
    }

    private static void Store(SaveCheckpoint save, TaskFixture task) =>
        task.Host.Post(new CheckpointStored(save.Run, save.State.Id, TaskFixture.Ref(save)));

    private static void ShouldPark(TaskFixture task)
    {
        task.ShouldStop();
        task.Starter.ExpectMsg<TaskStopped>(TimeSpan.FromSeconds(10)).Reason.ShouldBe(TaskStopReason.Parked);
    }

    private static IActorRef Recover(TaskFixture task) => task.Parent.ChildActorOf(TrainingTaskActor.Props(TaskFixture.Id, task.Host));

    private List<JournaledEvent> Journaled() => JournalProbe.Ask(this, new JournalProbe.ReadAll()).ShouldBeOfType<List<JournaledEvent>>();

    private List<T> Events<T>()
        where T : TaskEvent => [.. Journaled().Select(e => e.Event).OfType<T>()];

    /// <summary>Writes are done when a task ends.</summary>
    private sealed class Hold(Task until) : IJournalInterceptor
    {
        private readonly TaskCompletionSource _reached = new(TaskCreationOptions.RunContinuationsAsynchronously);

        /// <summary>Ends with the first write.</summary>
        public Task Reached => _reached.Task;

        public Task InterceptAsync(IPersistentRepresentation message)
        {
            _reached.TrySetResult();
            return until;
        }
    }
}
