using System.IO.Hashing;
using ActorTrainer.Core.Queries;

namespace ActorTrainer.Checkpoints;

/// <summary>Reads a checkpoint into memory that is shared with a worker: one copy, and no file.</summary>
internal static class MemoryRestore
{
    /// <summary>Files begin at multiples of this.</summary>
    private const int Aligned = 64;

    /// <summary>Fills a memory from its beginning.</summary>
    /// <param name="content">The checkpoint.</param>
    /// <param name="memory">Nothing that is needed stands in it; it grows to what is needed.</param>
    /// <param name="former">What was read into it before, and nobody has changed: chunks that are the same stay. Null: nothing.</param>
    /// <param name="limit">The most bytes that it may have.</param>
    /// <param name="now">The time of change that its files have.</param>
    /// <param name="cancellationToken">Ends it early.</param>
    /// <returns>What stands in it; null when it has not the room, there are links, or the store has no chunks.</returns>
    /// <exception cref="CheckpointDamagedException">A chunk has other bytes than were saved.</exception>
    /// <exception cref="CheckpointStoreException">The store could not be read now.</exception>
    /// <exception cref="IOException">The system has no memory to give.</exception>
    public static FilledMemory? Fill(
        ICheckpointContent content,
        SharedMemory memory,
        FilledMemory? former,
        long limit,
        DateTimeOffset now,
        CancellationToken cancellationToken
    )
    {
        if (content is not FolderContent chunked || content.Files.Any(file => file.Link is not null))
        {
            return null;
        }

        List<MemoryFile> places = [];
        long end = 0;
        foreach (CheckpointFile file in content.Files)
        {
            if (file.Length > limit - end)
            {
                return null;
            }

            places.Add(new MemoryFile(file.Path, [new MemoryExtent(end, file.Length)]));
            end += (file.Length + Aligned - 1) / Aligned * Aligned;
        }

        if (memory.Length < end)
        {
            RandomAccess.SetLength(memory.File, end);
        }

        FilledMemory filled = new(
            new MemorySource(memory.File, places, now),
            [.. places.Select((_, i) => chunked.KeysOf(i))],
            chunked.ChunkSize
        );
        (int File, int Chunk)[] missing = [.. filled.TakeFrom(former)];
        FolderSave.Concurrently(
            missing.Length,
            i =>
            {
                (int file, int chunk) = missing[i];
                cancellationToken.ThrowIfCancellationRequested();
                chunked.ReadChunk(
                    file,
                    chunk,
                    bytes =>
                    {
                        filled.Has(file, chunk, XxHash128.HashToUInt128(bytes));
                        RandomAccess.Write(memory.File, bytes, places[file].Extents[0].Offset + ((long)chunk * chunked.ChunkSize));
                    }
                );
            },
            chunked.Store,
            cancellationToken
        );
        return filled;
    }
}

/// <summary>A checkpoint that was read into a memory.</summary>
/// <param name="source">What stands where.</param>
/// <param name="keys">The names of the chunks of every file, in the order in which it has them.</param>
/// <param name="chunkSize">Bytes of a chunk but the last one of a file.</param>
internal sealed class FilledMemory(MemorySource source, IReadOnlyList<string[]> keys, int chunkSize)
{
    private readonly Dictionary<string, StateFile> _files = source.List().ToDictionary(file => file.Path, StringComparer.Ordinal);

    public MemorySource Source => source;

    /// <summary>A chunk was written.</summary>
    public void Has(int file, int chunk, UInt128 sum) => _files[source.Files[file].Path].Saved(chunk, chunkSize, sum);

    /// <summary>Keeps what stands at its place already.</summary>
    /// <returns>The chunks that do not.</returns>
    public IEnumerable<(int File, int Chunk)> TakeFrom(FilledMemory? former)
    {
        for (int file = 0; file < keys.Count; file++)
        {
            FormerPlace? before = former?.Find(source.Files[file], chunkSize);
            for (int chunk = 0; chunk < keys[file].Length; chunk++)
            {
                if (before is { } place && chunk < place.Keys.Length && place.Keys[chunk] == keys[file][chunk])
                {
                    Has(file, chunk, place.File.SumOf(chunk));
                }
                else
                {
                    yield return (file, chunk);
                }
            }
        }
    }

    private FormerPlace? Find(MemoryFile wanted, int size)
    {
        for (int i = 0; i < keys.Count && size == chunkSize; i++)
        {
            if (source.Files[i].Path == wanted.Path && source.Files[i].Extents[0].Offset == wanted.Extents[0].Offset)
            {
                return new FormerPlace(keys[i], (MemoryStateFile)_files[wanted.Path]);
            }
        }

        return null;
    }

    private sealed record FormerPlace(string[] Keys, MemoryStateFile File);
}
