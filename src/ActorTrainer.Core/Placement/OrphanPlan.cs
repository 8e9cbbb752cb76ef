using ActorTrainer.Core.Configuration;
using ActorTrainer.Core.Sharding;

namespace ActorTrainer.Core.Placement;

/// <summary>Gives shards that no member has to nodes: highest priority first, each to the node that the strategy names.</summary>
internal static class OrphanPlan
{
    /// <summary>Plans; empty when no node accepts.</summary>
    /// <param name="orphans">Shards with tasks that are counted at no accepting node.</param>
    /// <param name="loads">The loads, changed by the plan.</param>
    /// <param name="strategy">The strategy.</param>
    public static List<ShardMove> Make(IEnumerable<PlacedShard> orphans, LoadBook loads, AllocationStrategy strategy)
    {
        List<ShardMove> plan = [];
        foreach (PlacedShard shard in orphans.OrderByDescending(s => s.Priority).ThenBy(s => s.Number))
        {
            if (loads.Choose(strategy, shard) is { } node)
            {
                loads.Add(node.Life, shard.Load);
                plan.Add(new ShardMove(shard.Number, 0, node.Life, shard.Priority, shard.HasTasks, MoveReasons.Lost));
            }
        }

        return plan;
    }
}
