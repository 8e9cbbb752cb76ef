using System.Security.Cryptography;
using ActorTrainer.Core.Checkpoints;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Tasks;
using Microsoft.Win32.SafeHandles;

namespace ActorTrainer.Checkpoints;

/// <summary>Reads one checkpoint: its manifest, its packs (held open), its chunks, each hashed again.</summary>
internal sealed class FolderReader : IDisposable
{
    private readonly FolderLayout _layout;
    private readonly TaskId _task;
    private readonly CheckpointRef _checkpoint;
    private readonly BufferPool _pool;
    private readonly List<SafeFileHandle> _packs = [];

    /// <exception cref="CheckpointDamagedException">The manifest or a pack is missing, or the manifest has other bytes.</exception>
    /// <exception cref="CheckpointStoreException">The store could not be read now.</exception>
    public FolderReader(FolderLayout layout, BufferPool pool, TaskId task, CheckpointRef checkpoint)
    {
        (_layout, _pool, _task, _checkpoint) = (layout, pool, task, checkpoint);
        layout.RequireStore();
        Manifest = ReadManifest(layout, task, checkpoint, out int manifestLength);
        ManifestLength = manifestLength;
        try
        {
            foreach (string pack in Manifest.Packs)
            {
                OpenPack(pack);
            }
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public Manifest Manifest { get; }

    public int ManifestLength { get; }

    public static Manifest ReadManifest(FolderLayout layout, TaskId task, CheckpointRef checkpoint, out int length)
    {
        string file = CheckpointNames.ManifestFile(checkpoint.Name);
        string path = layout.FilePath(task, file);
        byte[] bytes;
        try
        {
            bytes = File.ReadAllBytes(path);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new CheckpointDamagedException($"Checkpoint {checkpoint.Name} of {task}: {file} is missing.", e);
        }
        catch (Exception e) when (StoreErrors.IsFromSystem(e))
        {
            throw StoreErrors.Describe($"Checkpoint {checkpoint.Name} of {task} could not be read", path, e);
        }

        length = bytes.Length;
        return ManifestFormat.Read(bytes, task, checkpoint, file);
    }

    /// <summary>Length of an entry's chunk.</summary>
    public int LengthOf(ManifestEntry entry, int index) =>
        (int)Math.Min(Manifest.ChunkSize, entry.Length - ((long)index * Manifest.ChunkSize));

    /// <summary>Reads, decodes and hashes a chunk into the buffer's beginning. Callable from several threads.</summary>
    /// <returns>The bytes read from the pack.</returns>
    /// <exception cref="CheckpointDamagedException">It is not what was saved.</exception>
    public int ReadChunk(ManifestEntry entry, int index, byte[] target)
    {
        ManifestChunk chunk = entry.Chunks[index];
        int rawLength = LengthOf(entry, index);
        byte[] record = _pool.Rent(PackFormat.RecordHeaderSize + chunk.Stored);
        byte[] scratch = _pool.Rent(rawLength);
        try
        {
            int recordLength = PackFormat.RecordHeaderSize + chunk.Stored;
            ReadRecord(chunk, record.AsSpan(0, recordLength));
            byte[] sha256 = Convert.FromHexString(chunk.Sha256);
            _ = ChunkCodecNames.TryParse(chunk.Codec, out ChunkCodec codec);
            Span<byte> raw = target.AsSpan(0, rawLength);
            Span<byte> actual = stackalloc byte[SHA256.HashSizeInBytes];
            if (
                !PackFormat.Matches(record, codec, rawLength, chunk.Stored, sha256)
                || !ChunkEncoder.TryDecode(codec, record, PackFormat.RecordHeaderSize, chunk.Stored, raw, scratch)
                || SHA256.HashData(raw, actual) != actual.Length
                || !actual.SequenceEqual(sha256)
            )
            {
                throw Damaged(chunk, "has other bytes than were written");
            }

            return recordLength;
        }
        finally
        {
            _pool.Return(record);
            _pool.Return(scratch);
        }
    }

    public void Dispose() => _packs.ForEach(pack => pack.Dispose());

    private void OpenPack(string pack)
    {
        string path = _layout.FilePath(_task, pack);
        try
        {
            // No share mode: packs are never written again, and an unlink of a condemned one may come at any time.
            SafeFileHandle handle = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            _packs.Add(handle);
            Span<byte> header = stackalloc byte[PackFormat.FileHeaderSize];
            if (RandomAccess.Read(handle, header, 0) == header.Length && !header.SequenceEqual(PackFormat.FileHeader))
            {
                throw new CheckpointDamagedException(
                    $"Checkpoint {_checkpoint.Name} of {_task}: {pack} has other bytes than were written (header at offset 0)."
                );
            }
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new CheckpointDamagedException($"Checkpoint {_checkpoint.Name} of {_task}: {pack} is missing.", e);
        }
        catch (Exception e) when (StoreErrors.IsFromSystem(e))
        {
            throw StoreErrors.Describe($"Checkpoint {_checkpoint.Name} of {_task} could not be read", path, e);
        }
    }

    private void ReadRecord(ManifestChunk chunk, Span<byte> target)
    {
        long offset = chunk.Offset;
        while (target.Length > 0)
        {
            int read;
            try
            {
                read = RandomAccess.Read(_packs[chunk.Pack], target, offset);
            }
            catch (Exception e) when (StoreErrors.IsFromSystem(e))
            {
                throw StoreErrors.Describe(
                    $"Checkpoint {_checkpoint.Name} of {_task} could not be read",
                    _layout.FilePath(_task, Manifest.Packs[chunk.Pack]),
                    e
                );
            }

            if (read == 0)
            {
                throw Damaged(
                    chunk,
                    $"is truncated: it ends at {offset}, the chunk at {chunk.Offset + PackFormat.RecordHeaderSize + chunk.Stored}"
                );
            }

            target = target[read..];
            offset += read;
        }
    }

    private CheckpointDamagedException Damaged(ManifestChunk chunk, string what) =>
        new(
            $"Checkpoint {_checkpoint.Name} of {_task}: {Manifest.Packs[chunk.Pack]} {what} (chunk at offset {chunk.Offset}, "
                + $"{chunk.Stored} bytes)."
        );
}
