using System.Runtime.ExceptionServices;
using ActorTrainer.Core.Checkpoints;
using ActorTrainer.Core.Configuration;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Tasks;

namespace ActorTrainer.Checkpoints;

/// <summary>
/// Checkpoints in a folder: a local disk, or a mount that every node reads. Layout and formats: docs/formats/checkpoint.md. Safe for
/// any number of saves and restores at once, from any number of processes, since files are written once and never changed.
/// </summary>
public sealed partial class FolderStore : ICheckpointStore
{
    /// <summary>How many chunks of one save or restore are hashed and encoded at once.</summary>
    internal static readonly int Parallelism = Math.Clamp(Environment.ProcessorCount, 1, 4);

    // A save of two batches and a restore find all their buffers here.
    private const int BuffersKept = 32;

    private readonly CheckpointStoreModel _model;
    private readonly TimeProvider _time;
    private readonly FolderLayout _layout;
    private readonly BufferPool _pool;
    private readonly Action<SaveStep>? _probe;

    /// <summary>Opens a store; nothing is read or written yet, and the folder need not exist before the first save.</summary>
    /// <param name="model">Folder, chunk size (4 KiB to 64 MiB) and whether to compress.</param>
    /// <param name="time">Dates the manifests.</param>
    /// <exception cref="ArgumentException">The path is empty or the chunk size out of range.</exception>
    public FolderStore(CheckpointStoreModel model, TimeProvider time)
        : this(model, time, probe: null) { }

    internal FolderStore(CheckpointStoreModel model, TimeProvider time, Action<SaveStep>? probe)
        : this(model, time, new BufferPool(model.ChunkSizeBytes + PackFormat.RecordHeaderSize, BuffersKept), probe) { }

    private FolderStore(CheckpointStoreModel model, TimeProvider time, BufferPool pool, Action<SaveStep>? probe)
    {
        ArgumentException.ThrowIfNullOrEmpty(model.Path);
        ArgumentOutOfRangeException.ThrowIfLessThan(model.ChunkSizeBytes, ManifestFormat.SmallestChunk);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(model.ChunkSizeBytes, ManifestFormat.LargestChunk);
        _model = model;
        _time = time;
        _probe = probe;
        _layout = new FolderLayout(model.Path);
        _pool = pool;
    }

    /// <inheritdoc />
    public Task<CheckpointRef> SaveAsync(SaveRequest request, CancellationToken cancellationToken)
    {
        if (!CheckpointNames.TryParse(request.Name, out long term) || term != request.Term)
        {
            return Task.FromException<CheckpointRef>(
                new CheckpointStoreException(
                    $"'{request.Name}' cannot name a checkpoint of term {request.Term}: "
                        + "names are c-TERM-STEP-RANDOM, as CheckpointNames.Create draws them."
                )
            );
        }

        return Task.Run(() => new FolderSave(_layout, _pool, _model, _time, _probe, request).Execute(cancellationToken), cancellationToken);
    }

    /// <inheritdoc />
    public Task RestoreAsync(TaskId task, CheckpointRef checkpoint, string targetDirectory, CancellationToken cancellationToken) =>
        Task.Run(
            () =>
            {
                using FolderReader reader = new(_layout, _pool, task, checkpoint);
                new FolderRestore(reader, _pool, targetDirectory).Execute(cancellationToken);
            },
            cancellationToken
        );

    /// <inheritdoc />
    public Task<long> VerifyAsync(TaskId task, CheckpointRef checkpoint, CancellationToken cancellationToken) =>
        Task.Run(() => Verify(task, checkpoint, cancellationToken), cancellationToken);

    /// <inheritdoc />
    public Task<ICheckpointContent> OpenAsync(TaskId task, CheckpointRef checkpoint, CancellationToken cancellationToken) =>
        Task.Run<ICheckpointContent>(() => new FolderContent(new FolderReader(_layout, _pool, task, checkpoint), _pool), cancellationToken);

    /// <inheritdoc />
    public Task<CheckpointRef> CopyAsync(
        TaskId from,
        CheckpointRef checkpoint,
        TaskId to,
        string name,
        CancellationToken cancellationToken
    ) =>
        CheckpointNames.TryParse(name, out long term) && term == 0
            ? Task.Run(() => new FolderCopy(_layout, from, checkpoint, to, name).Execute(cancellationToken), cancellationToken)
            : Task.FromException<CheckpointRef>(
                new CheckpointStoreException($"'{name}' cannot name a copied checkpoint: names of copies are c-0-STEP-RANDOM.")
            );

    /// <inheritdoc />
    public Task<IReadOnlyList<string>> ListFilesAsync(TaskId task, CancellationToken cancellationToken) =>
        Task.Run(() => ListFiles(task), cancellationToken);

    /// <inheritdoc />
    public Task UnlinkAsync(TaskId task, IReadOnlyList<string> files, CancellationToken cancellationToken) =>
        Task.Run(() => Unlink(task, files, cancellationToken), cancellationToken);

    /// <summary>Runs few pieces at once and throws the first error itself, not a bundle.</summary>
    internal static void Concurrently(int count, Action<int> work, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (count <= 1)
        {
            for (int i = 0; i < count; i++)
            {
                work(i);
            }

            return;
        }

        try
        {
            Parallel.For(
                0,
                count,
                new ParallelOptions { MaxDegreeOfParallelism = Parallelism, CancellationToken = cancellationToken },
                work
            );
        }
        catch (AggregateException e)
        {
            ExceptionDispatchInfo.Throw(e.InnerExceptions[0]);
        }
    }

    private long Verify(TaskId task, CheckpointRef checkpoint, CancellationToken cancellationToken)
    {
        using FolderReader reader = new(_layout, _pool, task, checkpoint);
        long bytes = reader.ManifestLength;
        HashSet<string> seen = new(StringComparer.Ordinal);
        foreach (ManifestEntry entry in reader.Manifest.Entries)
        {
            int[] wanted = [.. Enumerable.Range(0, entry.Chunks.Count).Where(index => seen.Add(entry.Chunks[index].Sha256))];
            Concurrently(
                wanted.Length,
                index =>
                {
                    byte[] raw = _pool.Rent(reader.LengthOf(entry, wanted[index]));
                    try
                    {
                        Interlocked.Add(ref bytes, reader.ReadChunk(entry, wanted[index], raw));
                    }
                    finally
                    {
                        _pool.Return(raw);
                    }
                },
                cancellationToken
            );
        }

        return bytes;
    }

    private IReadOnlyList<string> ListFiles(TaskId task)
    {
        List<string> files = [];
        foreach (string folder in (string[])[_layout.PackFolder(task), _layout.ManifestFolder(task)])
        {
            try
            {
                string prefix = Path.GetFileName(folder) + "/";
                files.AddRange(Directory.EnumerateFiles(folder).Select(path => prefix + Path.GetFileName(path)));
            }
            catch (DirectoryNotFoundException)
            {
                // Nothing was saved yet, or the disk is away: either way there is nothing to be condemned.
            }
            catch (Exception e) when (StoreErrors.IsFromSystem(e))
            {
                throw StoreErrors.Describe($"The files of {task} could not be listed", folder, e);
            }
        }

        files.Sort(StringComparer.Ordinal);
        return files;
    }

    private void Unlink(TaskId task, IReadOnlyList<string> files, CancellationToken cancellationToken)
    {
        string[] paths = [.. files.Select(file => _layout.FilePath(task, file))];
        foreach (string path in paths)
        {
            cancellationToken.ThrowIfCancellationRequested();
            try
            {
                File.Delete(path);
            }
            catch (DirectoryNotFoundException)
            {
                // Gone with its folder.
            }
            catch (Exception e) when (StoreErrors.IsFromSystem(e))
            {
                throw StoreErrors.Describe($"Condemned files of {task} could not be removed", path, e);
            }
        }
    }
}
