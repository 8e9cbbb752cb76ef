namespace ActorTrainer.Core.Membership;

/// <summary>What the journal has on record of a node's life. Down and removed are final.</summary>
public enum MemberStatus
{
    /// <summary>Registered, not ready for shards.</summary>
    Joining,

    /// <summary>May own shards.</summary>
    Up,

    /// <summary>Hands its shards over and goes.</summary>
    Leaving,

    /// <summary>Lost; owns nothing any more.</summary>
    Down,

    /// <summary>Gone after it handed everything over.</summary>
    Removed,
}
