namespace ActorTrainer.Runtime.Node;

/// <summary>
/// Told what becomes of the cluster's nodes, as this node's failure detection sees it. A host program registers as many as it likes before
/// the node starts; see <see cref="ActorTrainerServiceCollectionExtensions"/>.
/// </summary>
public interface IClusterObserver
{
    /// <summary>
    /// Called for one change at a time, in order; the next one waits until this has ended. What it throws is logged and passed over.
    /// </summary>
    /// <remarks>
    /// It may take its time: neither the node nor other observers wait for it. One that falls far behind is told what changed between the
    /// moments that it can still be told, so that a node that came and went meanwhile may be missing; what it is told last is never out of
    /// date.
    /// </remarks>
    /// <param name="change">What has changed.</param>
    /// <param name="cancellationToken">Cancelled when the node has ended and this is still not done.</param>
    ValueTask OnChangeAsync(ClusterChange change, CancellationToken cancellationToken);
}
