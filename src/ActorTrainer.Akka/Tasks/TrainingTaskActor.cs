using ActorTrainer.Akka.Serialization;
using ActorTrainer.Core.Checkpoints;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Tasks;
using Akka.Actor;
using Akka.Cluster.Sharding;
using Akka.Persistence;
using TaskStatus = ActorTrainer.Core.Tasks.TaskStatus;

namespace ActorTrainer.Akka.Tasks;

/// <summary>
/// One training task as a persistent, sharded actor: a shell around <see cref="TaskEntity"/>, which decides. A step's events are persisted,
/// then committed, then its effects are started and the reply is sent; Akka gives the actor no other message meanwhile.
/// </summary>
/// <remarks>
/// The first thing persisted after recovery is <see cref="TaskActivated"/> with the next term, so the term counts activations. Two actors of
/// one task (a partition resolved badly) write under the same sequence; the journal takes one of them and fails the other, which Akka then
/// stops, and its worker with it.
/// </remarks>
internal sealed partial class TrainingTaskActor : UntypedPersistentActor, IWithTimers
{
    /// <summary>Events between snapshots.</summary>
    public const int SnapshotEvery = 200;

    /// <summary>While something is under way: deadlines and watchdog are that exact.</summary>
    private static readonly TimeSpan TickEvery = TimeSpan.FromMilliseconds(100);

    /// <summary>While it waits, and nothing depends on the time; a node may hold thousands of such tasks.</summary>
    private static readonly TimeSpan IdleTickEvery = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan UnbornPatience = TimeSpan.FromSeconds(10);

    private readonly TaskId _task;
    private readonly TaskHost _host;
    private readonly TaskEntity _entity;
    private readonly DeterministicRandom _random;
    private TaskState? _replayed;
    private string? _unreadable;
    private bool _activated;
    private bool _passivating;
    private IActorRef? _asker;
    private SlotStatus? _said;
    private long _grant;
    private TimeSpan _bornAt;
    private TimeSpan _ticks;

    public TrainingTaskActor(TaskId task, TaskHost host)
    {
        _task = task;
        _host = host;
        _entity = new TaskEntity(task, host.Home);
        _random = new DeterministicRandom(BitConverter.ToUInt64(System.Security.Cryptography.RandomNumberGenerator.GetBytes(sizeof(ulong))));
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
        _bornAt = _host.Now;
        _host.Enter(_task, Self);
        _host.Slots.Tell(new TaskRecovering(_task));
        base.PreStart();
    }

    /// <summary>However it ends: what it still runs has lost its owner here.</summary>
    protected override void PostStop()
    {
        foreach (TaskEffect effect in _entity.Lost())
        {
            _host.Start(effect);
        }

        _host.Leave(_task, Self);
        _host.Slots.Tell(new TaskGone(_task, Self));
        base.PostStop();
    }

    protected override void OnRecover(object message)
    {
        switch (message)
        {
            case SnapshotOffer { Snapshot: FoldedTask { FoldVersion: TaskState.FoldVersion } folded }:
                _replayed = folded.State;
                break;
            case SnapshotOffer offer:
                _host.PassOverSnapshots(_task);
                throw new InvalidOperationException(
                    $"the snapshot of task {_task} at {offer.Metadata.SequenceNr} is of another version; the task is replayed from its first event when it is started again");
            case Unreadable unreadable:
                _unreadable ??= $"event {LastSequenceNr} of task {_task} cannot be replayed: {unreadable.Reason}";
                break;
            case JournaledEvent journaled when _unreadable is null:
                Fold(journaled.Event);
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
        base.OnPersistFailure(cause, @event, sequenceNr);
    }

    protected override void OnCommand(object message)
    {
        switch (message)
        {
            case TaskRequest request:
                OnRequest(request.Command);
                break;
            case TaskInput input:
                Execute(_entity.On(input, _host.Now, _random));
                break;
            case SlotsGranted granted:
                OnGranted(granted.Number);
                break;
            case Tick:
                OnTick();
                break;
            case ReleaseTask:
                OnRelease();
                break;
            case StopTask:
                Context.Stop(Self);
                break;
            case SaveSnapshotSuccess saved:
                DeleteSnapshots(new SnapshotSelectionCriteria(saved.Metadata.SequenceNr - 1));
                break;
            case SaveSnapshotFailure failed:
                // A hint only: the next one may succeed.
                LogNoSnapshot(_host.Logger, _task, failed.Cause.Message);
                break;
        }
    }

    private void Fold(TaskEvent e)
    {
        try
        {
            _replayed = TaskState.Fold(_task, _replayed, [e]);
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
        }
        else
        {
            _entity.Recover(_replayed, []);
            if (_replayed is null)
            {
                // Not born yet: a submit writes the first activation itself.
                _entity.Activated(1, _host.Now);
                _activated = true;
            }
            else if (!_replayed.IsFinished)
            {
                Execute(Activate(), then: () => Execute(_entity.Continue(_host.Now)));
            }
        }

        Say();
    }

    private EntityStep Activate()
    {
        _activated = true;
        return _entity.Activated(_entity.State!.Term + 1, _host.Now);
    }

    private void OnRequest(TaskCommand command)
    {
        if (Refusal(command) is { } refusal)
        {
            Sender.Tell(new TaskAnswer(refusal, LastSequenceNr));
            return;
        }

        EntityStep step = _entity.On(command, _host.Now);
        if (!_activated && step.Persist.Count > 0)
        {
            // It had ended, and goes on: under a term of its own, as after any activation.
            EntityStep activation = Activate();
            step = step with { Persist = [.. activation.Persist, .. step.Persist], AfterCommit = [.. activation.AfterCommit, .. step.AfterCommit] };
        }

        Execute(step, Sender);
    }

    private CommandReply? Refusal(TaskCommand command) => (command, _entity.State) switch
    {
        _ when _unreadable is not null => new CommandRefused(_unreadable),
        _ when _passivating => new CommandUnavailable($"task {_task} has just been put to rest; ask again"),
        (SubmitTask submit, { } state) when submit.SpecHash != state.SpecHash =>
            new CommandRefused($"the name '{state.Spec.Name}' belongs to task {_task}, which has another specification; choose another name"),
        (not SubmitTask, null) => new CommandRefused($"there is no task {_task}", NotFound: true),
        _ => null,
    };

    private void OnGranted(long number)
    {
        _grant = number;
        if (_unreadable is null && _entity.WantsSlots(_host.Now))
        {
            Execute(_entity.Grant(_host.Now));
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

        Execute(_entity.Tick(_host.Now, _random));
        bool unborn = _entity.State is null && _host.Now - _bornAt > UnbornPatience;
        bool over = _entity.State is { IsFinished: true } && _entity.IsIdle && !_entity.TakesSlots;
        if ((unborn || over) && !_passivating && !IsPersisting)
        {
            // Not remembered any more: it comes back when somebody asks for it.
            _passivating = true;
            Context.Parent.Tell(new Passivate(StopTask.Instance));
        }
    }

    private bool IsPersisting { get; set; }

    private void OnRelease()
    {
        if (_unreadable is not null || _entity.State is null)
        {
            Context.Stop(Self);
            return;
        }

        Execute(_entity.Releasing(0, null, _host.Leaving ? CheckpointReasons.Drain : CheckpointReasons.Migration, _host.Now));
    }

    private void Execute(EntityStep step, IActorRef? asker = null, Action? then = null)
    {
        if (step.Persist.Count == 0)
        {
            Finish(step, asker, then);
            return;
        }

        IsPersisting = true;
        _asker = asker;
        long term = _entity.Term;
        int left = step.Persist.Count;
        PersistAll(step.Persist.Select(e => new JournaledEvent(term, e)), _ =>
        {
            if (--left == 0)
            {
                IsPersisting = false;
                _asker = null;
                _entity.Commit(step.Persist, _host.Now);
                SnapshotIfDue(step.Persist.Count);
                Finish(step, asker, then);
            }
        });
    }

    private void Finish(EntityStep step, IActorRef? asker, Action? then)
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
            Context.Stop(Self);
            return;
        }

        then?.Invoke();
        Say();
    }

    private void SnapshotIfDue(int written)
    {
        if (LastSequenceNr / SnapshotEvery > (LastSequenceNr - written) / SnapshotEvery)
        {
            SaveSnapshot(new FoldedTask(TaskState.FoldVersion, _entity.State!));
        }
    }

    /// <summary>Tells the node's slots how the task stands, when that has changed.</summary>
    private void Say()
    {
        TaskState? state = _unreadable is null ? _entity.State : null;
        SlotStatus now = new(
            _task,
            Self,
            state?.Spec.Priority ?? 0,
            state?.Spec.Slots ?? 0,
            state?.Alone ?? false,
            state is not null && _activated && !IsPersisting && _entity.WantsSlots(_host.Now),
            _entity.TakesSlots,
            _entity.IsRestoring,
            _grant);
        if (now != _said)
        {
            _said = now;
            _host.Slots.Tell(now);
        }

        TickAsNeeded(state);
    }

    private void TickAsNeeded(TaskState? state)
    {
        bool waits = state is { Status: TaskStatus.Pending or TaskStatus.Paused or TaskStatus.Held } && _entity.IsIdle && !_entity.TakesSlots;
        TimeSpan every = waits ? IdleTickEvery : TickEvery;
        if (every != _ticks)
        {
            _ticks = every;
            Timers.StartPeriodicTimer(nameof(Tick), Tick.Instance, every);
        }
    }

    private sealed class Tick : INoSerializationVerificationNeeded
    {
        public static Tick Instance { get; } = new();
    }
}

/// <summary>The shard goes elsewhere, or the node goes: save, stop, let go. The hand-off's stop message.</summary>
internal sealed record ReleaseTask : INoSerializationVerificationNeeded
{
    public static ReleaseTask Instance { get; } = new();
}

/// <summary>Nothing is left to do: the actor may stop. Sent back by the shard after a passivation.</summary>
internal sealed record StopTask : INoSerializationVerificationNeeded
{
    public static StopTask Instance { get; } = new();
}
