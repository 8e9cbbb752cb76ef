using ActorTrainer.Core.Identity;

namespace ActorTrainer.Runtime.Node;

/// <summary>What became of a node.</summary>
public enum ClusterChangeKind
{
    /// <summary>It is a member. Told first of every life, of this node's own too, and told at the start of all that are there.</summary>
    NodeUp,

    /// <summary>It has been silent for too long. It may be lost, or be reachable again.</summary>
    NodeSuspected,

    /// <summary>It was suspected and has answered.</summary>
    NodeReachableAgain,

    /// <summary>It says that it goes.</summary>
    NodeLeaving,

    /// <summary>It is gone without having left. Told once of a life; its tasks go on elsewhere.</summary>
    NodeLost,

    /// <summary>It has left in order.</summary>
    NodeLeft,
}

/// <summary>One change of one life of a node.</summary>
/// <param name="Kind">What became of it.</param>
/// <param name="Node">Where it listens.</param>
/// <param name="Name">Its name.</param>
/// <param name="Incarnation">Which life: a node that was lost and comes back is another one at the same address.</param>
public sealed record ClusterChange(ClusterChangeKind Kind, NodeAddress Node, string Name, long Incarnation);
