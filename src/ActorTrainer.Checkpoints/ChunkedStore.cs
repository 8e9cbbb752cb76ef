using ActorTrainer.Checkpoints.Codecs;
using ActorTrainer.Core.Checkpoints;
using ActorTrainer.Core.Configuration;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Tasks;

namespace ActorTrainer.Checkpoints;

/// <summary>
/// A store of packs and manifests as docs/formats/checkpoint.md describes them, wherever their files stand. Safe for any number of saves
/// and restores at once, from any number of processes, since files are written once and never changed.
/// </summary>
public abstract class ChunkedStore : ICheckpointStore
{
    // A save with three buffers for each of its jobs and a restore find all of theirs here.
    private static readonly int BuffersKept = (ChunkPipeline.MostJobs * 4) + (FolderStore.Parallelism * 2 * 3);

    // Shorter ones are added up: a timer takes its own time.
    private static readonly TimeSpan LeastPause = TimeSpan.FromMilliseconds(20);

    private readonly CheckpointStoreModel _model;
    private readonly TimeProvider _time;
    private readonly BufferPool _pool;
    private readonly CompressionPace _pace;
    private readonly FormerStates _former = new();

    private protected ChunkedStore(IStoreFiles files, CheckpointStoreModel model, TimeProvider time, BufferPool pool)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(model.ChunkSizeBytes, ManifestFormat.SmallestChunk);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(model.ChunkSizeBytes, ManifestFormat.LargestChunk);
        (Files, _model, _time, _pool) = (files, model, time, pool);
        _pace = new CompressionPace(time, FolderStore.Parallelism);
    }

    /// <summary>Where its files stand.</summary>
    internal IStoreFiles Files { get; }

    /// <summary>What saves and restores are buffered in.</summary>
    internal BufferPool Buffers => _pool;

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

        return RunAsync(
            () => new FolderSave(Files, _pool, _model, _pace, _former, _time, request).Execute(cancellationToken),
            cancellationToken
        );
    }

    /// <inheritdoc />
    public Task RestoreAsync(TaskId task, CheckpointRef checkpoint, string targetDirectory, CancellationToken cancellationToken) =>
        RunAsync(
            () =>
            {
                using FolderReader reader = new(Files, _pool, task, checkpoint, cancellationToken, cancellationToken);
                new FolderRestore(reader, _pool, targetDirectory).Execute(cancellationToken);
                return true;
            },
            cancellationToken
        );

    /// <inheritdoc />
    public Task<long> VerifyAsync(TaskId task, CheckpointRef checkpoint, CancellationToken cancellationToken) =>
        RunAsync(() => Verify(task, checkpoint, cancellationToken), cancellationToken);

    /// <inheritdoc />
    public async Task<long> ScrubAsync(TaskId task, CheckpointRef checkpoint, long bytesPerSecond, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(bytesPerSecond);
        long began = _time.GetTimestamp();
        using FolderReader reader = await RunAsync(
                () => new FolderReader(Files, _pool, task, checkpoint, cancellationToken, cancellationToken),
                cancellationToken
            )
            .ConfigureAwait(false);
        reader.BypassCache();
        long bytes = reader.ManifestLength;
        foreach ((ManifestEntry entry, int index) in reader.Chunks())
        {
            TimeSpan ahead = TimeSpan.FromSeconds((double)bytes / bytesPerSecond) - _time.GetElapsedTime(began);
            if (ahead > LeastPause)
            {
                await Task.Delay(ahead, _time, cancellationToken).ConfigureAwait(false);
            }

            bytes += await RunAsync(() => ReadBack(reader, entry, index), cancellationToken).ConfigureAwait(false);
        }

        return bytes;
    }

    /// <inheritdoc />
    public Task<ICheckpointContent> OpenAsync(TaskId task, CheckpointRef checkpoint, CancellationToken cancellationToken) =>
        RunAsync<ICheckpointContent>(
            () => new FolderContent(new FolderReader(Files, _pool, task, checkpoint, cancellationToken, CancellationToken.None), _pool),
            cancellationToken
        );

    /// <inheritdoc />
    public Task<CheckpointRef> CopyAsync(
        TaskId from,
        CheckpointRef checkpoint,
        TaskId to,
        string name,
        CancellationToken cancellationToken
    ) =>
        CheckpointNames.TryParse(name, out long term) && term == 0
            ? RunAsync(() => new FolderCopy(Files, from, checkpoint, to, name).Execute(cancellationToken), cancellationToken)
            : Task.FromException<CheckpointRef>(
                new CheckpointStoreException($"'{name}' cannot name a copied checkpoint: names of copies are c-0-STEP-RANDOM.")
            );

    /// <inheritdoc />
    public Task<IReadOnlyList<string>> ListFilesAsync(TaskId task, CancellationToken cancellationToken) =>
        RunAsync<IReadOnlyList<string>>(() => [.. Files.List(task, cancellationToken).Order(StringComparer.Ordinal)], cancellationToken);

    /// <inheritdoc />
    public Task<IReadOnlyDictionary<string, long>> MeasureAsync(
        TaskId task,
        IReadOnlyList<string> files,
        CancellationToken cancellationToken
    ) => RunAsync(() => Measure(task, files, cancellationToken), cancellationToken);

    /// <inheritdoc />
    public Task UnlinkAsync(TaskId task, IReadOnlyList<string> files, CancellationToken cancellationToken)
    {
        if (files.FirstOrDefault(file => !CheckpointNames.TryParseFile(file, out _)) is { } foreign)
        {
            return Task.FromException(FolderLayout.NoStoreFile(foreign));
        }

        return RunAsync(
            () =>
            {
                FolderSave.Concurrently(
                    files.Count,
                    index => Files.Delete(task, files[index], cancellationToken),
                    Files,
                    cancellationToken
                );
                return true;
            },
            cancellationToken
        );
    }

    /// <summary>Buffers for a store's saves and restores.</summary>
    private protected static BufferPool PoolFor(CheckpointStoreModel model) =>
        new(model.ChunkSizeBytes + PackFormat.RecordHeaderSize, BuffersKept);

    private Task<T> RunAsync<T>(Func<T> work, CancellationToken cancellationToken) =>
        Task.Factory.StartNew(work, cancellationToken, TaskCreationOptions.DenyChildAttach, Files.Threads);

    private IReadOnlyDictionary<string, long> Measure(TaskId task, IReadOnlyList<string> files, CancellationToken cancellationToken)
    {
        Dictionary<string, long> sizes = new(StringComparer.Ordinal);
        foreach (string file in files)
        {
            cancellationToken.ThrowIfCancellationRequested();
            try
            {
                // One without a size was unlinked since it was listed.
                if (Files.LengthOf(task, file, cancellationToken) is { } length)
                {
                    sizes[file] = length;
                }
            }
            catch (Exception e) when (StoreErrors.IsFromSystem(e))
            {
                throw StoreErrors.Describe($"The size of a file of {task} could not be read", Files.PlaceOf(task), e);
            }
        }

        return sizes;
    }

    private long Verify(TaskId task, CheckpointRef checkpoint, CancellationToken cancellationToken)
    {
        using FolderReader reader = new(Files, _pool, task, checkpoint, cancellationToken, cancellationToken);
        long bytes = reader.ManifestLength;
        IReadOnlyList<(ManifestEntry Entry, int Index)> wanted = reader.Chunks();
        FolderSave.Concurrently(
            wanted.Count,
            at => Interlocked.Add(ref bytes, ReadBack(reader, wanted[at].Entry, wanted[at].Index)),
            Files,
            cancellationToken
        );
        return bytes;
    }

    private int ReadBack(FolderReader reader, ManifestEntry entry, int index)
    {
        byte[] raw = _pool.Rent(reader.LengthOf(entry, index));
        try
        {
            return reader.ReadChunk(entry, index, raw);
        }
        finally
        {
            _pool.Return(raw);
        }
    }
}
