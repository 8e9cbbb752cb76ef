using System.Runtime.ExceptionServices;
using ActorTrainer.Checkpoints.Codecs;
using ActorTrainer.Core.Checkpoints;
using ActorTrainer.Core.Configuration;
using ActorTrainer.Core.Tasks;

namespace ActorTrainer.Checkpoints;

/// <summary>
/// One save: the pack, made durable, then the manifest. Until the manifest is there nothing is visible; a save that fails takes its own
/// files away again, which nobody can have named yet.
/// </summary>
internal sealed class FolderSave(
    IStoreFiles files,
    BufferPool pool,
    CheckpointStoreModel model,
    CompressionPace pace,
    FormerStates former,
    TimeProvider time,
    SaveRequest request
)
{
    private readonly KnownChunks _known = new();
    private readonly string _packFile = CheckpointNames.PackFile(request.Name);
    private readonly string _manifestFile = CheckpointNames.ManifestFile(request.Name);
    private IReadOnlyList<StateFile> _sources = [];
    private IReadOnlyList<string[]> _keys = [];
    private FormerState _state = FormerState.None;

    /// <summary>
    /// Where a state is read, hashed and written to a folder. A trainer goes on while one is stored that came because of the time; with the
    /// others, a task waits to be moved, or a user. A network is waited for on threads of its own.
    /// </summary>
    public static TaskScheduler ThreadsFor(IStoreFiles files, StagedState state) =>
        files is FolderFiles
        && state.Reason is CheckpointReasons.Interval or CheckpointReasons.Adaptive or CheckpointReasons.Epoch or CheckpointReasons.Best
            ? OwnThreads.Background
            : OwnThreads.Instance;

    public CheckpointRef Execute(CancellationToken cancellationToken)
    {
        using PackWriter pack = new(files, request.Task, _packFile, time, cancellationToken);
        bool done = false;
        try
        {
            _sources = request.Source.List();
            pack.AtMost = PackWriter.MostFor(_sources.Sum(source => source.Length), _sources.Count);
            files.Prepare(request.Task, mayCreateStore: request.Listed.Count == 0, cancellationToken);
            if (IsThere(_manifestFile, cancellationToken) || IsThere(_packFile, cancellationToken))
            {
                throw new CheckpointStoreException(
                    $"A checkpoint named {request.Name} of {request.Task} is in the store already; names are never used again. "
                        + "Save under a new name."
                );
            }

            if (!request.IsFull)
            {
                _known.AddFrom(files, request.Task, request.Listed, cancellationToken);
            }

            WritePack(pack, cancellationToken);
            CheckpointRef checkpoint = WriteManifest(pack.Length, cancellationToken);
            former.Saved(request.Task, _state);
            done = true;
            return checkpoint;
        }
        catch (Exception e) when (StoreErrors.IsFromSystem(e))
        {
            throw StoreErrors.Describe($"Checkpoint {request.Name} of {request.Task} could not be saved", files.PlaceOf(request.Task), e);
        }
        finally
        {
            if (!done)
            {
                RemoveRemains(pack);
            }
        }
    }

    private bool IsThere(string file, CancellationToken cancellationToken) =>
        files.LengthOf(request.Task, file, cancellationToken) is not null;

    private void WritePack(PackWriter pack, CancellationToken cancellationToken)
    {
        // A full save relies on nothing that was found before.
        FormerState before = request.IsFull ? FormerState.None : former.Of(request.Task);
        using (ChunkPipeline pipeline = new(_sources, pool, model, pace, _known, before, _packFile, pack))
        {
            pipeline.Run(ThreadsFor(files, request.State), cancellationToken);
            (_keys, _state) = (pipeline.Keys, pipeline.State);
        }

        pack.Finish();
        pace.Written(pack.Length, pack.Took);
        files.SyncPacks(request.Task);
        cancellationToken.ThrowIfCancellationRequested();
    }

    /// <summary>Runs few pieces at once and throws the first error itself, not a bundle.</summary>
    internal static void Concurrently(int count, Action<int> work, IStoreFiles files, CancellationToken cancellationToken) =>
        Concurrently(count, work, files.AtOnce, files.Threads, cancellationToken);

    /// <summary>As above, on threads that are named.</summary>
    internal static void Concurrently(int count, Action<int> work, int atOnce, TaskScheduler threads, CancellationToken cancellationToken)
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
                new ParallelOptions
                {
                    MaxDegreeOfParallelism = atOnce,
                    TaskScheduler = threads,
                    CancellationToken = cancellationToken,
                },
                work
            );
        }
        catch (AggregateException e)
        {
            ExceptionDispatchInfo.Throw(e.InnerExceptions[0]);
        }
    }

    private CheckpointRef WriteManifest(long packLength, CancellationToken cancellationToken)
    {
        Manifest manifest = BuildManifest();
        byte[] bytes = ManifestFormat.Write(manifest);
        files.WriteManifest(request.Task, _manifestFile, bytes, cancellationToken);
        return new CheckpointRef(
            request.Name,
            request.State.Step,
            request.State.Epoch,
            request.State.Reason,
            manifest.BytesOfTheTask,
            packLength + bytes.Length,
            manifest.Packs,
            ManifestFormat.HashOf(bytes),
            request.State.Metrics
        )
        {
            Output = request.State.Output,
        };
    }

    private Manifest BuildManifest()
    {
        List<string> packs = [];
        Dictionary<string, int> packIndex = new(StringComparer.Ordinal);
        List<ManifestEntry> entries = new(_sources.Count);
        foreach ((StateFile file, string[] keys) in _sources.Zip(_keys))
        {
            ManifestChunk[] chunks = [.. keys.Select(key => ChunkAt(key, _known[key]))];
            entries.Add(new ManifestEntry(file.Path, file.Length, EntryMode.Format(file.Mode), chunks, file.Modified, file.Link));
        }

        return new Manifest
        {
            Version = Manifest.VersionFor(entries),
            Name = request.Name,
            Task = request.Task.Value,
            Term = request.Term,
            Created = time.GetUtcNow(),
            Step = request.State.Step,
            Epoch = request.State.Epoch,
            Reason = request.State.Reason,
            Metrics = request.State.Metrics,
            ChunkSize = model.ChunkSizeBytes,
            Bytes = entries.Sum(entry => entry.Length),
            Packs = packs,
            Entries = entries,
        };

        ManifestChunk ChunkAt(string key, ChunkPlace place)
        {
            if (!packIndex.TryGetValue(place.Pack, out int index))
            {
                index = packs.Count;
                packs.Add(place.Pack);
                packIndex.Add(place.Pack, index);
            }

            string codec = ChunkCodecNames.NameOf(place.Codec);
            return new ManifestChunk(key, index, place.Offset, place.Stored, codec)
            {
                Base = place.Base is { } below ? ChunkAt(below.Sha256, below.Place) : null,
            };
        }
    }

    private void RemoveRemains(PackWriter pack)
    {
        pack.Dispose();
        if (pack.Length == 0)
        {
            return;
        }

        try
        {
            files.Delete(request.Task, _packFile, CancellationToken.None);
        }
        catch (CheckpointStoreException)
        {
            // What stays is garbage without a name; the next activation condemns it. The error that brought us here matters more.
        }
    }
}
