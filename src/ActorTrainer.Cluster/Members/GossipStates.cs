using ActorTrainer.Core.Membership;
using Akka.Cluster;
using AkkaStatus = Akka.Cluster.MemberStatus;

namespace ActorTrainer.Cluster.Members;

/// <summary>What Akka.Cluster says of its members, in our words.</summary>
internal static class GossipStates
{
    /// <summary>All members of a state that Akka has published.</summary>
    public static IReadOnlyDictionary<MemberKey, MemberState> Of(ClusterEvent.CurrentClusterState state)
    {
        HashSet<UniqueAddress> unreachable = [.. state.Unreachable.Select(m => m.UniqueAddress)];
        return state.Members.ToDictionary(KeyOf, m => StateOf(m.Status, !unreachable.Contains(m.UniqueAddress)));
    }

    /// <summary>Which actor system a member is.</summary>
    public static MemberKey KeyOf(Member member) => KeyOf(member.UniqueAddress);

    /// <summary>Which actor system this is.</summary>
    public static MemberKey KeyOf(UniqueAddress address) => new(address.Address.ToString(), address.Uid);

    /// <summary>Akka's states in our words: unreachable is suspect, since Akka may find it reachable again.</summary>
    public static MemberState StateOf(AkkaStatus status, bool reachable) =>
        status switch
        {
            AkkaStatus.Joining or AkkaStatus.WeaklyUp => reachable ? MemberState.Joining : MemberState.Suspect,
            AkkaStatus.Up => reachable ? MemberState.Up : MemberState.Suspect,
            AkkaStatus.Leaving or AkkaStatus.Exiting => MemberState.Leaving,
            AkkaStatus.Down => MemberState.Down,
            _ => MemberState.Removed,
        };

    /// <summary>The member that has been up the longest; null: there is none.</summary>
    public static Member? OldestOf(IEnumerable<Member> members) =>
        members.Aggregate((Member?)null, (oldest, m) => oldest is null || m.IsOlderThan(oldest) ? m : oldest);

    /// <summary>How a member that was removed went: in order, or lost.</summary>
    public static MemberState GoneAs(AkkaStatus previous) => previous == AkkaStatus.Down ? MemberState.Down : MemberState.Removed;
}
