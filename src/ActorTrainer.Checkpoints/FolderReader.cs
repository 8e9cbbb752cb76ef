using System.Security.Cryptography;
using ActorTrainer.Checkpoints.Codecs;
using ActorTrainer.Core.Checkpoints;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Tasks;

namespace ActorTrainer.Checkpoints;

/// <summary>Reads one checkpoint: its manifest, its packs (held open), its chunks, each hashed again.</summary>
internal sealed class FolderReader : IDisposable
{
    private const string OtherBytes = "has other bytes than were written";

    private readonly TaskId _task;
    private readonly CheckpointRef _checkpoint;
    private readonly BufferPool _pool;
    private readonly CancellationToken _cancellation;
    private readonly IPackSource?[] _packs;

    /// <param name="files">Where it stands.</param>
    /// <param name="pool">For records and what they are decoded to.</param>
    /// <param name="task">The task that it belongs to.</param>
    /// <param name="checkpoint">The checkpoint.</param>
    /// <param name="opening">Ends the opening early.</param>
    /// <param name="reading">Ends reads of chunks early.</param>
    /// <exception cref="CheckpointDamagedException">The manifest or a pack is missing, or the manifest has other bytes.</exception>
    /// <exception cref="CheckpointStoreException">The store could not be read now.</exception>
    public FolderReader(
        IStoreFiles files,
        BufferPool pool,
        TaskId task,
        CheckpointRef checkpoint,
        CancellationToken opening,
        CancellationToken reading
    )
    {
        (Files, _pool, _task, _checkpoint, _cancellation) = (files, pool, task, checkpoint, reading);
        files.RequireStore(opening);
        Manifest = ReadManifest(files, task, checkpoint, opening, out int manifestLength);
        ManifestLength = manifestLength;
        _packs = new IPackSource?[Manifest.Packs.Count];
        OpenPacks(Enumerable.Range(0, _packs.Length), opening);
    }

    private FolderReader(
        IStoreFiles files,
        BufferPool pool,
        TaskId task,
        CheckpointRef checkpoint,
        Manifest manifest,
        int pack,
        IPackSource? from,
        CancellationToken cancellationToken
    )
    {
        (Files, _pool, _task, _checkpoint, _cancellation) = (files, pool, task, checkpoint, cancellationToken);
        Manifest = manifest;
        _packs = new IPackSource?[manifest.Packs.Count];
        _packs[pack] = from is null ? null : new Borrowed(from);
        OpenPacks(manifest.NeededFor(pack).Where(index => _packs[index] is null), cancellationToken);
    }

    /// <summary>Reads the records of one pack, by a manifest that came from elsewhere.</summary>
    /// <param name="files">Where it stands, and what is needed to read it.</param>
    /// <param name="pool">For records and what they are decoded to.</param>
    /// <param name="task">The task that it belongs to.</param>
    /// <param name="checkpoint">The checkpoint.</param>
    /// <param name="manifest">Its manifest.</param>
    /// <param name="pack">Which of its packs.</param>
    /// <param name="from">Another place where that one stands; it stays open. Null: it is taken from the files.</param>
    /// <param name="cancellationToken">Ends it early.</param>
    /// <exception cref="CheckpointDamagedException">The pack, or one that is needed to read it, is missing or does not begin as
    /// one.</exception>
    public static FolderReader OfPack(
        IStoreFiles files,
        BufferPool pool,
        TaskId task,
        CheckpointRef checkpoint,
        Manifest manifest,
        int pack,
        IPackSource? from,
        CancellationToken cancellationToken
    ) => new(files, pool, task, checkpoint, manifest, pack, from, cancellationToken);

    public IStoreFiles Files { get; }

    public Manifest Manifest { get; }

    public int ManifestLength { get; }

    public static Manifest ReadManifest(
        IStoreFiles files,
        TaskId task,
        CheckpointRef checkpoint,
        CancellationToken cancellationToken,
        out int length
    )
    {
        string file = CheckpointNames.ManifestFile(checkpoint.Name);
        byte[] bytes;
        try
        {
            bytes =
                files.ReadManifest(task, file, cancellationToken)
                ?? throw new CheckpointDamagedException($"Checkpoint {checkpoint.Name} of {task}: {file} is missing.");
        }
        catch (Exception e) when (StoreErrors.IsFromSystem(e))
        {
            throw StoreErrors.Describe($"Checkpoint {checkpoint.Name} of {task} could not be read", $"{files.PlaceOf(task)}/{file}", e);
        }

        length = bytes.Length;
        return ManifestFormat.Read(bytes, task, checkpoint, file);
    }

    /// <summary>Length of an entry's chunk.</summary>
    public int LengthOf(ManifestEntry entry, int index) => Manifest.LengthOf(entry, index);

    /// <summary>Reads, decodes and hashes a chunk into the buffer's beginning. Callable from several threads.</summary>
    /// <returns>The bytes read from packs.</returns>
    /// <exception cref="CheckpointDamagedException">It is not what was saved, wherever its pack stands.</exception>
    public int ReadChunk(ManifestEntry entry, int index, byte[] target) =>
        ReadChunk(entry.Chunks[index], target.AsSpan(0, LengthOf(entry, index)));

    /// <inheritdoc cref="ReadChunk(ManifestEntry, int, byte[])" />
    public int ReadChunk(ManifestChunk chunk, Span<byte> raw)
    {
        byte[] record = _pool.Rent(PackFormat.RecordHeaderSize + chunk.Chain.Max(link => link.Stored));
        byte[] scratch = _pool.Rent(raw.Length);
        byte[]? below = chunk.Base is null ? null : _pool.Rent(raw.Length);
        try
        {
            bool isRead = true;
            foreach (ManifestChunk link in chunk.Chain)
            {
                Span<byte> target = link == chunk ? raw : below.AsSpan(0, raw.Length);
                isRead &= Read(_packs[link.Pack]!, link, record, target, scratch) is null;
                if (link != chunk)
                {
                    Difference.Apply(raw, target);
                }
            }

            if (!isRead || !IsWhole(chunk, raw))
            {
                ReadMistrusting(chunk, raw);
            }

            return chunk.Chain.Sum(link => PackFormat.RecordHeaderSize + link.Stored);
        }
        finally
        {
            _pool.Return(record);
            _pool.Return(scratch);
            if (below is not null)
            {
                _pool.Return(below);
            }
        }
    }

    /// <summary>Has reads ask the disk itself; see <see cref="IPackSource.BypassCache"/>.</summary>
    public void BypassCache() => Array.ForEach(_packs, pack => pack?.BypassCache());

    /// <summary>Each chunk that the checkpoint has, once, in the order of its files.</summary>
    public IReadOnlyList<(ManifestEntry Entry, int Index)> Chunks()
    {
        HashSet<string> seen = new(StringComparer.Ordinal);
        return
        [
            .. Manifest.Entries.SelectMany(entry =>
                Enumerable.Range(0, entry.Chunks.Count).Where(index => seen.Add(entry.Chunks[index].Sha256)).Select(index => (entry, index))
            ),
        ];
    }

    public void Dispose() => Array.ForEach(_packs, pack => pack?.Dispose());

    private void OpenPacks(IEnumerable<int> indices, CancellationToken cancellationToken)
    {
        try
        {
            foreach (int index in indices)
            {
                OpenPack(index, cancellationToken);
            }
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    private void OpenPack(int index, CancellationToken cancellationToken)
    {
        string pack = Manifest.Packs[index];
        try
        {
            IPackSource source =
                Files.OpenPack(_task, pack, cancellationToken)
                ?? throw new CheckpointDamagedException($"Checkpoint {_checkpoint.Name} of {_task}: {pack} is missing.");
            _packs[index] = source;
            byte[] header = new byte[PackFormat.FileHeaderSize];
            if (source.Read(0, header, cancellationToken) == header.Length && !header.AsSpan().SequenceEqual(PackFormat.FileHeader))
            {
                throw new CheckpointDamagedException(
                    $"Checkpoint {_checkpoint.Name} of {_task}: {pack} has other bytes than were written (header at offset 0)."
                );
            }
        }
        catch (Exception e) when (StoreErrors.IsFromSystem(e))
        {
            throw Unreadable(pack, e);
        }
    }

    /// <summary>Reads a chunk link by link, each from the first place that has it whole.</summary>
    /// <exception cref="CheckpointDamagedException">One of them is whole nowhere.</exception>
    /// <exception cref="CheckpointStoreException">One is whole nowhere, but a place did not answer.</exception>
    private void ReadMistrusting(ManifestChunk chunk, Span<byte> raw)
    {
        byte[] record = new byte[PackFormat.RecordHeaderSize + chunk.Stored];
        byte[] scratch = new byte[raw.Length];
        byte[]? below = null;
        if (chunk.Base is { } link)
        {
            below = new byte[raw.Length];
            ReadMistrusting(link, below);
        }

        if (ReadWhole(_packs[chunk.Pack]!, raw) is not { } wrong)
        {
            return;
        }

        CheckpointStoreException? silent = null;
        foreach (IPackSource other in _packs[chunk.Pack]!.Others())
        {
            using (other)
            {
                try
                {
                    if (ReadWhole(other, raw) is null)
                    {
                        return;
                    }
                }
                catch (CheckpointStoreException e)
                {
                    silent ??= e;
                }
            }
        }

        throw silent is null ? Damaged(chunk, wrong) : silent;

        string? ReadWhole(IPackSource pack, Span<byte> target)
        {
            if (Read(pack, chunk, record, target, scratch) is { } problem)
            {
                return problem;
            }

            if (below is not null)
            {
                Difference.Apply(target, below);
            }

            return IsWhole(chunk, target) ? null : OtherBytes;
        }
    }

    /// <summary>Reads a chunk's record from a pack and decodes it.</summary>
    /// <returns>What is wrong with it; null: nothing that shows before its base is there and it is hashed.</returns>
    private string? Read(IPackSource pack, ManifestChunk chunk, byte[] record, Span<byte> raw, byte[] scratch)
    {
        int length = PackFormat.RecordHeaderSize + chunk.Stored;
        for (int filled = 0; filled < length; )
        {
            int read;
            try
            {
                read = pack.Read(chunk.Offset + filled, record.AsMemory(filled, length - filled), _cancellation);
            }
            catch (Exception e) when (StoreErrors.IsFromSystem(e))
            {
                throw Unreadable(Manifest.Packs[chunk.Pack], e);
            }

            if (read == 0)
            {
                return $"is truncated: it ends at {chunk.Offset + filled}, the chunk at {chunk.Offset + length}";
            }

            filled += read;
        }

        byte[] sha256 = Convert.FromHexString(chunk.Sha256);
        _ = ChunkCodecNames.TryParse(chunk.Codec, out ChunkCodec codec);
        return
            PackFormat.Matches(record, codec, chunk.Base is not null, raw.Length, chunk.Stored, sha256)
            && ChunkEncoder.TryDecode(codec, record, PackFormat.RecordHeaderSize, chunk.Stored, raw, scratch)
            ? null
            : OtherBytes;
    }

    private static bool IsWhole(ManifestChunk chunk, ReadOnlySpan<byte> raw)
    {
        Span<byte> actual = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(raw, actual);
        return Convert.ToHexStringLower(actual) == chunk.Sha256;
    }

    private CheckpointStoreException Unreadable(string pack, Exception e) =>
        StoreErrors.Describe($"Checkpoint {_checkpoint.Name} of {_task} could not be read", $"{Files.PlaceOf(_task)}/{pack}", e);

    private CheckpointDamagedException Damaged(ManifestChunk chunk, string what) =>
        new(
            $"Checkpoint {_checkpoint.Name} of {_task}: {Manifest.Packs[chunk.Pack]} {what} (chunk at offset {chunk.Offset}, "
                + $"{chunk.Stored} bytes)."
        );

    /// <summary>A pack that is somebody else's to close, as it stands at one place and no other.</summary>
    private sealed class Borrowed(IPackSource pack) : IPackSource
    {
        public int Read(long offset, Memory<byte> target, CancellationToken cancellationToken) =>
            pack.Read(offset, target, cancellationToken);

        public void Dispose()
        {
            // Not this one's.
        }
    }
}
