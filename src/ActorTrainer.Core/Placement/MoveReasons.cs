namespace ActorTrainer.Core.Placement;

/// <summary>Why a shard goes somewhere, as <see cref="Sharding.ShardMove.Reason"/> says it.</summary>
internal static class MoveReasons
{
    /// <summary>Its node is gone.</summary>
    public const string Lost = "lost";

    /// <summary>Its node is to be empty.</summary>
    public const string Drain = "drain";

    /// <summary>Somebody asked for it.</summary>
    public const string Request = "request";

    /// <summary>A task of it avoids the node that it is on.</summary>
    public const string Elsewhere = "elsewhere";

    /// <summary>It waits, and slots are free elsewhere.</summary>
    public const string Slots = "slots";

    /// <summary>It makes room for a task that fits nowhere.</summary>
    public const string Room = "room";

    /// <summary>It evens out the load.</summary>
    public const string Balance = "balance";
}
