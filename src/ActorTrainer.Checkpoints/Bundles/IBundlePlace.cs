using ActorTrainer.Core.Tasks;
using Microsoft.Win32.SafeHandles;

namespace ActorTrainer.Checkpoints.Bundles;

/// <summary>Where all nodes of a cluster find bundles when their folders are their own: a bucket, or a folder that they share.</summary>
internal interface IBundlePlace
{
    /// <summary>Where a bundle stands, for people.</summary>
    string PlaceOf(string hash);

    /// <summary>Whether it is there.</summary>
    /// <exception cref="CheckpointStoreException">The place is away.</exception>
    Task<bool> HasAsync(string hash, CancellationToken cancellationToken);

    /// <summary>Takes an archive; it is durable when the call returns.</summary>
    /// <param name="hash">The bundle's.</param>
    /// <param name="archive">Known to be whole.</param>
    /// <param name="mayCreateStore">Whether nothing was ever copied there.</param>
    /// <param name="cancellationToken">Gives it up.</param>
    /// <exception cref="CheckpointStoreException">The place is away.</exception>
    Task PutAsync(string hash, SafeFileHandle archive, bool mayCreateStore, CancellationToken cancellationToken);

    /// <summary>Reads an archive; null: there is none.</summary>
    /// <param name="hash">The bundle's.</param>
    /// <param name="take">Asks for the bytes, which are 0 at the end.</param>
    /// <param name="cancellationToken">Ends it early.</param>
    /// <exception cref="CheckpointStoreException">The place is away.</exception>
    Task<BundleSpec?> ReadAsync(
        string hash,
        Func<Func<Memory<byte>, CancellationToken, ValueTask<int>>, Task<BundleSpec>> take,
        CancellationToken cancellationToken
    );
}
