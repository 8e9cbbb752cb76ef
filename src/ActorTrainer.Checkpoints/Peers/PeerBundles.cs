using ActorTrainer.Checkpoints.Bundles;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Tasks;
using Microsoft.Win32.SafeHandles;

namespace ActorTrainer.Checkpoints.Peers;

/// <summary>
/// Bundles of nodes whose folders are their own. What a node takes in it hands to as many others as keep a checkpoint; one that needs a
/// bundle and has not got it, or has it damaged, fetches it and keeps it.
/// </summary>
/// <param name="own">This node's.</param>
/// <param name="caller">Asks the others.</param>
/// <param name="peers">Who they are.</param>
/// <param name="copies">How many of them keep a copy.</param>
internal sealed class PeerBundles(FolderBundles own, PeerCaller caller, IPeers peers, int copies) : FetchedBundles(own)
{
    private const int PieceBytes = 1 << 20;

    public override async Task<bool> HasAsync(string hash, CancellationToken cancellationToken)
    {
        if (Own.Has(hash))
        {
            return true;
        }

        if (!BundleSpec.IsHash(hash))
        {
            return false;
        }

        bool[] answers = await Task.WhenAll(OrderOf(hash).Select(node => HasAsync(node, hash, cancellationToken)));
        return answers.Contains(true);
    }

    /// <summary>The copies follow when the others can take them: a bundle that one node has is enough to begin with.</summary>
    public override async Task<BundleSpec> PutAsync(string hash, Stream archive, CancellationToken cancellationToken)
    {
        BundleSpec put = await Own.PutAsync(hash, archive, cancellationToken);
        _ = await TryCopyAsync(hash, isWhole: true, cancellationToken);
        return put;
    }

    protected override string Nowhere(string hash) => "no node has it whole";

    /// <summary>Sees to it that this node and enough others have a bundle.</summary>
    /// <returns>Whether they have.</returns>
    /// <exception cref="CheckpointStoreException">It is not here, and may be at a node that does not answer.</exception>
    public async Task<bool> KeepAsync(string hash, CancellationToken cancellationToken)
    {
        try
        {
            if (Own.Has(hash))
            {
                return await TryCopyAsync(hash, isWhole: false, cancellationToken);
            }
        }
        catch (BundleException)
        {
            // Damaged here, so that nobody would take it.
        }

        return await FetchAsync(hash, cancellationToken) && await TryCopyAsync(hash, isWhole: true, cancellationToken);
    }

    /// <summary>Fetches a bundle from the first node that has it whole; false when no node has.</summary>
    /// <exception cref="CheckpointStoreException">None of those that answer has, and another one may.</exception>
    protected override async Task<bool> FetchAsync(string hash, CancellationToken cancellationToken)
    {
        CheckpointStoreException? silent = null;
        foreach (NodeAddress node in OrderOf(hash))
        {
            try
            {
                if (
                    await caller.ReadBundleAsync(node, hash, read => Own.PutAsync(hash, read, cancellationToken), cancellationToken)
                    is not null
                )
                {
                    return true;
                }
            }
            catch (BundleException)
            {
                // It is damaged there.
            }
            catch (CheckpointStoreException e)
            {
                silent ??= e;
            }
        }

        return silent is null && peers.Missing is []
            ? false
            : throw new CheckpointStoreException(
                $"Bundle {BundleSpec.Shorten(hash)} is at no node that answers. "
                    + (silent?.Message ?? $"{peers.Missing[0]} is gone only since a short time and may have it. It is waited for."),
                silent
            );
    }

    /// <summary>Hands a bundle that is here to others until enough of them have it.</summary>
    /// <param name="hash">The bundle's.</param>
    /// <param name="isWhole">Whether it is known to be whole: it is read through otherwise, before it is handed on.</param>
    /// <param name="cancellationToken">Ends it early.</param>
    /// <returns>Whether they have.</returns>
    /// <exception cref="BundleException">It is to be handed on, and is damaged here.</exception>
    private async Task<bool> TryCopyAsync(string hash, bool isWhole, CancellationToken cancellationToken)
    {
        int have = 0;
        foreach (NodeAddress node in OrderOf(hash))
        {
            if (have == copies)
            {
                break;
            }

            try
            {
                if (!await caller.HasBundleAsync(node, hash, cancellationToken))
                {
                    isWhole = isWhole || await Own.IsWholeAsync(hash, cancellationToken);
                    if (!isWhole)
                    {
                        throw new BundleException($"Bundle {BundleSpec.Shorten(hash)} is damaged here.");
                    }

                    await SendAsync(node, hash, cancellationToken);
                }

                have++;
            }
            catch (CheckpointStoreException)
            {
                // The next one takes its place, as for checkpoints.
                peers.PassOver(node);
            }
        }

        return have == copies;
    }

    private async Task SendAsync(NodeAddress node, string hash, CancellationToken cancellationToken)
    {
        using SafeFileHandle archive =
            Own.Open(hash) ?? throw new CheckpointStoreException($"Bundle {BundleSpec.Shorten(hash)} was removed while it was copied.");
        using PeerUpload upload = new(caller, node, PeerProtocol.PathOfBundle(hash), cancellationToken);
        byte[] piece = GC.AllocateUninitializedArray<byte>(PieceBytes);
        long at = 0;
        while (await ReadAsync(archive, piece, at, cancellationToken) is > 0 and int read)
        {
            await upload.WriteAsync(piece.AsMemory(0, read));
            at += read;
        }

        await upload.FinishAsync();
    }

    private static async Task<int> ReadAsync(SafeFileHandle archive, byte[] piece, long at, CancellationToken cancellationToken)
    {
        try
        {
            return await RandomAccess.ReadAsync(archive, piece, at, cancellationToken);
        }
        catch (Exception e) when (StoreErrors.IsFromSystem(e))
        {
            throw new CheckpointStoreException($"A bundle could not be read: {e.Message.TrimEnd('.')}.", e);
        }
    }

    private async Task<bool> HasAsync(NodeAddress node, string hash, CancellationToken cancellationToken)
    {
        try
        {
            return await caller.HasBundleAsync(node, hash, cancellationToken);
        }
        catch (CheckpointStoreException)
        {
            return false;
        }
    }

    private IEnumerable<NodeAddress> OrderOf(string hash) => PeerOrder.Of(hash, peers.Self, peers.Living).OrderBy(peers.IsPassedOver);
}
