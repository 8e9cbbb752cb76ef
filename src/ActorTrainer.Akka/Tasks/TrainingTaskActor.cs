using ActorTrainer.Akka.Rows;
using ActorTrainer.Akka.Serialization;
using ActorTrainer.Akka.Sql;
using ActorTrainer.Core.Checkpoints;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Tasks;
using Akka.Actor;
using Akka.Cluster.Sharding;
using Akka.Persistence;

namespace ActorTrainer.Akka.Tasks;

/// <summary>
/// One training task as a persistent, sharded actor: a shell around <see cref="TaskEntity"/>, which decides. A step's events are persisted,
/// then committed, then its effects are started and the reply is sent; Akka gives the actor no other message meanwhile.
/// </summary>
/// <remarks>
/// What a recovered task persists first is <see cref="TaskActivated"/> with the next term, so the term counts activations; a task that only waits
/// writes nothing. Two actors of one task (a partition resolved badly) write under the same sequence; the journal takes one of them and fails the
/// other, which Akka then stops, and its worker with it. One that writes no event for a while learns it from the task's row.
/// </remarks>
internal sealed partial class TrainingTaskActor : UntypedPersistentActor, IWithTimers
{
    /// <summary>Events between snapshots.</summary>
    public const int SnapshotEvery = 200;

    /// <summary>While something is under way: deadlines and watchdog are that exact.</summary>
    private static readonly TimeSpan TickEvery = TimeSpan.FromMilliseconds(100);

    /// <summary>How often the row of a task that trains is written: progress, and the question whether the task is still this actor's.</summary>
    private static readonly TimeSpan RenewEvery = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan UnbornPatience = TimeSpan.FromSeconds(10);

    /// <summary>A task that has ended was recovered because somebody asks for it: the question comes right behind.</summary>
    private static readonly TimeSpan OverPatience = TimeSpan.FromSeconds(1);

    /// <summary>An actor that ends waits for its row that long, and no longer: the database may be away.</summary>
    private static readonly TimeSpan FlushWithin = TimeSpan.FromSeconds(2);

    private readonly TaskId _task;
    private readonly TaskHost _host;
    private readonly Queue<TaskInput> _backlog = [];
    private TaskEntity _entity;
    private readonly DeterministicRandom _random;
    private readonly TaskRowKeeper _row;
    private TaskState? _replayed;
    private string? _unreadable;
    private bool _passivating;
    private bool _ending;
    private EntityStep? _persisting;
    private bool _draining;
    private TaskStopReason _stopReason = TaskStopReason.Failed;
    private IActorRef? _asker;
    private SlotStatus? _said;
    private long _grant;
    private TimeSpan? _nextTick;
    private long? _snapshotBefore;

    public TrainingTaskActor(TaskId task, TaskHost host)
    {
        _task = task;
        _host = host;
        _entity = new TaskEntity(task, host.Home, journalsProgress: false);
        _random = new DeterministicRandom(BitConverter.ToUInt64(System.Security.Cryptography.RandomNumberGenerator.GetBytes(sizeof(ulong))));
        _row = new TaskRowKeeper(host);
        PersistenceId = TaskPersistence.IdOf(task);
        JournalPluginId = TaskPersistence.JournalPlugin;
        SnapshotPluginId = TaskPersistence.SnapshotPlugin;
    }

    public override string PersistenceId { get; }

    public ITimerScheduler Timers { get; set; } = null!;

    public override Recovery Recovery =>
        _host.PassesOverSnapshots(_task) ? new Recovery(SnapshotSelectionCriteria.None) : Recovery.Default;

    public static Props Props(TaskId task, TaskHost host) => global::Akka.Actor.Props.Create(() => new TrainingTaskActor(task, host));

    protected override void PreStart()
    {
        _host.Enter(_task, Self);
        base.PreStart();
    }

    /// <summary>However it ends: what it still runs has lost its owner here.</summary>
    protected override void PostStop()
    {
        if (_stopReason != TaskStopReason.Parked)
        {
            foreach (TaskEffect effect in _entity.Lost())
            {
                _host.Start(effect);
            }
        }

        _host.Leave(_task, Self, _stopReason);
        base.PostStop();
    }

    protected override void OnRecover(object message)
    {
        switch (message)
        {
            case SnapshotOffer { Snapshot: FoldedTask { FoldVersion: TaskState.FoldVersion } folded } offer:
                _replayed = folded.State;
                _row.Times = folded.Times;
                _snapshotBefore = offer.Metadata.SequenceNr;
                break;
            case SnapshotOffer offer:
                _host.PassOverSnapshots(_task);
                throw new InvalidOperationException(
                    $"the snapshot of task {_task} at {offer.Metadata.SequenceNr} is of another version; the task is replayed from its first event when it is started again");
            case Unreadable unreadable:
                _unreadable ??= $"event {LastSequenceNr} of task {_task} cannot be replayed: {unreadable.Reason}";
                break;
            case JournaledEvent journaled when _unreadable is null:
                Fold(journaled);
                break;
            case RecoveryCompleted:
                OnRecovered();
                break;
        }
    }

    protected override void OnRecoveryFailure(Exception reason, object? message = null)
    {
        LogRecoveryFailed(_host.Logger, _task, reason.Message);
        base.OnRecoveryFailure(reason, message);
    }

    protected override void OnPersistFailure(Exception cause, object @event, long sequenceNr)
    {
        LogNotPersisted(_host.Logger, _task, sequenceNr, cause.Message);
        _asker?.Tell(new TaskAnswer(new CommandUnavailable($"task {_task} could not be written: {cause.Message}"), 0));
        if (_stopReason == TaskStopReason.Failed && _entity.TakesSlots && _persisting is { } step && !DatabaseErrors.IsRefusal(cause))
        {
            // Only a journal that cannot be reached parks a run; another owner's event under the same sequence ends it.
            _stopReason = TaskStopReason.Parked;
            _host.Park(new ParkedRun(Self, _entity, step, sequenceNr - 1, _host.Now));
        }

        base.OnPersistFailure(cause, @event, sequenceNr);
    }

    protected override void OnCommand(object message)
    {
        switch (message)
        {
            case TaskRequest request:
                OnRequest(request.Command);
                break;
            case TaskInput input when !_ending:
                _backlog.Enqueue(input);
                DrainBacklog();
                break;
            case SlotsGranted granted:
                OnGranted(granted.Number);
                break;
            case Tick when !_ending:
                _nextTick = null;
                OnTick();
                break;
            case ReleaseTask:
                OnRelease();
                break;
            case StopTask:
                End(TaskStopReason.Passivated);
                break;
            case RowRefused:
                LogRecoveredElsewhere(_host.Logger, _task);
                Context.Stop(Self);
                break;
            case RowFlushed:
                Context.Stop(Self);
                break;
            case SaveSnapshotSuccess saved:
                OnSnapshotSaved(saved.Metadata.SequenceNr);
                break;
            case SaveSnapshotFailure failed:
                // A hint only: the next one may succeed.
                LogNoSnapshot(_host.Logger, _task, failed.Cause.Message);
                break;
        }
    }

    private void Fold(JournaledEvent journaled)
    {
        try
        {
            _replayed = TaskState.Fold(_task, _replayed, [journaled.Event]);
            _row.Times = _row.Times.After(journaled.Event, journaled.At);
        }
        catch (InvalidOperationException broken)
        {
            _unreadable = $"event {LastSequenceNr} of task {_task} cannot be replayed: {broken.Message}";
        }
    }

    private void OnRecovered()
    {
        if (_unreadable is not null)
        {
            LogUnreadable(_host.Logger, _task, _unreadable);
            if (_replayed is not null)
            {
                _row.PutHeld(Self, _replayed, LastSequenceNr, $"its events cannot be replayed: {_unreadable}");
            }

            Say();
            return;
        }

        if (_host.TakeParked(_task) is { } parked)
        {
            if (parked.OutcomeFor(_replayed, LastSequenceNr) is var outcome && outcome != ParkedOutcome.Lost)
            {
                Adopt(parked, outcome);
                return;
            }

            LogRecoveredElsewhere(_host.Logger, _task);
            _host.EndRunOf(parked);
        }

        if (_host.TakeWarm(_task) is { } warm)
        {
            _entity = warm;
        }

        _entity.Recover(_replayed, []);
        EntityStep step = _entity.Recovered(_host.Now);
        PutRow(everything: true);
        Execute(step);
    }

    /// <summary>
    /// Goes on with a run that waited for the journal. That is journaled first: should anybody else write the task's events, it fails.
    /// </summary>
    private void Adopt(ParkedRun parked, ParkedOutcome outcome)
    {
        LogAdopted(_host.Logger, _task, parked.Inputs.Count);
        _entity = parked.Entity;
        EntityStep step = parked.Step;
        if (outcome == ParkedOutcome.Journaled)
        {
            _entity.Commit(step.Persist, _host.Now);
            step = step with { Persist = [] };
        }

        foreach (TaskInput input in parked.Inputs)
        {
            _backlog.Enqueue(input);
        }

        PutRow(everything: true);
        TaskAdopted adopted = new(_entity.State?.Runs ?? 0, _host.Home.Incarnation);
        Execute(step with { Persist = [adopted, .. step.Persist], Reply = null });
    }

    private void DrainBacklog()
    {
        if (_draining)
        {
            return;
        }

        _draining = true;
        while (_persisting is null && !_ending && _backlog.TryDequeue(out TaskInput? input))
        {
            Execute(_entity.On(input, _host.Now, _random));
        }

        _draining = false;
    }

    private void OnRequest(TaskCommand command)
    {
        if (Refusal(command) is { } refusal)
        {
            Sender.Tell(new TaskAnswer(refusal, LastSequenceNr));
            return;
        }

        Execute(_entity.On(command, _host.Now), Sender);
    }

    private CommandReply? Refusal(TaskCommand command) => (command, _entity.State) switch
    {
        _ when _unreadable is not null => new CommandRefused(_unreadable),
        _ when _passivating || _ending => new CommandUnavailable($"task {_task} is just being passivated or handed over; ask again"),
        (SubmitTask submit, { } state) when submit.SpecHash != state.SpecHash =>
            new CommandRefused($"the name '{state.Spec.Name}' belongs to task {_task}, which has another specification; choose another name"),
        (not SubmitTask, null) => new CommandRefused($"there is no task {_task}", NotFound: true),
        _ => null,
    };

    private void OnGranted(long number)
    {
        _grant = number;
        if (_unreadable is null && !_ending && _entity.WantsSlots(_host.Now))
        {
            // The run begins once its activation stands in the journal.
            EntityStep activation = _entity.NeedsActivation ? _entity.Activate(_host.Now) : EntityStep.Nothing;
            Execute(Before(activation, _entity.Grant(_host.Now)));
        }
        else
        {
            Say();
        }
    }

    private void OnTick()
    {
        if (_unreadable is not null)
        {
            return;
        }

        if (_entity.State is null)
        {
            // Nobody's submit has come: it comes back when somebody asks for it.
            _host.Starter.Tell(new TaskUnborn(_task));
            Passivate();
            return;
        }

        if (IsOver)
        {
            // Nothing is left to do; it comes back when somebody asks for it.
            Passivate();
            return;
        }

        Execute(_entity.Tick(_host.Now, _random));
        if (_entity.IsTraining && _host.Now - _row.PutAt >= RenewEvery)
        {
            PutRow();
        }
    }

    private bool IsOver => _entity.State is { IsFinished: true } && _entity.IsIdle && !_entity.TakesSlots;

    private void Passivate()
    {
        if (!_passivating && _persisting is null)
        {
            _passivating = true;
            Context.Parent.Tell(new Passivate(StopTask.Instance));
        }
    }

    private void OnRelease()
    {
        if (_unreadable is not null || _entity.State is null)
        {
            End(TaskStopReason.Released);
            return;
        }

        Execute(_entity.Releasing(0, null, _host.Leaving ? CheckpointReasons.Drain : CheckpointReasons.Migration, _host.Now));
    }

    private void Execute(EntityStep step, IActorRef? asker = null)
    {
        if (step.Persist.Count == 0)
        {
            Finish(step, asker);
            return;
        }

        if (_entity.NeedsActivation)
        {
            step = Before(_entity.Activate(_host.Now), step);
        }

        _persisting = step;
        _asker = asker;
        long term = _entity.Term;
        DateTimeOffset at = _host.Time.GetUtcNow();
        int left = step.Persist.Count;
        PersistAll(step.Persist.Select(e => new JournaledEvent(term, e, at)), _ =>
        {
            if (--left == 0)
            {
                _persisting = null;
                _asker = null;
                _entity.Commit(step.Persist, _host.Now);
                _row.Times = step.Persist.Aggregate(_row.Times, (times, e) => times.After(e, at));
                SnapshotIfDue(step.Persist.Count);
                PutRow(everything: step.Persist.Any(TaskRowKeeper.ChangesCheckpoints));
                Finish(step, asker);
            }
        });
    }

    private static EntityStep Before(EntityStep first, EntityStep step) =>
        step with { Persist = [.. first.Persist, .. step.Persist], AfterCommit = [.. first.AfterCommit, .. step.AfterCommit] };

    private void Finish(EntityStep step, IActorRef? asker)
    {
        foreach (TaskEffect effect in step.AfterCommit)
        {
            _host.Start(effect);
        }

        if (step.Reply is not null)
        {
            asker?.Tell(new TaskAnswer(step.Reply, LastSequenceNr));
        }

        if (step.Release)
        {
            End(TaskStopReason.Released);
            return;
        }

        Say();
        DrainBacklog();
    }

    /// <summary>Stops once the row is written: lists and placement must not know less than the journal while nobody keeps the row.</summary>
    private void End(TaskStopReason reason)
    {
        if (_ending)
        {
            return;
        }

        _ending = true;
        _stopReason = reason;
        if (reason == TaskStopReason.Released)
        {
            PutRow(owner: 0);
        }

        Timers.CancelAll();
        Timers.StartSingleTimer(nameof(RowFlushed), RowFlushed.Instance, FlushWithin);
        _host.Rows.FlushAsync(_task).PipeTo(Self, success: () => RowFlushed.Instance);
    }

    private void PutRow(bool everything = false, long? owner = null)
    {
        if (_entity.Shown is { } shown)
        {
            _row.Put(Self, shown with { Progress = _entity.Progress }, LastSequenceNr, owner ?? _host.Home.Incarnation, everything);
        }
    }

    private void SnapshotIfDue(int written)
    {
        if (LastSequenceNr / SnapshotEvery > (LastSequenceNr - written) / SnapshotEvery)
        {
            SaveSnapshot(new FoldedTask(TaskState.FoldVersion, _entity.State!, _row.Times));
        }
    }

    /// <summary>Two stay, should the newer one turn out to be unreadable.</summary>
    private void OnSnapshotSaved(long sequence)
    {
        if (_snapshotBefore is { } before)
        {
            DeleteSnapshots(new SnapshotSelectionCriteria(before - 1));
        }

        _snapshotBefore = sequence;
    }

    /// <summary>Tells the node's slots how the task stands, when that has changed, and sees to what comes next by itself.</summary>
    private void Say()
    {
        TaskState? state = _unreadable is null ? _entity.State : null;
        SlotStatus now = new(
            _task,
            Self,
            state?.Spec.Priority ?? 0,
            state?.Spec.Slots ?? 0,
            state?.Alone ?? false,
            state is not null && _persisting is null && !_ending && _entity.WantsSlots(_host.Now),
            _entity.TakesSlots && !_entity.WaitsWarm,
            _entity.IsRestoring && !_entity.WaitsWarm,
            _grant);
        if (now != _said)
        {
            _said = now;
            _host.Slots.Tell(now);
        }

        TickAsNeeded();
    }

    /// <summary>A task that only waits has no timer: a node may hold thousands of them.</summary>
    private void TickAsNeeded()
    {
        if (_unreadable is not null || _ending)
        {
            return;
        }

        TimeSpan? next = _entity.State is null ? UnbornPatience
            : !_entity.IsIdle || _entity.TakesSlots ? TickEvery
            : IsOver && !_passivating ? OverPatience
            : _entity.StartsAgainAt is { } at && at > _host.Now ? at - _host.Now + TimeSpan.FromMilliseconds(1)
            : null;
        if (next is { } wait && (_nextTick is null || wait < _nextTick))
        {
            _nextTick = wait;
            Timers.StartSingleTimer(nameof(Tick), Tick.Instance, wait);
        }
    }

    private sealed class Tick : INoSerializationVerificationNeeded
    {
        public static Tick Instance { get; } = new();
    }

    private sealed class RowFlushed : INoSerializationVerificationNeeded
    {
        public static RowFlushed Instance { get; } = new();
    }
}
