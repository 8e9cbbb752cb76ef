using ActorTrainer.Core.Configuration;

namespace ActorTrainer.Core.Sharding;

/// <summary>
/// Which node gets which shard. Deterministic over sorted inputs: the same inputs give the same plan on every node and in every run.
/// A plan is data; who carries it out is another matter.
/// </summary>
internal static class AllocationPolicy
{
    /// <summary>
    /// Gives every shard without a usable owner to a node: shards with tasks first, highest priority first, each to the node that the
    /// strategy names; empty shards evenly for the nodes' slots. Empty when no node accepts.
    /// </summary>
    /// <param name="orphans">Shards to give out.</param>
    /// <param name="owned">Owner of every other shard.</param>
    /// <param name="nodes">All nodes.</param>
    /// <param name="tasks">All unfinished tasks.</param>
    /// <param name="strategy">The strategy.</param>
    public static IReadOnlyList<ShardMove> PlanOrphans(
        IReadOnlyList<int> orphans,
        IReadOnlyDictionary<int, long> owned,
        IReadOnlyList<NodeCapacity> nodes,
        IReadOnlyList<TaskDemand> tasks,
        AllocationStrategy strategy
    )
    {
        NodeLoads loads = new(nodes, tasks, owned);
        if (!loads.Any)
        {
            return [];
        }

        ILookup<int, TaskDemand> byShard = tasks.OrderBy(t => t.Task).ToLookup(t => t.Shard);
        List<ShardMove> plan = [];
        foreach (int shard in orphans.Distinct().OrderByDescending(s => TopPriority(byShard[s])).ThenBy(s => s))
        {
            TaskDemand[] inside = [.. byShard[shard]];
            int demand = inside.Sum(t => t.Slots);
            long to =
                inside.Length == 0
                    ? loads.FewestShards()
                    : loads.Choose(strategy, demand, [.. inside.Select(t => t.Avoid)], NeedsAlone(inside));
            loads.Add(to, demand, inside.Length > 0);
            plan.Add(new ShardMove(shard, 0, to, TopPriority(inside), inside.Length > 0, "lost"));
        }

        return plan;
    }

    /// <summary>
    /// Plans moves between living nodes: everything leaves nodes that must be empty; tasks that wait go where slots are free; tasks leave
    /// a node that they should avoid; running tasks even out a difference of at least two of their size; empty shards even out.
    /// </summary>
    /// <param name="owned">Owner of every shard.</param>
    /// <param name="nodes">All nodes.</param>
    /// <param name="tasks">All unfinished tasks.</param>
    /// <param name="strategy">The strategy.</param>
    /// <param name="rebalance">Whether nodes that need not be emptied give anything away.</param>
    public static IReadOnlyList<ShardMove> PlanMoves(
        IReadOnlyDictionary<int, long> owned,
        IReadOnlyList<NodeCapacity> nodes,
        IReadOnlyList<TaskDemand> tasks,
        AllocationStrategy strategy,
        bool rebalance
    )
    {
        NodeLoads loads = new(nodes, tasks, owned);
        if (!loads.Any)
        {
            return [];
        }

        Dictionary<long, NodeCapacity> byId = nodes.ToDictionary(n => n.Incarnation);
        ILookup<int, TaskDemand> byShard = tasks.OrderBy(t => t.Task).ToLookup(t => t.Shard);
        List<ShardMove> plan = [];
        foreach (
            (int shard, long owner) in owned
                .OrderByDescending(o => Urgency(byId.GetValueOrDefault(o.Value), byShard[o.Key]))
                .ThenByDescending(o => TopPriority(byShard[o.Key]))
                .ThenBy(o => o.Key)
        )
        {
            if (!byId.TryGetValue(owner, out NodeCapacity? source))
            {
                continue;
            }

            TaskDemand[] inside = [.. byShard[shard]];
            if (source.MustEmpty)
            {
                plan.Add(Move(loads, shard, owner, inside, strategy, "drain"));
            }
            else if (rebalance && inside.Length > 0 && Better(loads, owner, inside, strategy) is (long to, string reason))
            {
                loads.Move(owner, to, inside.Sum(t => t.Slots));
                plan.Add(new ShardMove(shard, owner, to, TopPriority(inside), true, reason));
            }
        }

        if (rebalance)
        {
            EvenOutEmpty(plan, owned, loads, byShard, byId);
        }

        return plan;
    }

    /// <summary>Chooses the node for a new task; 0 when none accepts.</summary>
    public static long ChooseNode(
        int slots,
        IReadOnlyDictionary<int, long> owned,
        IReadOnlyList<NodeCapacity> nodes,
        IReadOnlyList<TaskDemand> tasks,
        AllocationStrategy strategy
    )
    {
        NodeLoads loads = new(nodes, tasks, owned);
        return loads.Any ? loads.Choose(strategy, slots, [], alone: false) : 0;
    }

    private static ShardMove Move(NodeLoads loads, int shard, long owner, TaskDemand[] inside, AllocationStrategy strategy, string reason)
    {
        int demand = inside.Sum(t => t.Slots);
        long to =
            inside.Length == 0
                ? loads.FewestShards()
                : loads.Choose(strategy, demand, [.. inside.Select(t => t.Avoid)], NeedsAlone(inside));
        loads.Add(to, demand, inside.Length > 0);
        return new ShardMove(shard, owner, to, TopPriority(inside), inside.Length > 0, reason);
    }

    private static (long To, string Reason)? Better(NodeLoads loads, long owner, TaskDemand[] inside, AllocationStrategy strategy)
    {
        int demand = inside.Sum(t => t.Slots);
        if (demand == 0)
        {
            return null;
        }

        long to = loads.Choose(AllocationStrategy.LoadBalanced, demand, [.. inside.Select(t => t.Avoid), owner], NeedsAlone(inside));
        if (to == owner || inside.Any(t => t.Avoid == to))
        {
            return null;
        }

        if (inside.Any(t => t.Avoid == owner))
        {
            return (to, "elsewhere");
        }

        bool fits = loads.Free(to) >= demand;
        if (inside.All(IsWaiting) && loads.Free(owner) < 0 && fits)
        {
            return (to, "slots");
        }

        // Moving evens out only when the target is then still not fuller than the source: otherwise tasks would swing.
        bool evens =
            fits && loads.UsedAfter(to, demand) <= loads.UsedAfter(owner, -demand) && loads.Used(owner) - loads.Used(to) >= 2 * demand;
        return strategy == AllocationStrategy.LoadBalanced && evens ? (to, "balance") : null;
    }

    private static void EvenOutEmpty(
        List<ShardMove> plan,
        IReadOnlyDictionary<int, long> owned,
        NodeLoads loads,
        ILookup<int, TaskDemand> byShard,
        Dictionary<long, NodeCapacity> byId
    )
    {
        HashSet<int> planned = [.. plan.Select(m => m.Shard)];
        foreach ((int shard, long owner) in owned.OrderBy(o => o.Key))
        {
            if (planned.Contains(shard) || byShard[shard].Any() || !byId.TryGetValue(owner, out NodeCapacity? source) || source.MustEmpty)
            {
                continue;
            }

            long to = loads.FewestShards();
            if (to != owner && loads.ShardsPerSlot(owner, -1) > loads.ShardsPerSlot(to, 1))
            {
                loads.MoveShard(owner, to);
                plan.Add(new ShardMove(shard, owner, to, int.MinValue, false, "balance"));
            }
        }
    }

    /// <summary>What must go comes first, then what waits: a running task is not moved for slots that a waiting one could have.</summary>
    private static int Urgency(NodeCapacity? source, IEnumerable<TaskDemand> inside) =>
        source is { MustEmpty: true } ? 2
        : inside.Any() && inside.All(IsWaiting) ? 1
        : 0;

    private static bool IsWaiting(TaskDemand task) => task.Waiting || task.Slots == 0;

    private static bool NeedsAlone(IEnumerable<TaskDemand> inside) => inside.Any(t => t.Alone);

    private static int TopPriority(IEnumerable<TaskDemand> inside) => inside.Select(t => t.Priority).DefaultIfEmpty(int.MinValue).Max();
}
