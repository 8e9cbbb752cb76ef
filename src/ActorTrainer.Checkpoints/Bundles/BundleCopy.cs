using ActorTrainer.Core.Tasks;
using Microsoft.Win32.SafeHandles;

namespace ActorTrainer.Checkpoints.Bundles;

/// <summary>Brings a node's bundles to the place where all nodes find them, and from there.</summary>
internal sealed class BundleCopy(FolderBundles own, IBundlePlace place)
{
    /// <summary>This node's.</summary>
    public FolderBundles Own => own;

    /// <summary>Where all nodes find them.</summary>
    public IBundlePlace Place => place;

    /// <summary>Copies a bundle there, unless it is there already.</summary>
    /// <param name="hash">The bundle's.</param>
    /// <param name="isWhole">Whether it was read through just now; it is otherwise, before it is copied.</param>
    /// <param name="mayCreateStore">Whether nothing was ever copied there.</param>
    /// <param name="cancellationToken">Gives it up.</param>
    /// <exception cref="BundleException">It is not here any more, or damaged.</exception>
    /// <exception cref="CheckpointStoreException">One of the two is away.</exception>
    public async Task PushAsync(string hash, bool isWhole, bool mayCreateStore, CancellationToken cancellationToken)
    {
        if (await place.HasAsync(hash, cancellationToken).ConfigureAwait(false))
        {
            return;
        }

        if (!isWhole && !await own.IsWholeAsync(hash, cancellationToken).ConfigureAwait(false))
        {
            throw new BundleException($"Bundle {BundleSpec.Shorten(hash)} is damaged here, or not here any more.");
        }

        using SafeFileHandle archive =
            own.Open(hash) ?? throw new BundleException($"Bundle {BundleSpec.Shorten(hash)} was removed while it was copied.");
        await place.PutAsync(hash, archive, mayCreateStore, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Fetches a bundle from there.</summary>
    /// <returns>Whether it was there.</returns>
    /// <exception cref="BundleException">It is damaged there.</exception>
    /// <exception cref="CheckpointStoreException">One of the two is away.</exception>
    public async Task<bool> FetchAsync(string hash, CancellationToken cancellationToken)
    {
        try
        {
            return await place.ReadAsync(hash, read => own.PutAsync(hash, read, cancellationToken), cancellationToken).ConfigureAwait(false)
                is not null;
        }
        catch (BundleException e)
        {
            throw BundleErrors.Damaged(hash, place.PlaceOf(hash), e);
        }
        catch (IOException e)
        {
            throw new CheckpointStoreException($"{place.PlaceOf(hash)} could not be read: {e.Message.TrimEnd('.')}.", e);
        }
    }
}
