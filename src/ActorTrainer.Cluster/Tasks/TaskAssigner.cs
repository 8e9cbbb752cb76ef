using ActorTrainer.Cluster.Placement;
using ActorTrainer.Cluster.Rows;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Membership;
using ActorTrainer.Core.Tasks;
using Akka.Actor;
using Microsoft.Extensions.Logging;

namespace ActorTrainer.Cluster.Tasks;

/// <summary>
/// Gives tasks that rest to the lives where their shards are or will be, many in one transaction and without recovering them: after the
/// loss of their owner, and when their shards have moved. The coordinator's node does it, highest priority first. Tasks whose rows turn out
/// not to know all of their events are woken instead.
/// </summary>
internal sealed partial class TaskAssigner : ReceiveActor, IWithTimers
{
    private const int MostAtOnce = 1000;

    /// <summary>Plans run out without a word, and a write that failed is tried again.</summary>
    private static readonly TimeSpan CheckEvery = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan AgainFirst = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan AgainLast = TimeSpan.FromSeconds(10);

    private readonly TaskIndex _index;
    private readonly ShardPlanner _planner;
    private readonly Func<ClusterView> _view;
    private readonly Assign _assign;
    private readonly Action<TaskId> _wake;
    private readonly Func<TimeSpan> _now;
    private readonly TimeSpan _settle;
    private readonly ILogger _logger;
    private readonly Dictionary<TaskId, (long Version, int Times, TimeSpan Next)> _behind = [];

    /// <summary>Tasks whose rows have changed since the last look.</summary>
    private readonly HashSet<TaskId> _changed = [];

    /// <summary>What places followed from at the last look.</summary>
    private (long Planner, ClusterView? View) _looked;

    /// <summary>Whether the next look is at all tasks and not only at those that have changed.</summary>
    private bool _all = true;
    private IReadOnlySet<long> _living = new HashSet<long>();
    private TimeSpan _settledAt;
    private bool _writing;

    /// <param name="index">All unfinished tasks.</param>
    /// <param name="planner">Says where shards are and go.</param>
    /// <param name="view">The members.</param>
    /// <param name="assign">Writes the rows.</param>
    /// <param name="wake">Has a task recovered; returns at once.</param>
    /// <param name="now">Monotonic time.</param>
    /// <param name="settle">How long others are waited for after a member has come, so that not the first after a restart gets
    /// everything.</param>
    /// <param name="logger">Where it logs.</param>
    public TaskAssigner(
        TaskIndex index,
        ShardPlanner planner,
        Func<ClusterView> view,
        Assign assign,
        Action<TaskId> wake,
        Func<TimeSpan> now,
        TimeSpan settle,
        ILogger logger
    )
    {
        _index = index;
        _planner = planner;
        _view = view;
        _assign = assign;
        _wake = wake;
        _now = now;
        _settle = settle;
        _logger = logger;
        Receive<Check>(_ => OnCheck());
        Receive<RowsChanged>(rows =>
        {
            if (!_all)
            {
                _changed.UnionWith(rows.Rows.Select(row => row.Summary.Task));
            }

            OnCheck();
        });
        Receive<Assigned>(OnAssigned);
        Receive<Status.Failure>(failed =>
        {
            _writing = false;
            _all = true;
            LogNotAssigned(_logger, failed.Cause.GetBaseException().Message);
        });
    }

    /// <summary>Writes that tasks belong to a life; see <see cref="TaskRowTable.AssignAsync"/>.</summary>
    public delegate Task<List<TaskId>> Assign(IReadOnlyCollection<TaskId> tasks, long seen, long owner);

    public ITimerScheduler Timers { get; set; } = null!;

    /// <summary>Something changed among the members.</summary>
    public static object Changed => Check.Instance;

    protected override void PreStart() => Timers.StartPeriodicTimer(nameof(Check), Check.Instance, CheckEvery);

    private void OnCheck()
    {
        WakeBehind();
        ClusterView view = _view();
        IReadOnlySet<long> living = view.Living;
        if (!living.IsSubsetOf(_living))
        {
            _settledAt = _now() + _settle;
        }

        _living = living;
        if (view.Coordinator != view.Self)
        {
            _changed.Clear();
            _all = true;
            return;
        }

        _all |= (_planner.Version, view) != _looked;
        if (_writing || _now() < _settledAt || (!_all && _changed.Count == 0))
        {
            return;
        }

        List<TaskRow> misplaced = Misplaced(view, out Dictionary<int, long> places);
        _looked = (_planner.Version, view);
        _all = false;
        _changed.Clear();
        if (misplaced.Count > 0)
        {
            _writing = true;
            WriteAsync(misplaced, places).PipeTo(Self);
        }
    }

    private List<TaskRow> Misplaced(ClusterView view, out Dictionary<int, long> places)
    {
        Dictionary<int, long> known = places = [];
        IEnumerable<TaskRow> rows = _all
            ? _index.Where(row => IsMisplaced(row, view, known))
            : _changed.Select(_index.Find).OfType<TaskRow>().Where(row => IsMisplaced(row, view, known));
        return [.. rows.Take(MostAtOnce)];
    }

    private bool IsMisplaced(TaskRow row, ClusterView view, Dictionary<int, long> places)
    {
        bool lost = !_living.Contains(row.Owner);
        if (
            row.Sequence == 0
            || _behind.ContainsKey(row.Summary.Task)
            || !(lost ? RestPolicy.OutlivesItsOwner(row.Summary.Status) : RestPolicy.MayRest(row.Summary.Status))
        )
        {
            return false;
        }

        if (!places.TryGetValue(row.Summary.Shard, out long place))
        {
            places[row.Summary.Shard] = place = _planner.Place(row.Summary.Shard, view);
        }

        return place != 0 && place != row.Owner;
    }

    private async Task<Assigned> WriteAsync(List<TaskRow> rows, Dictionary<int, long> places)
    {
        long seen = rows.Max(row => row.Version);
        List<TaskId> behind = [];
        foreach (IGrouping<long, TaskRow> place in rows.GroupBy(row => places[row.Summary.Shard]))
        {
            behind.AddRange(await _assign([.. place.Select(row => row.Summary.Task)], seen, place.Key));
        }

        Dictionary<TaskId, TaskRow> written = rows.ToDictionary(row => row.Summary.Task);
        return new Assigned(rows.Count, [.. behind.Select(task => written[task])]);
    }

    private void OnAssigned(Assigned assigned)
    {
        _writing = false;
        LogAssigned(_logger, assigned.Count, assigned.Behind.Count);
        assigned.Behind.ForEach(row => _behind[row.Summary.Task] = (row.Version, 0, TimeSpan.Zero));
        _all = true;
        OnCheck();
    }

    /// <summary>What has more events than its row knows is recovered, until its row is another one.</summary>
    private void WakeBehind()
    {
        foreach ((TaskId task, (long version, int times, TimeSpan next)) in _behind.ToArray())
        {
            if (_index.Find(task)?.Version != version)
            {
                _behind.Remove(task);
            }
            else if (_now() >= next)
            {
                _behind[task] = (version, times + 1, _now() + ExponentialBackoff.After(AgainFirst, times, AgainLast));
                _wake(task);
            }
        }
    }

    [LoggerMessage(
        Level = LogLevel.Information,
        Message = "{Count} tasks that rest have another owner now; {Behind} of them are recovered"
    )]
    private static partial void LogAssigned(ILogger logger, int count, int behind);

    [LoggerMessage(Level = LogLevel.Warning, Message = "tasks that rest could not be given to other nodes now: {Problem}")]
    private static partial void LogNotAssigned(ILogger logger, string problem);

    private sealed record Assigned(int Count, List<TaskRow> Behind) : INoSerializationVerificationNeeded;

    private sealed class Check : INoSerializationVerificationNeeded
    {
        public static Check Instance { get; } = new();
    }
}
