using ActorTrainer.Cluster.Members;
using ActorTrainer.Core.Membership;
using ActorTrainer.Core.Sharding;

namespace ActorTrainer.Cluster.Placement;

/// <summary>The cluster as allocation sees it, from what was read of it.</summary>
internal static class PlacementInputs
{
    /// <summary>The nodes that may own shards.</summary>
    public static IReadOnlyList<NodeCapacity> Capacities(ClusterSight sight)
    {
        List<NodeCapacity> nodes = [];
        foreach (MemberPlace place in sight.Places)
        {
            MemberRow row = place.Row;
            MemberState? state = sight.View.Find(row.Incarnation)?.State;
            if (!place.IsLiving || state is null or MemberState.Down or MemberState.Removed or MemberState.Joining)
            {
                continue;
            }

            bool leaving = row.Status == MemberStatus.Leaving || state == MemberState.Leaving;
            nodes.Add(new NodeCapacity(row.Incarnation, row.Slots, state == MemberState.Up && !leaving && !row.Cordoned, leaving));
        }

        return nodes;
    }
}
