using ActorTrainer.Cluster.Messages;
using ActorTrainer.Core.Tasks;
using Akka.Actor;

namespace ActorTrainer.Cluster.Tasks;

/// <content>How the task stands: its row, its wish for slots, when it has to act again, and its end.</content>
internal sealed partial class TrainingTaskActor
{
    /// <summary>
    /// Stops once the row is written: lists and placement must not know less than the journal while nobody keeps the row.
    /// </summary>
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

    /// <summary>What the task decides. A decision that throws holds the task, and ends neither this actor nor its node.</summary>
    private EntityStep Decide(Func<EntityStep> decision)
    {
        try
        {
            return decision();
        }
        catch (Exception e)
        {
            LogFault(_host.Logger, _task, e);
            return _entity.Fault($"{e.GetType().Name}: {e.Message}");
        }
    }

    /// <summary>
    /// Answers a command. A task that had ended and goes on is answered for once its row says so: nobody would wake it if this node died
    /// before, and whoever was told that it goes on would wait in vain.
    /// </summary>
    private void Answer(IActorRef asker, TaskAnswer answer, IReadOnlyList<TaskEvent> journaled)
    {
        if (journaled.Any(e => e is TaskResumed or TaskRestoreChosen))
        {
            _host.Rows.FlushAsync(_task).PipeTo(asker, Self, success: () => answer);
        }
        else
        {
            asker.Tell(answer);
        }
    }

    private void PutRow(bool everything = false, long? owner = null)
    {
        if (_entity.Shown is { } shown)
        {
            _row.Put(Self, shown with { Progress = _entity.Progress }, LastSequenceNr, owner ?? _host.Home.Incarnation, everything);
        }
    }

    /// <summary>Tells the node's slots how the task stands, when that has changed, and sees to what comes next by itself.</summary>
    private void ReportStatus()
    {
        TaskState? state = _unreadable is null ? _entity.State : null;
        SlotStatus now = new(
            _task,
            Self,
            state?.Spec.Priority ?? 0,
            state?.Spec.Slots ?? 0,
            state?.Alone ?? false,
            state is not null && _persisting is null && !_ending && !_passivating && _entity.WantsSlots(_host.Now),
            _entity.TakesSlots && !_entity.WaitsWarm,
            _entity.IsRestoring && !_entity.WaitsWarm,
            _grant
        );
        if (now != _reported)
        {
            _reported = now;
            _host.Slots.Tell(now);
        }

        TickAsNeeded();
    }

    /// <summary>
    /// How long a task of which nothing is under way, and that nobody asks for, stays in memory; null: something is. One that only waits
    /// goes to rest: a node may have thousands of them.
    /// </summary>
    private TimeSpan? Patience =>
        _entity.State is { IsFinished: true } && _entity.IsIdle && !_entity.TakesSlots ? OverPatience
        : _entity.MayRest ? _host.RestAfter
        : null;

    private TimeSpan QuietFor() => _host.Now - (_quietSince ??= _host.Now);

    private void TickAsNeeded()
    {
        if (_unreadable is not null || _ending)
        {
            return;
        }

        TimeSpan? patience = Patience;
        _quietSince = patience is null ? null : _quietSince ?? _host.Now;
        TimeSpan? next =
            _entity.State is null ? UnbornPatience
            : !_entity.IsIdle || _entity.TakesSlots ? TickEvery
            : _passivating ? null
            : patience is { } quiet
                ? quiet - QuietFor() is { Ticks: > 0 } left ? left
                    : TimeSpan.FromMilliseconds(1)
            : _entity.StartsAgainAt is { } at && at > _host.Now ? at - _host.Now + TimeSpan.FromMilliseconds(1)
            : null;
        if (next is { } wait && (_nextTick is null || wait < _nextTick))
        {
            _nextTick = wait;
            Timers.StartSingleTimer(nameof(Tick), Tick.Instance, wait);
        }
    }
}
