using ActorTrainer.Checkpoints.Bundles;
using ActorTrainer.Core.Tasks;
using Microsoft.Win32.SafeHandles;

namespace ActorTrainer.Checkpoints.S3;

/// <summary>Bundles beside the checkpoints of a bucket: <c>PREFIX/bundles/HASH.tar.gz</c>.</summary>
internal sealed class S3Bundles(S3Bucket bucket, BufferPool parts, int partSize) : IBundlePlace
{
    public string PlaceOf(string hash) => $"{bucket.Place}/{KeyOf(hash)}";

    public async Task<bool> HasAsync(string hash, CancellationToken cancellationToken) =>
        await bucket.LengthAsync(KeyOf(hash), cancellationToken).ConfigureAwait(false) is not null;

    public async Task PutAsync(string hash, SafeFileHandle archive, bool mayCreateStore, CancellationToken cancellationToken)
    {
        await bucket.PrepareAsync(mayCreateStore, cancellationToken).ConfigureAwait(false);
        await Task
            .Factory.StartNew(
                () => Upload(hash, archive, cancellationToken),
                cancellationToken,
                TaskCreationOptions.DenyChildAttach,
                OwnThreads.Instance
            )
            .ConfigureAwait(false);
    }

    public async Task<BundleSpec?> ReadAsync(
        string hash,
        Func<Func<Memory<byte>, CancellationToken, ValueTask<int>>, Task<BundleSpec>> take,
        CancellationToken cancellationToken
    )
    {
        string key = KeyOf(hash);
        if (await bucket.LengthAsync(key, cancellationToken).ConfigureAwait(false) is not { } length)
        {
            await bucket.RequireMarkerAsync(cancellationToken).ConfigureAwait(false);
            return null;
        }

        // Fewer and larger requests than who unpacks asks for.
        byte[] part = parts.Rent((int)Math.Min(length, partSize));
        (long next, int from, int to) = (0, 0, 0);
        try
        {
            return await take(
                    async (target, cancel) =>
                    {
                        if (from == to && next < length)
                        {
                            (from, to) = (0, await ReadAsync(key, next, part, length, cancel).ConfigureAwait(false));
                            next += to;
                        }

                        int count = Math.Min(target.Length, to - from);
                        part.AsMemory(from, count).CopyTo(target);
                        from += count;
                        return count;
                    }
                )
                .ConfigureAwait(false);
        }
        finally
        {
            parts.Return(part);
        }
    }

    private async Task<int> ReadAsync(string key, long at, Memory<byte> part, long length, CancellationToken cancellationToken)
    {
        (int read, long whole) = await bucket.ReadAsync(key, at, part, cancellationToken).ConfigureAwait(false);
        return whole == length && read > 0
            ? read
            : throw new CheckpointStoreException($"{bucket.Place}/{key} was replaced or removed while it was read.");
    }

    private static string KeyOf(string hash) => FolderLayout.BundleFile(hash);

    private void Upload(string hash, SafeFileHandle archive, CancellationToken cancellationToken)
    {
        long length = RandomAccess.GetLength(archive);
        using S3Upload upload = new(bucket, KeyOf(hash), parts, partSize, length, cancellationToken);
        byte[] piece = GC.AllocateUninitializedArray<byte>(1 << 20);
        long at = 0;
        while (RandomAccess.Read(archive, piece, at) is > 0 and int read)
        {
            upload.Append(piece.AsSpan(0, read));
            at += read;
        }

        upload.Finish(length);
    }
}
