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
    /// <param name="limit">The most bytes that it may have.</param>
    /// <param name="now">The time of change that its files have.</param>
    /// <param name="cancellationToken">Ends it early.</param>
    /// <returns>What stands in it; null when it has not the room, there are links, or the store has no chunks.</returns>
    /// <exception cref="CheckpointDamagedException">A chunk has other bytes than were saved.</exception>
    /// <exception cref="CheckpointStoreException">The store could not be read now.</exception>
    /// <exception cref="IOException">The system has no memory to give.</exception>
    public static MemorySource? Fill(
        ICheckpointContent content,
        SharedMemory memory,
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

        MemorySource source = new(memory.File, places, now);
        Dictionary<string, StateFile> files = source.List().ToDictionary(file => file.Path, StringComparer.Ordinal);
        (int File, int Chunk)[] chunks =
        [
            .. places.SelectMany((_, file) => Enumerable.Range(0, chunked.ChunksOf(file)).Select(chunk => (file, chunk))),
        ];
        FolderSave.Concurrently(
            chunks.Length,
            i =>
            {
                (int file, int chunk) = chunks[i];
                cancellationToken.ThrowIfCancellationRequested();
                chunked.ReadChunk(
                    file,
                    chunk,
                    bytes =>
                    {
                        files[places[file].Path].Saved(chunk, chunked.ChunkSize, XxHash128.HashToUInt128(bytes));
                        RandomAccess.Write(memory.File, bytes, places[file].Extents[0].Offset + ((long)chunk * chunked.ChunkSize));
                    }
                );
            },
            chunked.Store,
            cancellationToken
        );
        return source;
    }
}
