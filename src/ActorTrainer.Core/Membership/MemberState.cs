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
