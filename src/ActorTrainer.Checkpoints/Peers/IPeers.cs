using ActorTrainer.Core.Identity;

namespace ActorTrainer.Checkpoints.Peers;

/// <summary>Who the other nodes are, as this node knows it now.</summary>
internal interface IPeers
{
    /// <summary>This node.</summary>
    NodeAddress Self { get; }

    /// <summary>Whether this node is a member: before, it does not know who else there is.</summary>
    bool IsJoined { get; }

    /// <summary>The other members that are not known to be gone.</summary>
    IReadOnlyList<NodeAddress> Living { get; }

    /// <summary>
    /// Nodes that were members and are gone for so short a time that they may come back with what they have: what nobody else has is not
    /// missing yet.
    /// </summary>
    IReadOnlyList<NodeAddress> Missing { get; }

    /// <summary>Whether copies go to others first: it did not take one a short time ago.</summary>
    bool IsPassedOver(NodeAddress node);

    /// <summary>Notes that a node did not take a copy.</summary>
    void PassOver(NodeAddress node);
}
