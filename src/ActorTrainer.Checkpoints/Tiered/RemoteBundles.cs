using ActorTrainer.Checkpoints.Bundles;
using ActorTrainer.Core.Tasks;

namespace ActorTrainer.Checkpoints.Tiered;

/// <summary>
/// Bundles in a bucket or behind a folder, where nodes find them whose folders are their own; each keeps in its folder what it took in or
/// needed.
/// </summary>
/// <param name="copy">Brings them to where the others find them, and back.</param>
/// <param name="tiered">Copies what the place cannot take now when it can; null: a bundle that is not there was not taken.</param>
internal sealed class RemoteBundles(BundleCopy copy, TieredStore? tiered) : FetchedBundles(copy.Own)
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
                : await copy.Place.HasAsync(hash, cancellationToken) || (tiered?.IsWaiting(hash) == true && Own.Has(hash));
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
        await copy.PushAsync(hash, isWhole: true, mayCreateStore: true, cancellationToken);
        return put;
    }

    protected override Task<bool> FetchAsync(string hash, CancellationToken cancellationToken) => copy.FetchAsync(hash, cancellationToken);

    protected override string Nowhere(string hash) => $"there is no {copy.Place.PlaceOf(hash)}";
}
