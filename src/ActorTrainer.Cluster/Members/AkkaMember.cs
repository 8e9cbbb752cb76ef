using ActorTrainer.Core.Membership;
using Akka.Cluster;
using AkkaStatus = Akka.Cluster.MemberStatus;

namespace ActorTrainer.Cluster.Members;

/// <summary>A member as Akka.Cluster sees it.</summary>
/// <param name="AkkaAddress">Its system's address.</param>
/// <param name="Uid">Tells two systems at one address apart.</param>
/// <param name="State">What it is in our words.</param>
internal sealed record AkkaMember(string AkkaAddress, long Uid, MemberState State)
{
    /// <summary>Akka's states in our words: unreachable is suspect, since Akka may find it reachable again.</summary>
    public static MemberState StateOf(AkkaStatus status, bool reachable) => status switch
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
