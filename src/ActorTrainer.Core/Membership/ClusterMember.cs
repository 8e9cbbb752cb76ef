using ActorTrainer.Core.Identity;

namespace ActorTrainer.Core.Membership;

/// <summary>One life of a node: who it is, as the journal has it on record, and how it is, as gossip sees it.</summary>
/// <param name="Incarnation">Its number, given by the journal, from 1.</param>
/// <param name="Address">Where it listens.</param>
/// <param name="Name">The node's name.</param>
/// <param name="Roles">Its roles, sorted.</param>
/// <param name="Slots">Its capacity in slots.</param>
/// <param name="Status">What is on record of it.</param>
/// <param name="Cordoned">Whether it takes no new tasks.</param>
/// <param name="Pid">Its process id.</param>
/// <param name="Version">Its product version.</param>
public sealed record ClusterMember(
    long Incarnation,
    NodeAddress Address,
    string Name,
    IReadOnlyList<string> Roles,
    int Slots,
    MemberStatus Status,
    bool Cordoned,
    int Pid,
    string Version
)
{
    /// <summary>Its actor system; without an address until that stands.</summary>
    public MemberKey System { get; init; } = new("", 0);

    /// <summary>How gossip sees it; null: gossip does not know it, or not any more.</summary>
    public MemberState? State { get; init; }

    /// <summary>Whether it coordinates the shards.</summary>
    public bool IsCoordinator { get; init; }

    /// <summary>Whether gossip knows it, and nobody finds it unreachable.</summary>
    public bool IsReachable => State is MemberState.Joining or MemberState.Up or MemberState.Leaving;

    /// <summary>Whether it is neither down nor removed on record.</summary>
    public bool IsRegistered => Status is not (MemberStatus.Down or MemberStatus.Removed);

    /// <summary>Whether gossip counts it among the members: it is there, and neither down nor removed.</summary>
    public bool IsSeen => State is not (null or MemberState.Down or MemberState.Removed);

    /// <summary>Whether it is not known to be gone, neither to gossip nor on record.</summary>
    public bool IsLiving => IsRegistered && IsSeen;

    /// <summary>Whether another record says the same, with roles in a list of its own.</summary>
    public bool IsSameAs(ClusterMember other) => this with { Roles = other.Roles } == other && Roles.SequenceEqual(other.Roles);
}
