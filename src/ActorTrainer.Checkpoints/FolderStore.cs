using ActorTrainer.Core.Configuration;

namespace ActorTrainer.Checkpoints;

/// <summary>
/// Checkpoints in a folder: a local disk, or a mount that every node reads. Layout and formats: docs/formats/checkpoint.md. Safe for
/// any number of saves and restores at once, from any number of processes, since files are written once and never changed.
/// </summary>
public sealed partial class FolderStore : ChunkedStore
{
    /// <summary>How many chunks of one save or restore are hashed and encoded at once.</summary>
    internal static readonly int Parallelism = Math.Clamp(Environment.ProcessorCount, 1, 4);

    private readonly CheckpointStoreModel _model;
    private readonly TimeProvider _time;
    private readonly BufferPool _pool;

    /// <summary>Opens a store; nothing is read or written yet, and the folder need not exist before the first save.</summary>
    /// <param name="model">Folder, chunk size (4 KiB to 64 MiB) and whether to compress.</param>
    /// <param name="time">Dates the manifests.</param>
    /// <exception cref="ArgumentException">The path is empty or the chunk size out of range.</exception>
    public FolderStore(CheckpointStoreModel model, TimeProvider time)
        : this(model, time, RealDisk.Instance) { }

    /// <summary>A store whose files are changed through a disk that is handed in.</summary>
    internal FolderStore(CheckpointStoreModel model, TimeProvider time, IDisk disk)
        : this(model, time, PoolFor(model), disk) { }

    private FolderStore(CheckpointStoreModel model, TimeProvider time, BufferPool pool, IDisk disk)
        : base(FilesOf(model, disk), model, time, pool) => (_model, _time, _pool) = (model, time, pool);

    private static FolderFiles FilesOf(CheckpointStoreModel model, IDisk disk)
    {
        ArgumentException.ThrowIfNullOrEmpty(model.Path);
        return new FolderFiles(new FolderLayout(model.Path, disk));
    }
}
