using System.Buffers;
using System.IO.Hashing;
using ActorTrainer.Core.Queries;

namespace ActorTrainer.Checkpoints;

/// <summary>Reads a checkpoint into memory that is shared with a worker: one copy, and no file.</summary>
internal static class MemoryRestore
{
    /// <summary>Files begin at multiples of this.</summary>
    private const int Aligned = 64;

    /// <summary>So much has a checksum of its own, by which it is known later that nobody has changed it.</summary>
    private const int ChunkSize = 1 << 20;

    /// <summary>Read by one thread: whole chunks, as most stores cut them.</summary>
    private const int Stretch = 8 << 20;

    /// <summary>Fills a memory from its beginning.</summary>
    /// <param name="content">The checkpoint.</param>
    /// <param name="memory">Nothing that is needed stands in it; it grows to what is needed.</param>
    /// <param name="limit">The most bytes that it may have.</param>
    /// <param name="now">The time of change that its files have.</param>
    /// <param name="cancellationToken">Ends it early.</param>
    /// <returns>What stands in it; null when it has not the room, or there are links.</returns>
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
        if (content.Files.Any(file => file.Link is not null))
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
        (int File, long From)[] stretches =
        [
            .. places.SelectMany((place, i) => Enumerable.Range(0, Stretches(place.Length)).Select(part => (i, (long)part * Stretch))),
        ];
        IStoreFiles? store = (content as FolderContent)?.Store;
        FolderSave.Concurrently(
            stretches.Length,
            index => Read(content, memory, places, files, stretches[index], cancellationToken),
            store?.AtOnce ?? 1,
            store?.Threads ?? TaskScheduler.Default,
            cancellationToken
        );
        return source;
    }

    private static int Stretches(long length) => (int)((length + Stretch - 1) / Stretch);

    private static void Read(
        ICheckpointContent content,
        SharedMemory memory,
        List<MemoryFile> places,
        Dictionary<string, StateFile> files,
        (int File, long From) stretch,
        CancellationToken cancellationToken
    )
    {
        MemoryFile place = places[stretch.File];
        byte[] buffer = ArrayPool<byte>.Shared.Rent(ChunkSize);
        try
        {
            using Stream stream = content.OpenFile(stretch.File);
            stream.Position = stretch.From;
            long until = Math.Min(place.Length, stretch.From + Stretch);
            for (long at = stretch.From; at < until; at += ChunkSize)
            {
                cancellationToken.ThrowIfCancellationRequested();
                Span<byte> chunk = buffer.AsSpan(0, (int)Math.Min(ChunkSize, until - at));
                stream.ReadExactly(chunk);
                files[place.Path].Saved((int)(at / ChunkSize), ChunkSize, XxHash128.HashToUInt128(chunk));
                RandomAccess.Write(memory.File, chunk, place.Extents[0].Offset + at);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
