using ActorTrainer.Core.Membership;
using Akka.Cluster;

namespace ActorTrainer.Cluster.Members;

/// <summary>A member as Akka.Cluster sees it.</summary>
/// <param name="AkkaAddress">Its system's address.</param>
/// <param name="Uid">Tells two systems at one address apart.</param>
/// <param name="State">What it is in our words.</param>
internal sealed record AkkaMember(string AkkaAddress, long Uid, MemberState State)
{
    /// <summary>Akka's states in our words: unreachable is suspect, since Akka may find it reachable again.</summary>
    public static MemberState StateOf(MemberStatus status, bool reachable) => status switch
    {
        MemberStatus.Joining or MemberStatus.WeaklyUp => reachable ? MemberState.Joining : MemberState.Suspect,
        MemberStatus.Up => reachable ? MemberState.Up : MemberState.Suspect,
        MemberStatus.Leaving or MemberStatus.Exiting => MemberState.Leaving,
        MemberStatus.Down => MemberState.Down,
        _ => MemberState.Removed,
    };

    /// <summary>The member that has been up the longest; null: there is none.</summary>
    public static Member? OldestOf(IEnumerable<Member> members) =>
        members.Aggregate((Member?)null, (oldest, m) => oldest is null || m.IsOlderThan(oldest) ? m : oldest);

    /// <summary>How a member that was removed went: in order, or lost.</summary>
    public static MemberState GoneAs(MemberStatus previous) => previous == MemberStatus.Down ? MemberState.Down : MemberState.Removed;
}
