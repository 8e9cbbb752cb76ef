using ActorTrainer.Core.Configuration;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Sharding;
using Akka.Actor;

namespace ActorTrainer.Cluster.Tasks;

/// <summary>
/// Gives the slots of a node to the tasks on it, highest priority first. Tasks that still replay are waited for a moment, so that after a
/// node's loss the order is that of the priorities and not that of the replays.
/// </summary>
internal sealed class SlotActor : ReceiveActor, IWithTimers
{
    private static readonly TimeSpan ReplayPatience = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan GrantAgainAfter = TimeSpan.FromMilliseconds(50);

    private readonly NodeModel _model;
    private readonly Func<TimeSpan> _now;
    private readonly SortedDictionary<TaskId, SlotStatus> _tasks = [];
    private readonly Dictionary<TaskId, long> _granted = [];
    private readonly Dictionary<TaskId, TimeSpan> _recovering = [];
    private long _lastGrant;
    private bool _closed;
    private bool _granting;

    public SlotActor(NodeModel model, Func<TimeSpan> now)
    {
        _model = model;
        _now = now;
        Receive<TaskRecovering>(r =>
        {
            _recovering[r.Task] = _now();
            GrantSoon();
        });
        Receive<SlotStatus>(OnStatus);
        Receive<TaskGone>(OnGone);
        Receive<CloseSlots>(_ => _closed = true);
        Receive<GrantDue>(_ =>
        {
            _granting = false;
            Grant();
        });
    }

    public ITimerScheduler Timers { get; set; } = null!;

    private void OnStatus(SlotStatus status)
    {
        _recovering.Remove(status.Task);
        _tasks[status.Task] = status;
        if (_granted.TryGetValue(status.Task, out long number) && status.Grant >= number)
        {
            // It has heard of the grant: from here on its own word counts.
            _granted.Remove(status.Task);
        }

        GrantSoon();
    }

    private void OnGone(TaskGone gone)
    {
        if (_tasks.TryGetValue(gone.Task, out SlotStatus? known) && !known.Entity.Equals(gone.Entity))
        {
            // The task has come back already, in another actor.
            return;
        }

        _tasks.Remove(gone.Task);
        _granted.Remove(gone.Task);
        _recovering.Remove(gone.Task);
        GrantSoon();
    }

    /// <summary>One round for all that is in the mailbox: thousands of tasks may report at the same time.</summary>
    private void GrantSoon()
    {
        if (!_granting)
        {
            _granting = true;
            Self.Tell(new GrantDue());
        }
    }

    private void Grant()
    {
        if (_closed)
        {
            return;
        }

        if (_recovering.Values.Any(since => _now() - since < ReplayPatience))
        {
            Timers.StartSingleTimer(nameof(GrantDue), new GrantDue(), GrantAgainAfter);
            return;
        }

        SlotStatus[] taking = [.. _tasks.Values.Where(t => t.Takes || _granted.ContainsKey(t.Task))];
        SlotCandidate[] waiting =
        [
            .. _tasks.Values.Where(t => t.Wants && !t.Takes && !_granted.ContainsKey(t.Task)).Select(t => new SlotCandidate(t.Task, t.Priority, t.Slots, t.Alone)),
        ];
        if (waiting.Length == 0)
        {
            return;
        }

        SlotUsage usage = new(
            taking.Sum(t => t.Slots),
            taking.Count(t => t.Restoring || _granted.ContainsKey(t.Task)),
            taking.Length > 0,
            taking.Any(t => t.Alone));
        foreach (TaskId task in SlotPolicy.Grant(waiting, usage, _model.Slots, _model.Sharding.MaxConcurrentRestores))
        {
            _granted[task] = ++_lastGrant;
            _tasks[task].Entity.Tell(new SlotsGranted(_lastGrant));
        }
    }

    private sealed record GrantDue : INoSerializationVerificationNeeded;
}
