using ActorTrainer.Checkpoints.Bundles;
using ActorTrainer.Core.Tasks;

namespace ActorTrainer.Checkpoints.Tiered;

/// <content>Bundles, which are copied as checkpoints are.</content>
public sealed partial class TieredStore
{
    /// <summary>Whether what stands behind the folder did not answer the last time.</summary>
    internal bool IsAway => _loop.IsAway;

    /// <summary>Whether a bundle is still to be copied.</summary>
    internal bool IsWaiting(string hash) => _backlog.HasBundle(hash);

    /// <summary>Takes a bundle in and copies it, now where that can be, else when its turn comes.</summary>
    /// <exception cref="BundleException">It is not what it should be.</exception>
    /// <exception cref="CheckpointStoreException">It can neither be stored nor noted.</exception>
    internal Task<BundleSpec> TakeBundleAsync(string hash, Func<Task<BundleSpec>> take, CancellationToken cancellationToken) =>
        KeepAsync(SyncEntry.OfBundle(hash), take, TryPushAsync, cancellationToken);

    private async Task<bool> TryPushAsync(SyncEntry entry, CancellationToken cancellationToken)
    {
        if (_loop.IsAway)
        {
            return false;
        }

        try
        {
            await _loop.PushBundleAsync(entry.Bundle!, isWhole: true, cancellationToken).ConfigureAwait(false);
            _backlog.Remove(entry);
            return true;
        }
        catch (Exception e) when (e is CheckpointStoreException || cancellationToken.IsCancellationRequested)
        {
            // The loop says so, once, when its turn comes. It is here, so whoever gave up waiting changes nothing of that.
            return false;
        }
    }
}
