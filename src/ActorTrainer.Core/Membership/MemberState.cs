using ActorTrainer.Core.Identity;

namespace ActorTrainer.Core.Membership;

/// <summary>What gossip says of a node's life.</summary>
public enum MemberState
{
    /// <summary>Known, not ready for shards.</summary>
    Joining,

    /// <summary>Alive.</summary>
    Up,

    /// <summary>Silent for too long by at least one observer; may refute.</summary>
    Suspect,

    /// <summary>Says that it goes.</summary>
    Leaving,

    /// <summary>Confirmed lost.</summary>
    Down,

    /// <summary>Left in order.</summary>
    Removed,
}

/// <summary>One life of a node as gossip sees it. States of one life are ordered; the larger wins a merge, but a refutation (a larger counter) undoes a suspicion.</summary>
/// <param name="Incarnation">The life's number, given by the journal.</param>
/// <param name="Address">Where it listens.</param>
/// <param name="Name">The node's name.</param>
/// <param name="Slots">Its capacity.</param>
/// <param name="State">See <see cref="MemberState"/>.</param>
/// <param name="Refutation">Grows when the member itself refutes a suspicion.</param>
/// <param name="Cordoned">Whether it takes no new tasks.</param>
public sealed record MemberRecord(
    long Incarnation,
    NodeAddress Address,
    string Name,
    int Slots,
    MemberState State,
    long Refutation,
    bool Cordoned);

/// <summary>An immutable view of the members, published after every change. Its version only grows.</summary>
/// <param name="Version">Grows with every change.</param>
/// <param name="Self">This node's own life.</param>
/// <param name="Members">All members, by incarnation; down and removed ones stay for a while.</param>
/// <param name="Reachable">Incarnations that answered this node, or that no one suspects, including itself; sorted.</param>
public sealed record MembershipView(long Version, long Self, IReadOnlyList<MemberRecord> Members, IReadOnlyList<long> Reachable)
{
    /// <summary>The record of a life, or null.</summary>
    public MemberRecord? Find(long incarnation)
    {
        foreach (MemberRecord member in Members)
        {
            if (member.Incarnation == incarnation)
            {
                return member;
            }
        }

        return null;
    }
}
