using ActorTrainer.Core.Membership;

namespace ActorTrainer.Runtime.Node;

/// <summary>Which tasks a node owns.</summary>
internal static class OwnTasks
{
    /// <summary>The shards whose tasks this node owns, as it knows it now.</summary>
    public static IReadOnlySet<int> Shards(ClusterView view) =>
        view.Self == 0 ? new HashSet<int>() : view.Shards.Where(shard => shard.Owner == view.Self).Select(shard => shard.Shard).ToHashSet();
}
