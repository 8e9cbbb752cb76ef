using ActorTrainer.Core.Configuration;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Membership;
using ActorTrainer.Core.Placement;
using ActorTrainer.Core.Sharding;

namespace ActorTrainer.Cluster.Placement;

/// <summary>
/// Core's <see cref="PlacementPlanner"/> for Akka's shard coordinator and whoever else asks: with this life's clock, for many threads, and
/// with the members as they are seen. Every node has one; that of the node whose coordinator is active decides.
/// </summary>
internal sealed class ShardPlanner(NodeModel model, Func<TimeSpan> now)
{
    private static readonly TimeSpan PlanAgainAfter = TimeSpan.FromSeconds(1);

    /// <summary>What time alone brings about has come about by then, but for what takes minutes.</summary>
    private static readonly TimeSpan SettledAfter = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan PlanSettledAgainAfter = TimeSpan.FromSeconds(5);

    private readonly PlacementPlanner _planner = new(model.Sharding);
    private readonly Lock _gate = new();
    private ClusterView? _view;
    private long _changes;
    private (IReadOnlyDictionary<int, long> Owned, long Changes, TimeSpan Since, TimeSpan At)? _quiet;

    /// <summary>
    /// Somebody asked for a move; it is planned with the next round. Forgotten when the shard is there or the time is over.
    /// </summary>
    public void Request(MoveRequest request)
    {
        lock (_gate)
        {
            _changes++;
            _planner.Request(request.Shard, request.To, now());
        }
    }

    /// <summary>Takes what has changed of the tasks.</summary>
    /// <param name="changed">Unfinished tasks as they are now, <see cref="TaskDemand.Of"/>.</param>
    /// <param name="ended">Tasks that have ended or were removed.</param>
    public void Show(IEnumerable<TaskDemand> changed, IEnumerable<TaskId> ended)
    {
        lock (_gate)
        {
            _changes++;
            foreach (TaskDemand task in changed)
            {
                _planner.Show(task, now());
            }

            foreach (TaskId task in ended)
            {
                _planner.Remove(task);
            }
        }
    }

    /// <summary>The life that gets a shard; 0 when none accepts.</summary>
    /// <param name="shard">A shard without owner.</param>
    /// <param name="counts">How many shards each life has, 0 for a life that is not known.</param>
    /// <param name="owned">Owner of every shard that has one; asked for only when the counts do not fit what is known.</param>
    /// <param name="view">The members.</param>
    public long Allocate(int shard, IReadOnlyDictionary<long, int> counts, Func<IReadOnlyDictionary<int, long>> owned, ClusterView view)
    {
        lock (_gate)
        {
            SetMembers(view);
            _changes++;
            if (!_planner.OwnersAgree(counts))
            {
                _planner.SetOwners(owned());
            }

            return _planner.Allocate(shard, now());
        }
    }

    /// <summary>The life that the resting tasks of a shard belong to; 0: not known now.</summary>
    public long Place(int shard, ClusterView view)
    {
        lock (_gate)
        {
            SetMembers(view);
            return _planner.Place(shard, now());
        }
    }

    /// <summary>Grows whenever <see cref="Place"/> may answer something else than before.</summary>
    public long Version
    {
        get
        {
            lock (_gate)
            {
                return _planner.Version;
            }
        }
    }

    /// <summary>
    /// Shards that should be taken from their owners now. While nothing happens, and nothing moves, it is only looked once a second, and
    /// after a while every five, for what time alone brings about.
    /// </summary>
    /// <param name="owned">Owner of every shard that has one; the same object as long as it is the same.</param>
    /// <param name="moving">Shards that move already.</param>
    /// <param name="view">The members.</param>
    public IReadOnlyList<ShardMove> Rebalance(IReadOnlyDictionary<int, long> owned, IReadOnlySet<int> moving, ClusterView view)
    {
        lock (_gate)
        {
            SetMembers(view);
            TimeSpan at = now();
            bool unchanged = moving.Count == 0 && _quiet is { } known && ReferenceEquals(known.Owned, owned) && known.Changes == _changes;
            TimeSpan since = unchanged ? _quiet!.Value.Since : at;
            if (unchanged && at - _quiet!.Value.At < (at - since < SettledAfter ? PlanAgainAfter : PlanSettledAgainAfter))
            {
                return [];
            }

            _planner.SetOwners(owned);
            IReadOnlyList<ShardMove> moves = _planner.BeginMoves(moving, at);
            _quiet = moves.Count == 0 ? (owned, _changes, since, at) : null;
            return moves;
        }
    }

    /// <summary>
    /// A life is proven dead: where the tasks that ran there go on, highest priority first.
    /// <see cref="Allocate(int, IReadOnlyDictionary{long, int}, Func{IReadOnlyDictionary{int, long}}, ClusterView)"/> will say the same, so
    /// these nodes can get ready before the cluster has removed the member.
    /// </summary>
    public IReadOnlyList<PlannedHeir> FailOver(long life, ClusterView view)
    {
        lock (_gate)
        {
            SetMembers(view);
            _changes++;
            return _planner.FailOver(life, now());
        }
    }

    /// <summary>Whether a life has no shard with unfinished tasks any more, so that its region can be shut down.</summary>
    public bool IsEmpty(long life)
    {
        lock (_gate)
        {
            return _planner.IsEmpty(life);
        }
    }

    private void SetMembers(ClusterView view)
    {
        if (!ReferenceEquals(view, _view))
        {
            _view = view;
            _changes++;
            _planner.SetNodes(PlacementInputs.Capacities(view));
        }
    }
}

/// <summary>A move that somebody asked for.</summary>
/// <param name="Shard">The shard.</param>
/// <param name="To">The life that should get it.</param>
internal readonly record struct MoveRequest(int Shard, long To);
