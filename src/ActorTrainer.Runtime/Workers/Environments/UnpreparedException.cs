namespace ActorTrainer.Runtime.Workers.Environments;

/// <summary>A run cannot be started, as a sentence for its user.</summary>
/// <param name="message">What hinders it, and what to do.</param>
/// <param name="nodeUnfit">Whether it is the node that lacks something.</param>
internal sealed class UnpreparedException(string message, bool nodeUnfit = false) : Exception(message)
{
    /// <summary>Whether it is the node that lacks something, which another one may have.</summary>
    public bool NodeUnfit { get; } = nodeUnfit;

    /// <summary>The last lines of what failed.</summary>
    public IReadOnlyList<string> LastLines { get; init; } = [];
}
