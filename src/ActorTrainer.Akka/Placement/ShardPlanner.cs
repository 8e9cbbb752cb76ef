using ActorTrainer.Akka.Members;
using ActorTrainer.Core.Configuration;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Sharding;

namespace ActorTrainer.Akka.Placement;

/// <summary>
/// Decides for Akka's shard coordinator with Core's allocation policy: who gets a shard that has none, and which shards go elsewhere. Akka
/// asks in two steps (take away, then give), so what was planned is kept until it was given. No I/O.
/// </summary>
internal sealed class ShardPlanner(NodeModel model, Func<TimeSpan> now)
{
    /// <summary>For how long a task that was just given a node is counted there although the read model does not show it yet.</summary>
    private static readonly TimeSpan Lag = TimeSpan.FromSeconds(10);

    /// <summary>A shard without tasks on record is about to get one, and what that asks is not known yet: most take one slot.</summary>
    private const int UnknownDemand = 1;

    private readonly SortedDictionary<int, (long To, TimeSpan Until)> _planned = [];
    private readonly SortedDictionary<int, (long To, TimeSpan Until)> _given = [];
    private readonly Lock _gate = new();

    /// <summary>Somebody asked for a move; it is planned with the next look. Forgotten when the shard is there or the time is over.</summary>
    public void Request(MoveRequest request)
    {
        lock (_gate)
        {
            _planned[request.Shard] = (request.To, now() + model.Sharding.MoveTimeout);
        }
    }

    /// <summary>The life that gets a shard; 0 when none accepts.</summary>
    /// <param name="shard">A shard without owner.</param>
    /// <param name="owned">Owner of every other shard that has one.</param>
    /// <param name="sight">The members.</param>
    /// <param name="tasks">Unfinished tasks.</param>
    public long Allocate(int shard, IReadOnlyDictionary<int, long> owned, ClusterSight sight, IReadOnlyList<TaskDemand> tasks)
    {
        lock (_gate)
        {
            Forget(owned);
            IReadOnlyList<NodeCapacity> nodes = PlacementInputs.Capacities(sight);
            if (_planned.Remove(shard, out (long To, TimeSpan Until) plan) && nodes.Any(n => n.Incarnation == plan.To && n.Accepts))
            {
                return Give(shard, plan.To);
            }

            List<TaskDemand> demands = [.. tasks, .. UnderWay(tasks, shard)];
            if (demands.All(d => d.Shard != shard))
            {
                demands.Add(Unknown(shard));
            }

            Dictionary<int, long> known = new(owned);
            foreach ((int given, (long to, TimeSpan _)) in _given)
            {
                known.TryAdd(given, to);
            }

            known.Remove(shard);
            IReadOnlyList<ShardMove> moves = AllocationPolicy.PlanOrphans([shard], known, nodes, demands, model.Sharding.Allocation);
            return moves.Count == 0 ? 0 : Give(shard, moves[0].To);
        }
    }

    /// <summary>Shards that should be taken from their owners now, at most as many as may move at once.</summary>
    /// <param name="owned">Owner of every shard that has one.</param>
    /// <param name="moving">Shards that move already.</param>
    /// <param name="sight">The members.</param>
    /// <param name="tasks">Unfinished tasks.</param>
    public IReadOnlyList<int> Rebalance(IReadOnlyDictionary<int, long> owned, IReadOnlySet<int> moving, ClusterSight sight, IReadOnlyList<TaskDemand> tasks)
    {
        lock (_gate)
        {
            Forget(owned);
            IReadOnlyList<NodeCapacity> nodes = PlacementInputs.Capacities(sight);
            HashSet<long> accepting = [.. nodes.Where(n => n.Accepts).Select(n => n.Incarnation)];
            int free = Math.Max(0, model.Sharding.MaxConcurrentMoves - moving.Count);
            List<int> take =
            [
                .. _planned.Where(p => accepting.Contains(p.Value.To) && owned.ContainsKey(p.Key) && !moving.Contains(p.Key)).Select(p => p.Key).Take(free),
            ];

            // Counted where they go, so that the plan does not send others to the same free slots.
            Dictionary<int, long> after = new(owned);
            foreach ((int shard, (long to, TimeSpan _)) in _planned)
            {
                after[shard] = to;
            }

            List<TaskDemand> demands = [.. tasks, .. UnderWay(tasks, except: -1)];
            bool rebalance = model.Sharding.Rebalance && moving.Count == 0;
            foreach (ShardMove move in AllocationPolicy.PlanMoves(after, nodes, demands, model.Sharding.Allocation, rebalance))
            {
                if (move.HasTasks && take.Count < free && !moving.Contains(move.Shard) && !_planned.ContainsKey(move.Shard))
                {
                    take.Add(move.Shard);
                    _planned[move.Shard] = (move.To, now() + model.Sharding.MoveTimeout);
                }
            }

            return take;
        }
    }

    private long Give(int shard, long to)
    {
        _given[shard] = (to, now() + Lag);
        return to;
    }

    private void Forget(IReadOnlyDictionary<int, long> owned)
    {
        foreach ((int shard, (long to, TimeSpan until)) in _planned.ToArray())
        {
            if (now() >= until || (owned.TryGetValue(shard, out long owner) && owner == to))
            {
                _planned.Remove(shard);
            }
        }

        foreach ((int shard, (long _, TimeSpan until)) in _given.ToArray())
        {
            if (now() >= until)
            {
                _given.Remove(shard);
            }
        }
    }

    private IEnumerable<TaskDemand> UnderWay(IReadOnlyList<TaskDemand> tasks, int except)
    {
        HashSet<int> known = [.. tasks.Select(t => t.Shard)];
        return _given.Keys.Where(s => s != except && !known.Contains(s)).Select(Unknown);
    }

    private static TaskDemand Unknown(int shard) =>
        new(TaskId.Parse(FormattableString.Invariant($"unknown-{shard}")), shard, 0, UnknownDemand, Waiting: true, 0, Alone: false);
}

/// <summary>A move that somebody asked for.</summary>
/// <param name="Shard">The shard.</param>
/// <param name="To">The life that should get it.</param>
internal readonly record struct MoveRequest(int Shard, long To);
