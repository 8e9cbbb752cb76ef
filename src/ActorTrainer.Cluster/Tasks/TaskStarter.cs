using ActorTrainer.Cluster.Members;
using ActorTrainer.Cluster.Messages;
using ActorTrainer.Cluster.Placement;
using ActorTrainer.Cluster.Rows;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Membership;
using ActorTrainer.Core.Tasks;
using Akka.Actor;
using Microsoft.Extensions.Logging;

namespace ActorTrainer.Cluster.Tasks;

/// <summary>
/// Sees to it that every unfinished task that may not rest has an actor. The rows say which tasks there are, so no list of entities has to
/// be journaled beside them. The coordinator's node wakes tasks whose owner is gone, highest priority first; every node wakes its own whose
/// actor has ended. Tasks that rest are given to other lives by <see cref="TaskAssigner"/> and woken by <see cref="SlotActor"/>.
/// </summary>
internal sealed partial class TaskStarter : ReceiveActor, IWithTimers
{
    private static readonly TimeSpan CheckEvery = TimeSpan.FromMilliseconds(500);

    /// <summary>
    /// A task whose row does not say who has it is woken again, soon at first: until the region has heard that the former owner is gone,
    /// what it is sent is lost with it. Both hear it at about the same time, when the cluster has removed the member; so it begins anew
    /// then.
    /// </summary>
    private static readonly TimeSpan AgainFirst = TimeSpan.FromMilliseconds(10);
    private static readonly TimeSpan AgainLast = TimeSpan.FromSeconds(5);

    /// <summary>Its client wakes a new task itself.</summary>
    private static readonly TimeSpan NewPatience = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan FirstBackoff = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan LongestBackoff = TimeSpan.FromSeconds(10);

    /// <summary>A run that waits for the journal is tried that often: its task should commit as soon as it can.</summary>
    private static readonly TimeSpan ParkedBackoff = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan AfterFencing = TimeSpan.FromSeconds(1);

    private readonly TaskHost _host;
    private readonly TaskIndex _index;
    private readonly Func<ClusterView> _view;
    private readonly Func<IActorRef> _region;
    private readonly Func<TaskId, Task> _withdraw;
    private readonly TimeSpan _selfFenceAfter;
    private readonly TogetherClock _together = new();
    private readonly ILogger _logger;
    private readonly Dictionary<TaskId, (int Times, TimeSpan Next)> _woken = [];
    private readonly Dictionary<TaskId, TimeSpan> _seenNew = [];
    private readonly Dictionary<TaskId, (int Failures, TimeSpan Last)> _failures = [];
    private long _checkedVersion = -1;
    private ClusterView? _lastView;

    /// <param name="host">The node's tasks.</param>
    /// <param name="index">All unfinished tasks.</param>
    /// <param name="view">The members.</param>
    /// <param name="region">The shard region.</param>
    /// <param name="withdraw">Takes a name back whose task was never submitted.</param>
    /// <param name="selfFenceAfter">How long a parked run goes on while a member is out of reach.</param>
    /// <param name="logger">Where it logs.</param>
    public TaskStarter(
        TaskHost host,
        TaskIndex index,
        Func<ClusterView> view,
        Func<IActorRef> region,
        Func<TaskId, Task> withdraw,
        TimeSpan selfFenceAfter,
        ILogger logger
    )
    {
        _selfFenceAfter = selfFenceAfter;
        _host = host;
        _index = index;
        _view = view;
        _region = region;
        _withdraw = withdraw;
        _logger = logger;
        Receive<Check>(OnCheck);
        Receive<TaskStopped>(OnStopped);
        Receive<Wake>(wake =>
        {
            if (!IsOfAnother(wake.Task))
            {
                WakeNow(wake.Task);
            }
        });
        Receive<TaskUnborn>(OnUnborn);
        Receive<LifeRemoved>(_ =>
        {
            _woken.Clear();
            OnCheck(new Check(Periodic: false) { Again = true });
        });
    }

    public ITimerScheduler Timers { get; set; } = null!;

    /// <summary>Something changed among members or rows.</summary>
    public static object Changed { get; } = new Check(Periodic: false);

    protected override void PreStart()
    {
        Context.System.EventStream.Subscribe(Self, typeof(LifeRemoved));
        Timers.StartPeriodicTimer(nameof(Check), new Check(Periodic: true), CheckEvery);
    }

    protected override void PostStop() => Context.System.EventStream.Unsubscribe(Self);

    private void OnCheck(Check check)
    {
        ClusterView view = _view();
        if (!check.Periodic && !check.Again && _checkedVersion == _index.Version && ReferenceEquals(view, _lastView))
        {
            return;
        }

        _checkedVersion = _index.Version;
        _lastView = view;
        if (_host.Leaving)
        {
            return;
        }

        if (view.Coordinator == _host.Home.Incarnation)
        {
            WakeOrphans(view);
        }

        if (check.Periodic)
        {
            _together.Look(_host.Now, IsAlone(view));
            WakeOwn();
            LookAtParked(view);
        }
    }

    /// <summary>Tasks whose owner is gone, and those that nobody has had yet.</summary>
    private void WakeOrphans(ClusterView view)
    {
        IReadOnlyList<TaskRow> orphans = _index.NotOwnedBy(
            view.Living,
            row => row.Sequence == 0 || !RestPolicy.OutlivesItsOwner(row.Summary.Status)
        );
        if (orphans.Count == 0)
        {
            _woken.Clear();
            _seenNew.Clear();
            Timers.Cancel(nameof(AgainFirst));
            return;
        }

        TimeSpan now = _host.Now;
        TimeSpan next = now + AgainLast;
        int woken = 0;
        foreach (TaskRow row in orphans)
        {
            bool isNew = row.Sequence == 0;
            if (isNew && _seenNew.TryAdd(row.Summary.Task, now))
            {
                continue;
            }

            if (isNew && now - _seenNew[row.Summary.Task] < NewPatience)
            {
                continue;
            }

            woken += WakeIfDue(row.Summary.Task, now) && _woken[row.Summary.Task].Times == 1 ? 1 : 0;
            next = _woken[row.Summary.Task].Next is var due && due < next ? due : next;
        }

        if (woken > 0)
        {
            LogWoken(_logger, woken);
        }

        Timers.StartSingleTimer(nameof(AgainFirst), new Check(Periodic: false) { Again = true }, next - now);
    }

    private bool WakeIfDue(TaskId task, TimeSpan now)
    {
        (int times, TimeSpan next) = _woken.GetValueOrDefault(task);
        if (now < next)
        {
            return false;
        }

        _woken[task] = (times + 1, now + ExponentialBackoff.After(AgainFirst, times, AgainLast));
        ShardHomes.Forget(_region(), task, _host.NumberOfShards);
        WakeNow(task);
        return true;
    }

    /// <summary>
    /// Tasks that this life has on record, that may not rest, and that have no actor here: it ended and nothing has started it again.
    /// </summary>
    private void WakeOwn()
    {
        TimeSpan now = _host.Now;
        foreach (TaskRow row in _index.RestlessOf(_host.Home.Incarnation).Where(row => !_host.Has(row.Summary.Task)))
        {
            TaskId task = row.Summary.Task;
            if (!Timers.IsTimerActive(task.Value))
            {
                WakeIfDue(task, now);
            }
        }
    }

    /// <summary>
    /// Whether another life has the task that is not down on record. A node that is cut off and still has the shard, as far as it knows,
    /// must not take the task back from those that went on with it.
    /// </summary>
    private bool IsOfAnother(TaskId task) =>
        _index.Find(task) is { } row && row.Owner != _host.Home.Incarnation && _view().Find(row.Owner) is { IsRegistered: true };

    private void OnStopped(TaskStopped stopped)
    {
        switch (stopped.Reason)
        {
            case TaskStopReason.Released:
                // The region keeps the message until the shard has its next owner.
                WakeNow(stopped.Task);
                break;
            case TaskStopReason.Failed:
                TimeSpan now = _host.Now;
                (int failures, TimeSpan last) = _failures.GetValueOrDefault(stopped.Task);
                failures = now - last > 2 * LongestBackoff ? 0 : failures;
                _failures[stopped.Task] = (failures + 1, now);
                TimeSpan longest = _host.Parked.ContainsKey(stopped.Task) ? ParkedBackoff : LongestBackoff;
                Timers.StartSingleTimer(
                    stopped.Task.Value,
                    new Wake(stopped.Task),
                    ExponentialBackoff.After(FirstBackoff, failures, longest)
                );
                break;
            case TaskStopReason.Fenced:
                // By then the row is read that says whose the task is, unless it was a write of this life that got no answer.
                Timers.StartSingleTimer(stopped.Task.Value, new Wake(stopped.Task), AfterFencing);
                break;
            case TaskStopReason.Parked:
                WakeParked(stopped.Task);
                break;
            case TaskStopReason.Passivated:
                _failures.Remove(stopped.Task);
                break;
        }
    }

    /// <summary>
    /// A parked run goes on for as long as every member is within reach: none of them can have given its task to another. Once one is not,
    /// it has as long as a node that lost everybody. It ends at once when its task is known to have another owner. A task that no actor has
    /// taken up meanwhile is woken for it.
    /// </summary>
    private void LookAtParked(ClusterView view)
    {
        foreach (ParkedRun run in _host.Parked.Values)
        {
            TaskId task = run.Entity.Task;
            long owner = _index.Find(task)?.Owner ?? _host.Home.Incarnation;
            bool elsewhere = owner != _host.Home.Incarnation && view.Find(owner)?.IsLiving == true;
            run.Deadline ??= IsAlone(view) ? _together.Until + _selfFenceAfter : null;
            if (elsewhere || _host.Now > run.Deadline)
            {
                LogParkedEnded(_logger, task, elsewhere ? "another node has it" : "not all members can be reached");
                _host.EndParked(run);
            }
            else if (!_host.Has(task))
            {
                WakeParked(task);
            }
        }
    }

    /// <summary>Again and again, whatever its row says: it may be late by as long as the journal is away.</summary>
    private void WakeParked(TaskId task)
    {
        if (!Timers.IsTimerActive(task.Value))
        {
            Timers.StartSingleTimer(task.Value, new Wake(task), ParkedBackoff);
        }
    }

    private static bool IsAlone(ClusterView view) => view.Members.Any(m => m.State == MemberState.Suspect);

    private void OnUnborn(TaskUnborn unborn)
    {
        if (_index.Find(unborn.Task) is { Sequence: 0 })
        {
            _withdraw(unborn.Task)
                .ContinueWith(
                    withdrawn => LogNotWithdrawn(_logger, unborn.Task, withdrawn.Exception!.GetBaseException().Message),
                    CancellationToken.None,
                    TaskContinuationOptions.OnlyOnFaulted,
                    TaskScheduler.Default
                );
        }
    }

    private void WakeNow(TaskId task) => _region().Tell(new WakeTask(task));

    [LoggerMessage(Level = LogLevel.Information, Message = "{Count} tasks without a living owner are started")]
    private static partial void LogWoken(ILogger logger, int count);

    [LoggerMessage(Level = LogLevel.Warning, Message = "the run of task {Task} that waited for the journal is ended: {Reason}")]
    private static partial void LogParkedEnded(ILogger logger, TaskId task, string reason);

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "the name of task {Task}, which was never submitted, could not be given back: {Problem}"
    )]
    private static partial void LogNotWithdrawn(ILogger logger, TaskId task, string problem);

    private sealed record Check(bool Periodic) : INoSerializationVerificationNeeded
    {
        /// <summary>Whether tasks may be due that were woken before.</summary>
        public bool Again { get; init; }
    }

    private sealed record Wake(TaskId Task) : INoSerializationVerificationNeeded;
}
