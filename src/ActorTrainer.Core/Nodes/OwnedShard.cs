using ActorTrainer.Core.Tasks;

namespace ActorTrainer.Core.Nodes;

/// <summary>How far a shard is on its owner.</summary>
internal enum ShardPhase
{
    /// <summary>Owned; its tasks are being loaded.</summary>
    Claiming,

    /// <summary>Its tasks are here.</summary>
    Active,

    /// <summary>Its tasks save and stop, to be handed over.</summary>
    Releasing,
}

/// <summary>A shard that this node owns under a term.</summary>
internal sealed class OwnedShard(int number, long term, TimeSpan since)
{
    public int Number { get; } = number;

    public long Term { get; } = term;

    /// <summary>When this node learned that it owns it.</summary>
    public TimeSpan Since { get; } = since;

    public ShardPhase Phase { get; set; } = ShardPhase.Claiming;

    /// <summary>When a claim that got no answer is sent again; null while one is under way or done.</summary>
    public TimeSpan? ClaimAgainAt { get; set; }

    /// <summary>Appends of activations that are still under way.</summary>
    public int Activating { get; set; }

    /// <summary>Tasks of the shard on this node, by id.</summary>
    public SortedDictionary<Identity.TaskId, TaskCell> Cells { get; } = [];

    /// <summary>Commands that came before the shard was active.</summary>
    public List<(Identity.TaskId Task, TaskCommand Command, Action<CommandReply> Reply)> Early { get; } = [];
}
