using ActorTrainer.Core.Membership;
using ActorTrainer.Core.Sharding;

namespace ActorTrainer.Cluster.Placement;

/// <summary>The cluster as allocation sees it, from what was read of it.</summary>
internal static class PlacementInputs
{
    /// <summary>The nodes that may own shards.</summary>
    public static IReadOnlyList<NodeCapacity> Capacities(ClusterView view)
    {
        List<NodeCapacity> nodes = [];
        foreach (ClusterMember member in view.Members.Where(m => m.IsLiving && m.State != MemberState.Joining))
        {
            bool leaving = member.Status == MemberStatus.Leaving || member.State == MemberState.Leaving;
            nodes.Add(
                new NodeCapacity(member.Incarnation, member.Slots, member.State == MemberState.Up && !leaving && !member.Cordoned, leaving)
            );
        }

        return nodes;
    }
}
