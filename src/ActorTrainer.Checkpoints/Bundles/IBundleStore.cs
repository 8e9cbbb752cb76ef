using ActorTrainer.Core.Tasks;

namespace ActorTrainer.Checkpoints.Bundles;

/// <summary>Keeps the bundles of a cluster under their hashes, where all of its nodes find them.</summary>
public interface IBundleStore
{
    /// <summary>Whether the store has a bundle.</summary>
    /// <param name="hash">The bundle's.</param>
    /// <param name="cancellationToken">Ends it early.</param>
    Task<bool> HasAsync(string hash, CancellationToken cancellationToken);

    /// <summary>
    /// Takes an archive as <see cref="BundleListing.WriteAsync"/> writes it; it is durable when the call returns. One that is there already
    /// stays as it is.
    /// </summary>
    /// <param name="hash">What its content has to have.</param>
    /// <param name="archive">Read to its end, unless it is refused before.</param>
    /// <param name="cancellationToken">Ends it early; nothing is kept then.</param>
    /// <exception cref="BundleException">It is too large, damaged, not of this hash, or holds what no bundle does; nothing is kept
    /// then.</exception>
    /// <exception cref="CheckpointStoreException">The store cannot be written.</exception>
    Task<BundleSpec> PutAsync(string hash, Stream archive, CancellationToken cancellationToken);

    /// <summary>Writes a bundle's files into a folder, and hashes them on the way.</summary>
    /// <param name="hash">The bundle's.</param>
    /// <param name="folder">Empty, or not there. After an error it may hold a part of the files.</param>
    /// <param name="cancellationToken">Ends it early.</param>
    /// <exception cref="BundleException">The store does not have it, or what it has is damaged.</exception>
    /// <exception cref="CheckpointStoreException">The store cannot be read now, or the folder not be written.</exception>
    Task UnpackAsync(string hash, string folder, CancellationToken cancellationToken);
}
