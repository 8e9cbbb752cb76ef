using ActorTrainer.Core.Tasks;
using Microsoft.Win32.SafeHandles;

namespace ActorTrainer.Checkpoints.Bundles;

/// <summary>Bundles beside the checkpoints of a folder that all nodes share and that stands behind each one's own.</summary>
internal sealed class FolderBundlePlace(FolderBundles shared) : IBundlePlace
{
    public string PlaceOf(string hash) => shared.PathOf(hash);

    public Task<bool> HasAsync(string hash, CancellationToken cancellationToken) => shared.HasAsync(hash, cancellationToken);

    public Task PutAsync(string hash, SafeFileHandle archive, bool mayCreateStore, CancellationToken cancellationToken)
    {
        if (!mayCreateStore)
        {
            shared.RequireStore();
        }

        return shared.PutAsync(hash, Reader(archive), cancellationToken);
    }

    public async Task<BundleSpec?> ReadAsync(
        string hash,
        Func<Func<Memory<byte>, CancellationToken, ValueTask<int>>, Task<BundleSpec>> take,
        CancellationToken cancellationToken
    )
    {
        using SafeFileHandle? archive = shared.Open(hash);
        return archive is null ? null : await take(Reader(archive)).ConfigureAwait(false);
    }

    private static Func<Memory<byte>, CancellationToken, ValueTask<int>> Reader(SafeFileHandle archive)
    {
        long at = 0;
        return async (target, cancel) =>
        {
            int read = await RandomAccess.ReadAsync(archive, target, at, cancel).ConfigureAwait(false);
            at += read;
            return read;
        };
    }
}
