using System.Runtime.CompilerServices;
using ActorTrainer.Cluster.Placement;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Membership;
using ActorTrainer.Core.Sharding;

namespace ActorTrainer.Cluster.Tests.Placement;

/// <summary>The planner for tests that have whole lists of tasks and not changes.</summary>
internal static class ShardPlannerLists
{
    private static readonly ConditionalWeakTable<ShardPlanner, List<TaskId>> Shown = [];

    public static long Allocate(
        this ShardPlanner planner,
        int shard,
        IReadOnlyDictionary<int, long> owned,
        ClusterView view,
        IReadOnlyList<TaskDemand> tasks
    )
    {
        Show(planner, tasks);
        return planner.Allocate(shard, owned.Values.GroupBy(l => l).ToDictionary(l => l.Key, l => l.Count()), () => owned, view);
    }

    public static IReadOnlyList<int> Rebalance(
        this ShardPlanner planner,
        IReadOnlyDictionary<int, long> owned,
        IReadOnlySet<int> moving,
        ClusterView view,
        IReadOnlyList<TaskDemand> tasks
    )
    {
        Show(planner, tasks);
        return [.. planner.Rebalance(owned, moving, view).Select(m => m.Shard)];
    }

    private static void Show(ShardPlanner planner, IReadOnlyList<TaskDemand> tasks)
    {
        List<TaskId> shown = Shown.GetOrCreateValue(planner);
        planner.Show(tasks, shown.Except(tasks.Select(t => t.Task)).ToArray());
        shown.Clear();
        shown.AddRange(tasks.Select(t => t.Task));
    }
}
