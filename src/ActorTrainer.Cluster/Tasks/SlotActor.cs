using ActorTrainer.Cluster.Rows;
using ActorTrainer.Core.Configuration;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Sharding;
using ActorTrainer.Core.Tasks;
using Akka.Actor;
using TaskStatus = ActorTrainer.Core.Tasks.TaskStatus;

namespace ActorTrainer.Cluster.Tasks;

/// <summary>
/// Gives the slots of a node to the tasks on it, highest priority first; those that wait at rest are woken when there could be slots for
/// them. Tasks that still replay are waited for a moment, so that after a node's loss the order is that of the priorities and not that of
/// the replays.
/// </summary>
internal sealed class SlotActor : ReceiveActor, IWithTimers
{
    private static readonly TimeSpan ReplayPatience = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan GrantAgainAfter = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan GrantAtRestAfter = TimeSpan.FromSeconds(1);

    /// <summary>
    /// A round looks at every task that is awake: where there are more than so many, it waits so long for what else comes.
    /// </summary>
    private const int Many = 100;
    private static readonly TimeSpan GatherFor = TimeSpan.FromMilliseconds(20);

    private readonly NodeModel _model;
    private readonly long _life;
    private readonly Action<TaskId> _wake;
    private readonly Func<TimeSpan> _now;
    private readonly RestingTasks _resting;
    private readonly SortedDictionary<TaskId, SlotStatus> _tasks = [];
    private readonly Dictionary<TaskId, long> _granted = [];
    private readonly Dictionary<TaskId, TimeSpan> _recovering = [];
    private long _lastGrant;
    private bool _closed;
    private bool _granting;

    /// <param name="model">The node's model.</param>
    /// <param name="life">The node's life.</param>
    /// <param name="wake">Has a task of this node recovered; returns at once.</param>
    /// <param name="now">Monotonic time.</param>
    public SlotActor(NodeModel model, long life, Action<TaskId> wake, Func<TimeSpan> now)
    {
        _model = model;
        _life = life;
        _wake = wake;
        _now = now;
        _resting = new RestingTasks(model.Slots);
        Receive<TaskRecovering>(r =>
        {
            _recovering[r.Task] = _now();
            GrantSoon();
        });
        Receive<SlotStatus>(OnStatus);
        Receive<RowsChanged>(OnRows);
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
        bool another = _tasks.TryGetValue(status.Task, out SlotStatus? known) && !known.Entity.Equals(status.Entity);
        _tasks[status.Task] = status;
        _resting.Awake(status.Task, _now());
        if (_granted.TryGetValue(status.Task, out long number) && (another || status.Grant >= number))
        {
            // It has heard of the grant, or goes on with the run of an actor that had it: from here on its own word counts.
            _granted.Remove(status.Task);
        }

        GrantSoon();
    }

    private void OnRows(RowsChanged changed)
    {
        foreach (TaskRow row in changed.Rows)
        {
            TaskSummary task = row.Summary;
            if (row.Owner == _life && row.Sequence > 0 && task.Status == TaskStatus.Pending)
            {
                _resting.Put(
                    new SlotCandidate(task.Task, task.Priority, task.Slots, task.Alone),
                    _tasks.ContainsKey(task.Task) ? _now() : _now() + RestingTasks.TakeOverPatience
                );
            }
            else
            {
                _resting.Remove(task.Task);
            }
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
        if (_granting)
        {
            return;
        }

        _granting = true;
        if (_tasks.Count > Many)
        {
            Timers.StartSingleTimer(nameof(GrantSoon), new GrantDue(), GatherFor);
        }
        else
        {
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
        SlotUsage usage = new(
            taking.Sum(t => t.Slots),
            taking.Count(t => t.Restoring || _granted.ContainsKey(t.Task)),
            taking.Length > 0,
            taking.Any(t => t.Alone)
        );

        // The first that does not fit ends the giving, so more of those at rest need not be looked at.
        int most = Math.Max(0, _model.Slots - usage.Used) + 1;
        List<SlotCandidate> waiting =
        [
            .. _tasks
                .Values.Where(t => t.Wants && !t.Takes && !_granted.ContainsKey(t.Task))
                .Select(t => new SlotCandidate(t.Task, t.Priority, t.Slots, t.Alone)),
            .. _resting.First(most, _tasks.ContainsKey, _now()),
        ];
        if (waiting.Count > 0)
        {
            Wake(SlotPolicy.Grant(waiting, usage, _model.Slots, int.MaxValue));
            Grant(SlotPolicy.Grant(waiting, usage, _model.Slots, _model.Sharding.MaxConcurrentRestores));
        }

        if (_resting.Count > 0 && usage.Used < _model.Slots && !Timers.IsTimerActive(nameof(GrantAtRestAfter)))
        {
            // Some may not come, and some may not yet be woken.
            Timers.StartSingleTimer(nameof(GrantAtRestAfter), new GrantDue(), GrantAtRestAfter);
        }
    }

    /// <summary>While some restore, the next ones are recovered already.</summary>
    private void Wake(IReadOnlyList<TaskId> tasks)
    {
        foreach (TaskId task in tasks)
        {
            if (!_tasks.ContainsKey(task) && _resting.Wake(task, _now()))
            {
                _wake(task);
            }
        }
    }

    private void Grant(IReadOnlyList<TaskId> tasks)
    {
        foreach (TaskId task in tasks)
        {
            if (_tasks.TryGetValue(task, out SlotStatus? status))
            {
                _granted[task] = ++_lastGrant;
                status.Entity.Tell(new SlotsGranted(_lastGrant));
            }
        }
    }

    private sealed record GrantDue : INoSerializationVerificationNeeded;
}
