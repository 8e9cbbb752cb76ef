using ActorTrainer.Core.Tasks;

namespace ActorTrainer.Checkpoints.Bundles;

/// <summary>
/// Bundles of nodes whose folders are their own: one that needs a bundle and has not got it, or has it damaged, fetches and keeps it.
/// </summary>
/// <param name="own">This node's.</param>
internal abstract class FetchedBundles(FolderBundles own) : IBundleStore
{
    /// <summary>This node's.</summary>
    protected FolderBundles Own => own;

    public abstract Task<bool> HasAsync(string hash, CancellationToken cancellationToken);

    public abstract Task<BundleSpec> PutAsync(string hash, Stream archive, CancellationToken cancellationToken);

    public async Task UnpackAsync(string hash, string folder, CancellationToken cancellationToken)
    {
        if (!own.Has(hash) && !await FetchAsync(hash, cancellationToken))
        {
            throw BundleErrors.Missing(hash, Nowhere(hash));
        }

        try
        {
            await own.UnpackAsync(hash, folder, cancellationToken);
        }
        catch (BundleException)
        {
            // Damaged here; where nobody has it whole, that is what is to be said.
            if (!await FetchAsync(hash, cancellationToken))
            {
                throw;
            }

            Empty(folder);
            await own.UnpackAsync(hash, folder, cancellationToken);
        }
    }

    /// <summary>Fetches a bundle that is not here, or damaged here.</summary>
    /// <returns>Whether it is here now.</returns>
    /// <exception cref="CheckpointStoreException">It may be where nobody answers.</exception>
    protected abstract Task<bool> FetchAsync(string hash, CancellationToken cancellationToken);

    /// <summary>Where it was looked for, as a sentence without its full stop.</summary>
    protected abstract string Nowhere(string hash);

    /// <summary>Removes what was unpacked before the damage was found.</summary>
    private static void Empty(string folder)
    {
        try
        {
            Directory.Delete(folder, recursive: true);
        }
        catch (Exception e) when (StoreErrors.IsFromSystem(e))
        {
            throw StoreErrors.Describe("The files of a damaged bundle could not be removed", folder, e);
        }
    }
}
