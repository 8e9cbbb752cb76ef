using ActorTrainer.Checkpoints.Bundles;
using ActorTrainer.Core.Tasks;

namespace ActorTrainer.Checkpoints.Tiered;

/// <summary>
/// Bundles in a bucket or behind a folder, where nodes find them whose folders are their own; each keeps in its folder what it took in or
/// needed.
/// </summary>
/// <param name="own">This node's.</param>
/// <param name="place">Where the others find them.</param>
/// <param name="copy">Brings them there and back.</param>
/// <param name="tiered">Copies what the place cannot take now when it can; null: a bundle that is not there was not taken.</param>
internal sealed class RemoteBundles(FolderBundles own, IBundlePlace place, BundleCopy copy, TieredStore? tiered) : FetchedBundles(own)
{
    /// <summary>
    /// What is here is taken for there while the place is away, or while it waits to be copied: whoever needs it waits, too.
    /// </summary>
    public override async Task<bool> HasAsync(string hash, CancellationToken cancellationToken)
    {
        if (!BundleSpec.IsHash(hash))
        {
            return false;
        }

        try
        {
            return tiered?.IsAway == true
                ? Own.Has(hash)
                : await place.HasAsync(hash, cancellationToken) || (tiered?.IsWaiting(hash) == true && Own.Has(hash));
        }
        catch (CheckpointStoreException)
        {
            return Own.Has(hash);
        }
    }

    public override async Task<BundleSpec> PutAsync(string hash, Stream archive, CancellationToken cancellationToken)
    {
        if (tiered is not null)
        {
            return await tiered.TakeBundleAsync(hash, () => Own.PutAsync(hash, archive, cancellationToken), cancellationToken);
        }

        BundleSpec put = await Own.PutAsync(hash, archive, cancellationToken);
        await copy.PushAsync(hash, mayCreateStore: true, cancellationToken);
        return put;
    }

    protected override Task<bool> FetchAsync(string hash, CancellationToken cancellationToken) => copy.FetchAsync(hash, cancellationToken);

    protected override string Nowhere(string hash) => $"there is no {place.PlaceOf(hash)}";
}
