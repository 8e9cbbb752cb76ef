using ActorTrainer.Checkpoints.Tests.Faults;
using ActorTrainer.Core.Checkpoints;
using ActorTrainer.Core.Configuration;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Tasks;
using ActorTrainer.Testing.Checkpoints;

namespace ActorTrainer.Checkpoints.Tests;

/// <summary>A folder store with its source and target folders, and the points of a save in a test's hands.</summary>
internal sealed class SaveFixture : IDisposable
{
    public const int ChunkSize = 4096;

    private readonly DeterministicRandom _random = new(11);

    public SaveFixture(string? storeFolder = null) => StoreFolder = storeFolder ?? Folder["store"];

    public TaskId Task { get; } = TaskId.Parse("faults-x1");

    public TemporaryFolder Folder { get; } = new();

    public string StoreFolder { get; }

    public FolderStore Open(Action<DiskStep>? before = null, string? folder = null) =>
        new(
            new CheckpointStoreModel { Path = folder ?? StoreFolder, ChunkSizeBytes = ChunkSize },
            TimeProvider.System,
            before is null ? RealDisk.Instance : new HookedDisk(before)
        );

    /// <summary>With chunks of the default size, which are stored as they are.</summary>
    public FolderStore OpenUncompressed() =>
        new(
            new CheckpointStoreModel
            {
                Path = StoreFolder,
                ChunkSizeBytes = 1 << 20,
                Compression = CheckpointCompression.Off,
            },
            TimeProvider.System
        );

    public string NewName(long term = 1) => CheckpointNames.Create(term, 10, _random);

    public SaveRequest Request(string name, params CheckpointRef[] listed) =>
        new(
            Task,
            1,
            name,
            new StagedState("s1", 10, 1.5, "request", new Dictionary<string, double>()),
            StateSource.OfFolder(Folder["source"]),
            listed
        );

    public Task<CheckpointRef> SaveAsync(ICheckpointStore store, params CheckpointRef[] listed) =>
        store.SaveAsync(Request(NewName(), listed), CancellationToken.None);

    public void Write(params (string Path, byte[] Bytes)[] files) =>
        DiskFolder.Write(Folder["source"], files.ToDictionary(file => file.Path, file => file.Bytes));

    public byte[] Noise(int length)
    {
        byte[] bytes = new byte[length];
        for (int i = 0; i < length; i++)
        {
            bytes[i] = (byte)(_random.NextUInt64() >> 56);
        }

        return bytes;
    }

    public void Dispose() => Folder.Dispose();
}
