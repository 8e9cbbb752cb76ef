using ActorTrainer.Core.Checkpoints;
using Microsoft.Win32.SafeHandles;

namespace ActorTrainer.Checkpoints;

/// <summary>Where the bytes of a state are that is to be saved. They stay as they are until the save is over.</summary>
public abstract class StateSource
{
    private protected StateSource() { }

    /// <summary>The files below a folder, with their relative paths. Empty folders are dropped.</summary>
    public static StateSource OfFolder(string directory) => new FolderSource(directory);

    /// <summary>Its files and links, sorted by path.</summary>
    /// <exception cref="CheckpointStoreException">They cannot be stored, and why.</exception>
    internal abstract IReadOnlyList<StateFile> List();
}

/// <summary>The files below a folder, with their relative paths. Empty folders are dropped.</summary>
/// <param name="directory">The folder.</param>
internal sealed class FolderSource(string directory) : StateSource
{
    public string Directory => directory;

    internal override IReadOnlyList<StateFile> List()
    {
        try
        {
            return [.. SourceTree.List(directory).Select(file => new DiskStateFile(file))];
        }
        catch (Exception e) when (StoreErrors.IsFromSystem(e))
        {
            throw DiskStateFile.Unreadable(directory, e);
        }
    }
}

/// <summary>Files that stand in a piece of memory.</summary>
/// <param name="memory">The memory, as a file of the system; open until the save is over.</param>
/// <param name="files">What stands where; in any order.</param>
/// <param name="modified">When the state was taken: the time of change that its files have.</param>
internal sealed class MemorySource(SafeFileHandle memory, IReadOnlyList<MemoryFile> files, DateTimeOffset modified) : StateSource
{
    private const int CopiedAtOnce = 1 << 20;
    private const int ComparedAtOnce = 64 << 10;

    private MemoryStateFile[]? _listed;
    private Dictionary<string, MemoryStateFile> _byPath = [];

    /// <summary>What stands where.</summary>
    public IReadOnlyList<MemoryFile> Files => files;

    /// <summary>
    /// The state that was stored before this one, while this one is stored: differences to it may be smaller. Null: it is in no memory.
    /// </summary>
    public MemorySource? Former { get; set; }

    /// <summary>A file of a state that was stored; null: it has none of this path.</summary>
    public MemoryStateFile? Find(string path) => _byPath.GetValueOrDefault(path);

    internal override IReadOnlyList<StateFile> List()
    {
        long size = RandomAccess.GetLength(memory);
        HashSet<string> paths = new(StringComparer.Ordinal);
        long total = 0;
        foreach (MemoryFile file in files)
        {
            if (!EntryPath.IsSafe(file.Path) || !paths.Add(file.Path))
            {
                throw Bad($"has the path '{file.Path}', which cannot be stored, or twice");
            }

            foreach (MemoryExtent extent in file.Extents)
            {
                if (extent.Offset < 0 || extent.Length < 0 || extent.Offset > size - extent.Length)
                {
                    throw Bad($"'{file.Path}' is said to stand at {extent.Offset}, {extent.Length} bytes, in a memory of {size} bytes");
                }

                // No byte can stand in it twice, so this also bounds what a worker can make its node store.
                total += extent.Length;
                if (total > size)
                {
                    throw Bad($"is said to have more than the {size} bytes of its memory");
                }
            }
        }

        _listed ??=
        [
            .. files
                .OrderBy(file => file.Path, StringComparer.Ordinal)
                .Select(file => new MemoryStateFile(memory, file, modified, () => Former)),
        ];
        _byPath = _listed.ToDictionary(file => file.Path, StringComparer.Ordinal);
        return _listed;
    }

    /// <summary>
    /// Whether it has the bytes that were saved, by a checksum of each chunk: a process that crashed may have written anywhere before.
    /// </summary>
    /// <exception cref="CheckpointStoreException">It cannot be read.</exception>
    public bool IsAsSaved(CancellationToken cancellationToken)
    {
        if (_listed is not { } listed || !listed.All(file => file.IsSaved))
        {
            return false;
        }

        (MemoryStateFile File, int Index)[] chunks =
        [
            .. listed.SelectMany(file => Enumerable.Range(0, file.Chunks).Select(i => (file, i))),
        ];
        int differing = 0;
        FolderSave.Concurrently(
            FolderStore.Parallelism,
            part =>
            {
                byte[] buffer = new byte[ComparedAtOnce];
                for (int i = part; i < chunks.Length && differing == 0; i += FolderStore.Parallelism)
                {
                    cancellationToken.ThrowIfCancellationRequested();
                    if (!chunks[i].File.IsAsSaved(chunks[i].Index, buffer))
                    {
                        _ = Interlocked.Increment(ref differing);
                    }
                }
            },
            FolderStore.Parallelism,
            TaskScheduler.Default,
            cancellationToken
        );
        return differing == 0;
    }

    /// <summary>Writes it below a folder that is not there yet.</summary>
    /// <exception cref="IOException">It could not be written.</exception>
    public void WriteTo(string folder)
    {
        byte[] buffer = new byte[CopiedAtOnce];
        foreach (StateFile file in List())
        {
            string path = Path.Combine(folder, file.Path);
            _ = Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            using FileStream target = new(path, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 0);
            using IStateReader reader = file.Open();
            for (long at = 0; at < file.Length; )
            {
                Span<byte> part = buffer.AsSpan(0, (int)Math.Min(buffer.Length, file.Length - at));
                reader.Read(part, at);
                target.Write(part);
                at += part.Length;
            }
        }
    }

    private static CheckpointStoreException Bad(string problem) =>
        new($"The state that was staged in memory {problem}. The worker's side of the protocol is at fault.") { IsOfTheState = true };
}

/// <summary>A file of a state in memory.</summary>
/// <param name="Path">Its relative path with <c>/</c>.</param>
/// <param name="Extents">Its bytes, in order.</param>
internal sealed record MemoryFile(string Path, IReadOnlyList<MemoryExtent> Extents)
{
    /// <summary>In bytes.</summary>
    public long Length => Extents.Sum(extent => extent.Length);
}

/// <summary>A run of bytes in a memory.</summary>
/// <param name="Offset">Where it begins, in bytes from the memory's beginning.</param>
/// <param name="Length">In bytes.</param>
internal readonly record struct MemoryExtent(long Offset, long Length);
