namespace ActorTrainer.Checkpoints.Bundles;

/// <summary>A folder cannot be bundled, or an archive is not what it is said to be; says what, where and what to do.</summary>
/// <param name="message">That.</param>
/// <param name="inner">What it comes from, or null.</param>
public sealed class BundleException(string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>Whether it is larger than is allowed.</summary>
    public bool TooLarge { get; init; }
}
