using ActorTrainer.Checkpoints.Tiered;
using ActorTrainer.Core.Checkpoints;
using ActorTrainer.Core.Configuration;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Tasks;
using ActorTrainer.Testing.Checkpoints;
using Microsoft.Extensions.Time.Testing;

namespace ActorTrainer.Checkpoints.Tests.Faults;

/// <summary>A saved checkpoint: whose, what the store gave back, and which state it is of.</summary>
internal sealed record Saved(TaskId Task, CheckpointRef Checkpoint, int State);

/// <summary>
/// One life of a node: a folder with its stores, on a disk that may go wrong. Names, times and states are the same in every life, so that
/// the same steps come in the same order and a checkpoint of one life can be looked for in another.
/// </summary>
internal sealed class FaultWorld(string root, FaultStates states, FaultDisk disk)
{
    public const int ChunkSize = 4096;

    private static readonly FakeTimeProvider Time = new(DateTimeOffset.UnixEpoch.AddYears(56));

    public TaskId Task { get; } = TaskId.Parse("faults-x1");

    public TaskId Other { get; } = TaskId.Parse("other-x1");

    public FaultDisk Disk => disk;

    public string Root => root;

    public FolderStore Folder { get; } = Open(Path.Combine(root, "store"), disk);

    public FolderStore Remote { get; } = Open(Path.Combine(root, "remote"), disk);

    /// <summary>A new process's tiered store over the two folders.</summary>
    public TieredStore OpenTiered()
    {
        TieredStore store = new(Folder, Remote, Path.Combine(root, "sync"), interval: null, Time);
        store.Load();
        return store;
    }

    public async Task<Saved> SaveAsync(ICheckpointStore store, int state, long term, params Saved[] listed)
    {
        SaveRequest request = new(
            Task,
            term,
            $"c-{term}-{state}-aaaaaaaa",
            new StagedState("s1", state, 1.5, "request", new Dictionary<string, double>()),
            StateSource.OfFolder(states[state]),
            [.. listed.Select(saved => saved.Checkpoint)]
        );
        return new Saved(Task, await store.SaveAsync(request, CancellationToken.None), state);
    }

    public async Task<Saved> CopyAsync(ICheckpointStore store, Saved saved) =>
        new(Other, await store.CopyAsync(saved.Task, saved.Checkpoint, Other, "c-0-1-bbbbbbbb", CancellationToken.None), saved.State);

    /// <summary>What a new owner does with what no listed checkpoint names.</summary>
    public static async Task CollectAsync(ICheckpointStore store, TaskId task, long term, IEnumerable<Saved> listed)
    {
        IReadOnlyList<string> files = await store.ListFilesAsync(task, CancellationToken.None);
        CheckpointRef[] own = [.. listed.Where(saved => saved.Task == task).Select(saved => saved.Checkpoint)];
        await store.UnlinkAsync(task, RetentionPolicy.PlanGarbage(files, own, term), CancellationToken.None);
    }

    /// <summary>Whether it comes back bit for bit; false: it is said to be damaged. Anything else fails the test.</summary>
    /// <param name="store">Where from.</param>
    /// <param name="saved">The checkpoint.</param>
    /// <param name="mayBeAway">Whether the store may say that it is away: it was never committed that there is one.</param>
    public async Task<bool> ComesBackAsync(ICheckpointStore store, Saved saved, bool mayBeAway = false)
    {
        IReadOnlyDictionary<string, byte[]> restored;
        try
        {
            restored = await ReadAsync(store, saved);
        }
        catch (CheckpointDamagedException)
        {
            return false;
        }
        catch (CheckpointStoreException) when (mayBeAway)
        {
            return false;
        }

        IReadOnlyDictionary<string, byte[]> expected = states.FilesOf(saved.State);
        restored.Keys.Order().ShouldBe(expected.Keys.Order());
        foreach ((string name, byte[] bytes) in expected)
        {
            restored[name].AsSpan().SequenceEqual(bytes).ShouldBeTrue($"{saved.Checkpoint.Name}: {name} is silently different");
        }

        return true;
    }

    /// <summary>As a restore reads it, without writing it.</summary>
    private static async Task<IReadOnlyDictionary<string, byte[]>> ReadAsync(ICheckpointStore store, Saved saved)
    {
        using ICheckpointContent content = await store.OpenAsync(saved.Task, saved.Checkpoint, CancellationToken.None);
        Dictionary<string, byte[]> files = [];
        for (int i = 0; i < content.Files.Count; i++)
        {
            await using Stream file = content.OpenFile(i);
            byte[] bytes = new byte[content.Files[i].Length];
            await file.ReadExactlyAsync(bytes);
            files.Add(content.Files[i].Path, bytes);
        }

        return files;
    }

    // Not compressed: by measured speeds the same bytes would be stored in another way now and then.
    private static FolderStore Open(string path, FaultDisk disk) =>
        new(
            new CheckpointStoreModel
            {
                Path = path,
                ChunkSizeBytes = ChunkSize,
                Compression = CheckpointCompression.Off,
            },
            Time,
            disk
        );
}

/// <summary>The states that are saved, each in a folder; two that follow each other share most of their chunks.</summary>
internal sealed class FaultStates
{
    private const int Chunks = 3;

    private readonly string _root;
    private readonly Dictionary<int, IReadOnlyDictionary<string, byte[]>> _files = [];

    public FaultStates(string root) => _root = root;

    /// <summary>The folder of a state.</summary>
    public string this[int state]
    {
        get
        {
            string folder = Path.Combine(_root, $"state-{state}");
            if (!_files.ContainsKey(state))
            {
                _files.Add(state, FilesOf(state));
                DiskFolder.Write(folder, _files[state]);
            }

            return folder;
        }
    }

    public IReadOnlyDictionary<string, byte[]> FilesOf(int state)
    {
        if (_files.TryGetValue(state, out IReadOnlyDictionary<string, byte[]>? files))
        {
            return files;
        }

        byte[] model = new byte[(Chunks * FaultWorld.ChunkSize) + 100];
        for (int at = 0; at < model.Length; at += FaultWorld.ChunkSize)
        {
            // Of every state another chunk is new, beside the last one.
            int chunk = at / FaultWorld.ChunkSize;
            int version = chunk == Chunks ? state : Enumerable.Range(0, state + 1).Last(v => v == 0 || v % Chunks == chunk);
            DeterministicRandom random = new((ulong)((chunk * 1000) + version + 1));
            for (int i = at; i < Math.Min(at + FaultWorld.ChunkSize, model.Length); i++)
            {
                model[i] = (byte)(random.NextUInt64() >> 56);
            }
        }

        return new Dictionary<string, byte[]>
        {
            ["model.bin"] = model,
            ["deep/config.json"] = [.. "{ \"state\": "u8, (byte)('0' + (state % 10)), .. " }"u8],
        };
    }
}
