using ActorTrainer.Cluster.Messages;
using ActorTrainer.Cluster.Persistence;
using ActorTrainer.Cluster.Rows;
using ActorTrainer.Core.Checkpoints;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Tasks;
using Akka.Actor;
using Akka.Cluster.Sharding;
using Akka.Persistence;

namespace ActorTrainer.Cluster.Tasks;

/// <summary>
/// One training task as a persistent, sharded actor: a shell around <see cref="TaskEntity"/>, which decides. A step's events are persisted,
/// then committed, then its effects are started and the reply is sent; Akka gives the actor no other message meanwhile.
/// </summary>
/// <remarks>
/// What a recovered task persists first is <see cref="TaskActivated"/> with the next term, so the term counts activations; a task that only
/// waits writes nothing. Two actors of one task (a partition resolved badly) write under the same sequence; the journal takes one of them
/// and fails the other, which Akka then stops, and its worker with it. One that writes no event for a while learns it from the task's row.
/// </remarks>
internal sealed partial class TrainingTaskActor : UntypedPersistentActor, IWithTimers
{
    /// <summary>Events between snapshots.</summary>
    public const int SnapshotEvery = 200;

    /// <summary>While something is under way: deadlines and watchdog are that exact.</summary>
    private static readonly TimeSpan TickEvery = TimeSpan.FromMilliseconds(100);

    /// <summary>
    /// How often the row of a task that trains is written: progress, and the question whether the task is still this actor's.
    /// </summary>
    private static readonly TimeSpan RenewEvery = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan UnbornPatience = TimeSpan.FromSeconds(10);

    /// <summary>A task that has ended was recovered because somebody asks for it: the question comes right behind.</summary>
    private static readonly TimeSpan OverPatience = TimeSpan.FromSeconds(1);

    /// <summary>An actor that ends waits for its row that long, and no longer: the database may be away.</summary>
    private static readonly TimeSpan FlushWithin = TimeSpan.FromSeconds(2);

    private readonly TaskId _task;
    private readonly TaskHost _host;
    private readonly TaskInbox _inbox = new();
    private readonly DeterministicRandom _random;
    private readonly TaskRowKeeper _row;
    private TaskEntity _entity;
    private TaskState? _replayed;
    private string? _unreadable;
    private bool _passivating;
    private bool _ending;
    private EntityStep? _persisting;
    private readonly bool _looksForSnapshots;
    private bool _recoversAgain;
    private TimeSpan? _fencedAt;
    private bool _draining;
    private TaskStopReason _stopReason = TaskStopReason.Failed;
    private IActorRef? _asker;
    private SlotStatus? _reported;
    private long _grant;
    private TimeSpan? _nextTick;
    private TimeSpan? _quietSince;

    public TrainingTaskActor(TaskId task, TaskHost host)
    {
        _task = task;
        _host = host;
        _entity = new TaskEntity(task, host.Home, journalsProgress: false);
        _random = new DeterministicRandom(
            BitConverter.ToUInt64(System.Security.Cryptography.RandomNumberGenerator.GetBytes(sizeof(ulong)))
        );
        _row = new TaskRowKeeper(host);
        _looksForSnapshots = host.SnapshotsPassedOver(task) is not null || host.LooksForSnapshots(task);
        PersistenceId = TaskPersistence.IdOf(task);
        JournalPluginId = TaskPersistence.JournalPlugin;
        SnapshotPluginId = TaskPersistence.SnapshotPlugin;
    }

    public override string PersistenceId { get; }

    public ITimerScheduler Timers { get; set; } = null!;

    public static Props Props(TaskId task, TaskHost host) => Akka.Actor.Props.Create(() => new TrainingTaskActor(task, host));

    protected override void PreStart()
    {
        _host.Enter(_task, Self, _inbox);
        base.PreStart();
    }

    /// <summary>However it ends: what it still runs has lost its owner here.</summary>
    protected override void PostStop()
    {
        if (_stopReason != TaskStopReason.Parked)
        {
            _host.GiveUp(_entity);
        }

        _host.Leave(_task, Self, _stopReason);
        base.PostStop();
    }

    protected override void OnPersistFailure(Exception cause, object @event, long sequenceNr)
    {
        LogNotPersisted(_host.Logger, _task, sequenceNr, cause.Message);
        SayNotWritten(cause);
        if (_stopReason == TaskStopReason.Failed && DatabaseErrors.IsRefusal(cause))
        {
            _stopReason = TaskStopReason.Fenced;
        }
        else if (_stopReason == TaskStopReason.Failed && HasRun && _persisting is { } step)
        {
            // Only a journal that cannot be reached parks a run; another owner's event under the same sequence ends it.
            _stopReason = TaskStopReason.Parked;

            // What it stored is in the store whatever becomes of the event. The worker may have two staged states at a time: with this one
            // kept it could stage nothing newer than the next.
            TaskEffect[] released = [.. step.AfterCommit.OfType<ReleaseStaged>()];
            _host.Start(released);
            EntityStep kept = step with { AfterCommit = [.. step.AfterCommit.Except(released)] };
            _host.Park(new ParkedRun(Self, _entity, kept, sequenceNr - 1) { Deadline = _fencedAt }, _inbox);
        }

        base.OnPersistFailure(cause, @event, sequenceNr);
    }

    /// <summary>
    /// The journal will never take such an event. What the task has decided since its last one has not happened then, so it begins anew
    /// from the journal.
    /// </summary>
    protected override void OnPersistRejected(Exception cause, object @event, long sequenceNr)
    {
        LogNotPersisted(_host.Logger, _task, sequenceNr, cause.Message);
        SayNotWritten(cause);
        Context.Stop(Self);
    }

    protected override void OnCommand(object message)
    {
        if (_recoversAgain)
        {
            RecoverAgainOr(message);
            return;
        }

        switch (message)
        {
            case TaskRequest request:
                OnRequest(request.Command);
                break;
            case InputsWait:
                DrainInbox();
                break;
            case SlotsGranted granted:
                OnGranted(granted.Number);
                break;
            case Tick when !_ending:
                _nextTick = null;
                OnTick();
                break;
            case NodeLeaves when _unreadable is null && !_ending:
                Execute(Decide(() => _entity.NodeLeaves(_host.Now, _random)));
                break;
            case ReleaseTask:
                OnRelease();
                break;
            case StopTask:
                End(TaskStopReason.Passivated);
                break;
            case RowRefused:
                LogRecoveredElsewhere(_host.Logger, _task);
                _stopReason = _stopReason == TaskStopReason.Failed ? TaskStopReason.Fenced : _stopReason;
                Context.Stop(Self);
                break;
            case RowFlushed:
                Context.Stop(Self);
                break;
            case SaveSnapshotSuccess saved:
                OnSnapshotSaved(saved.Metadata.SequenceNr);
                break;
            case SnapshotChecked check:
                OnSnapshotChecked(check);
                break;
            case SaveSnapshotFailure failed:
                // A hint only: the next one may succeed.
                _ = _saving.Remove(failed.Metadata.SequenceNr);
                LogNoSnapshot(_host.Logger, _task, failed.Cause.Message);
                break;
        }
    }

    /// <summary>
    /// Whether a run goes on here, or has ended and that is what could not be written. One whose activation is not in the journal has not
    /// begun.
    /// </summary>
    private bool HasRun =>
        _entity.State is { } state && state.Term == _entity.Term && (_entity.TakesSlots || state.Status == Core.Tasks.TaskStatus.Running);

    private void SayNotWritten(Exception cause)
    {
        _asker?.Tell(new TaskAnswer(new CommandUnavailable($"task {_task} could not be written: {cause.Message}"), 0));
        _asker = null;
    }

    private void DrainInbox()
    {
        if (_draining)
        {
            return;
        }

        _draining = true;
        while (_persisting is null && !_ending && _inbox.Take() is { } input)
        {
            Execute(Decide(() => _entity.On(input, _host.Now, _random)));
        }

        _draining = false;
    }

    private void OnRequest(TaskCommand command)
    {
        _quietSince = null;
        if (Refusal(command) is { } refusal)
        {
            Sender.Tell(new TaskAnswer(refusal, LastSequenceNr));
            return;
        }

        Execute(Decide(() => _entity.On(command, _host.Now)), Sender);
    }

    private CommandReply? Refusal(TaskCommand command) =>
        (command, _entity.State) switch
        {
            _ when _retired => TaskEntity.ArchivedReply(_task, command),
            _ when _unreadable is not null => new CommandRefused(_unreadable),
            _ when _passivating || _ending => new CommandUnavailable($"task {_task} is just being handed over or put to rest"),
            (SubmitTask submit, { } state) when submit.SpecHash != state.SpecHash => TaskEntity.NameTaken(_task, state.Spec, submit.Spec),
            (not SubmitTask, null) => new CommandRefused($"there is no task {_task}", NotFound: true),
            _ => null,
        };

    private void OnGranted(long number)
    {
        _grant = number;
        if (_unreadable is null && !_ending && !_passivating && _entity.WantsSlots(_host.Now))
        {
            // The run begins once its activation stands in the journal.
            EntityStep activation = _entity.NeedsActivation ? _entity.Activate(_host.Now) : EntityStep.Nothing;
            Execute(Before(activation, Decide(() => _entity.Grant(_host.Now))));
        }
        else
        {
            ReportStatus();
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

        if (Patience is { } patience)
        {
            // Nothing is left to do for now; it comes back when somebody asks for it, or has slots for it.
            if (QuietFor() >= patience)
            {
                Passivate();
            }
            else
            {
                TickAsNeeded();
            }

            return;
        }

        Execute(Decide(() => _entity.Tick(_host.Now, _random)));
        if (_entity.IsTraining && _host.Now - _row.PutAt >= RenewEvery)
        {
            PutRow();
        }
    }

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

        string reason = _host.Leaving ? CheckpointReasons.Drain : CheckpointReasons.Migration;
        Execute(Decide(() => _entity.Releasing(0, null, reason, _host.Now)));
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
        PersistAll(
            step.Persist.Select(e => new JournaledEvent(term, e, at)),
            _ =>
            {
                if (--left == 0)
                {
                    _persisting = null;
                    _asker = null;
                    _fencedAt = null;
                    _entity.Commit(step.Persist, _host.Now);
                    if (_entity.State is { Archived: true })
                    {
                        asker?.Tell(new TaskAnswer(step.Reply!, LastSequenceNr));
                        Retire();
                        return;
                    }

                    _row.Times = step.Persist.Aggregate(_row.Times, (times, e) => times.After(e, at));
                    SnapshotIfDue(step.Persist.Count);
                    PutRow(everything: step.Persist.Any(TaskRowKeeper.ChangesCheckpoints));
                    Finish(step, asker);
                }
            }
        );
    }

    private static EntityStep Before(EntityStep first, EntityStep step) =>
        step with
        {
            Persist = [.. first.Persist, .. step.Persist],
            AfterCommit = [.. first.AfterCommit, .. step.AfterCommit],
        };

    private void Finish(EntityStep step, IActorRef? asker)
    {
        _host.Start(step.AfterCommit);
        if (step.Reply is not null && asker is not null)
        {
            Answer(asker, new TaskAnswer(step.Reply, LastSequenceNr), step.Persist);
        }

        if (step.Release)
        {
            End(TaskStopReason.Released);
            return;
        }

        ReportStatus();
        DrainInbox();
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
