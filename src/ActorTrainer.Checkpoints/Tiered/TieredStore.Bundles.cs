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
    internal async Task<BundleSpec> TakeBundleAsync(string hash, Func<Task<BundleSpec>> take, CancellationToken cancellationToken)
    {
        // As for a save: noted before, so that one that is here is there some day.
        SyncEntry entry = SyncEntry.OfBundle(hash);
        entry = await Task.Run(() => _backlog.Add(entry, held: true), cancellationToken).ConfigureAwait(false);
        try
        {
            BundleSpec taken = await take().ConfigureAwait(false);
            if (!await TryPushAsync(hash, cancellationToken).ConfigureAwait(false))
            {
                _backlog.Release(entry);
                _loop.Wake();
                return taken;
            }

            _backlog.Remove(entry);
            return taken;
        }
        catch
        {
            TryForget(entry);
            throw;
        }
    }

    private async Task<bool> TryPushAsync(string hash, CancellationToken cancellationToken)
    {
        if (_loop.IsAway)
        {
            return false;
        }

        try
        {
            await _loop.PushBundleAsync(hash, cancellationToken).ConfigureAwait(false);
            return true;
        }
        catch (Exception e) when (e is CheckpointStoreException || cancellationToken.IsCancellationRequested)
        {
            // The loop says so, once, when its turn comes. It is here, so whoever gave up waiting changes nothing of that.
            return false;
        }
    }
}
