using ActorTrainer.Core.Checkpoints;
using ActorTrainer.Core.Identity;

namespace ActorTrainer.Checkpoints.S3;

/// <summary>
/// Files of a store as objects of a bucket, under the same names as below a folder. A PUT is whole or not there, so nothing is renamed.
/// </summary>
internal sealed class S3Files(S3Bucket bucket, int partSize) : IStoreFiles
{
    /// <summary>How many requests of one save or restore are on their way at once.</summary>
    public const int RequestsAtOnce = 8;

    /// <summary>What is asked for of a manifest at first; most are shorter.</summary>
    private const int ManifestAtFirst = 1 << 20;

    /// <summary>A manifest of a state of terabytes is shorter.</summary>
    private const int LongestManifest = 1 << 30;

    private readonly BufferPool _parts = new(partSize, S3Upload.PartsAtOnce + 1);

    /// <summary>The bundles beside the files; they go through the same buffers.</summary>
    public S3Bundles Bundles => new(bucket, _parts, partSize);

    public int AtOnce => RequestsAtOnce;

    public TaskScheduler Threads => OwnThreads.Instance;

    public string PlaceOf(TaskId task) => $"{bucket.Place}/{task}";

    public void RequireStore(CancellationToken cancellationToken)
    {
        // A missing file is only told once the marker has been seen, so nothing has to be asked here.
    }

    public void Prepare(TaskId task, bool mayCreateStore, CancellationToken cancellationToken) =>
        OwnThreads.Wait(async () =>
        {
            await bucket.PrepareAsync(mayCreateStore, cancellationToken).ConfigureAwait(false);
            return true;
        });

    public long? LengthOf(TaskId task, string file, CancellationToken cancellationToken) =>
        OwnThreads.Wait(() => bucket.LengthAsync(KeyOf(task, file), cancellationToken));

    public IPackSink CreatePack(TaskId task, string pack, long atMost, CancellationToken cancellationToken) =>
        new S3Upload(bucket, KeyOf(task, pack), _parts, partSize, atMost, cancellationToken);

    public void SyncPacks(TaskId task)
    {
        // An object is durable with its name.
    }

    public IPackSource? OpenPack(TaskId task, string pack, CancellationToken cancellationToken)
    {
        byte[] header = new byte[PackFormat.FileHeaderSize];
        (int read, long length) = OwnThreads.Wait(() => bucket.ReadAsync(KeyOf(task, pack), 0, header, cancellationToken));
        return length < 0 ? null : new Source(this, KeyOf(task, pack), header.AsMemory(0, read));
    }

    public byte[]? ReadManifest(TaskId task, string file, CancellationToken cancellationToken) =>
        OwnThreads.Wait(() => ReadManifestAsync(KeyOf(task, file), cancellationToken));

    public void WriteManifest(TaskId task, string file, byte[] bytes, CancellationToken cancellationToken)
    {
        try
        {
            OwnThreads.Wait(() => PutAsync(KeyOf(task, file), bytes, cancellationToken));
        }
        catch
        {
            // It may have come to be though its answer was lost; its pack is taken away now.
            OwnThreads.Wait(() => TryDeleteAsync(KeyOf(task, file)));
            throw;
        }
    }

    public IReadOnlyList<string> List(TaskId task, CancellationToken cancellationToken) =>
        OwnThreads.Wait(() => bucket.ListAsync($"{task}/", cancellationToken));

    public void Delete(TaskId task, string file, CancellationToken cancellationToken) =>
        OwnThreads.Wait(() => DeleteAsync(KeyOf(task, file), cancellationToken));

    public long? Share(TaskId from, string pack, TaskId to, string name, CancellationToken cancellationToken)
    {
        (string source, string target) = (KeyOf(from, pack), KeyOf(to, name));
        if (OwnThreads.Wait(() => FindAsync(source, cancellationToken)) is not { } length)
        {
            return null;
        }

        if (length <= bucket.CopyBytes && OwnThreads.Wait(() => bucket.TryCopyAsync(source, target, cancellationToken)))
        {
            return length;
        }

        using S3Upload upload = new(bucket, target, _parts, partSize, length, cancellationToken);
        byte[] piece = GC.AllocateUninitializedArray<byte>(partSize);
        for (long at = 0; at < length; )
        {
            int read = ReadPack(source, at, piece, cancellationToken);
            if (read == 0)
            {
                throw new CheckpointDamagedException($"{bucket.Place}/{source} is truncated: it ends at {at}, and had {length} bytes.");
            }

            upload.Append(piece.AsSpan(0, read));
            at += read;
        }

        upload.Finish(length);
        return length;
    }

    private static string KeyOf(TaskId task, string file) =>
        CheckpointNames.TryParseFile(file, out _) ? $"{task}/{file}" : throw FolderLayout.NoStoreFile(file);

    private async Task<long?> FindAsync(string key, CancellationToken cancellationToken)
    {
        long? length = await bucket.LengthAsync(key, cancellationToken).ConfigureAwait(false);
        if (length is null)
        {
            await bucket.RequireMarkerAsync(cancellationToken).ConfigureAwait(false);
        }

        return length;
    }

    private async Task<byte[]?> ReadManifestAsync(string key, CancellationToken cancellationToken)
    {
        byte[] start = new byte[ManifestAtFirst];
        (int read, long length) = await bucket.ReadAsync(key, 0, start, cancellationToken).ConfigureAwait(false);
        if (length < 0)
        {
            return null;
        }

        if (length <= read || length > LongestManifest)
        {
            // What is too long to be a manifest has other bytes than one, which its hash then says.
            return start[..read];
        }

        byte[] whole = new byte[length];
        start.AsSpan(0, read).CopyTo(whole);
        (int rest, _) = await bucket.ReadAsync(key, read, whole.AsMemory(read), cancellationToken).ConfigureAwait(false);
        return whole[..(read + rest)];
    }

    private async Task<bool> PutAsync(string key, byte[] bytes, CancellationToken cancellationToken)
    {
        await bucket.PutAsync(key, bytes, cancellationToken).ConfigureAwait(false);
        return true;
    }

    private async Task<bool> DeleteAsync(string key, CancellationToken cancellationToken)
    {
        await bucket.DeleteAsync(key, cancellationToken).ConfigureAwait(false);
        return true;
    }

    private async Task<bool> TryDeleteAsync(string key)
    {
        try
        {
            return await DeleteAsync(key, CancellationToken.None).ConfigureAwait(false);
        }
        catch (CheckpointStoreException)
        {
            // Garbage without a name: no event has it, and the next activation condemns it.
            return false;
        }
    }

    private sealed class Source(S3Files files, string key, ReadOnlyMemory<byte> header) : IPackSource
    {
        public int Read(long offset, Memory<byte> target, CancellationToken cancellationToken)
        {
            if (offset == 0 && target.Length == PackFormat.FileHeaderSize)
            {
                header.CopyTo(target);
                return header.Length;
            }

            return files.ReadPack(key, offset, target, cancellationToken);
        }

        public void Dispose()
        {
            // Nothing is held open.
        }
    }

    private int ReadPack(string key, long offset, Memory<byte> target, CancellationToken cancellationToken)
    {
        (int read, long length) = OwnThreads.Wait(() => bucket.ReadAsync(key, offset, target, cancellationToken));
        return length >= 0
            ? read
            : throw new CheckpointDamagedException($"{bucket.Place}/{key} is missing: it was removed while it was read.");
    }
}
