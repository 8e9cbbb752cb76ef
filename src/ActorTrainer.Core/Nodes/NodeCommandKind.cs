namespace ActorTrainer.Core.Nodes;

/// <summary>What can be asked of a node.</summary>
public enum NodeCommandKind
{
    /// <summary>Take no new tasks.</summary>
    Cordon,

    /// <summary>Take tasks again.</summary>
    Uncordon,

    /// <summary>Save, hand over, leave.</summary>
    Drain,
}
