using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Queries;
using ActorTrainer.Core.Tasks;

namespace ActorTrainer.Checkpoints;

/// <summary>
/// Keeps checkpoints. A save is durable when the call returns: packs are written and synced, then the manifest is written and synced.
/// Files belong to one task; their names carry the term and a random part and are never used again.
/// </summary>
public interface ICheckpointStore
{
    /// <summary>Stores every file of a state as one checkpoint.</summary>
    /// <exception cref="CheckpointStoreException">It could not be written (disk full, folder away); nothing is visible then.</exception>
    Task<CheckpointRef> SaveAsync(SaveRequest request, CancellationToken cancellationToken);

    /// <summary>Writes a checkpoint's files below a folder, which is emptied first. Every chunk is hashed again.</summary>
    /// <exception cref="CheckpointDamagedException">The manifest or a chunk is missing or has other bytes.</exception>
    /// <exception cref="CheckpointStoreException">The store could not be read now.</exception>
    Task RestoreAsync(TaskId task, CheckpointRef checkpoint, string targetDirectory, CancellationToken cancellationToken);

    /// <summary>Reads and hashes everything that a checkpoint references, without writing; returns the bytes read.</summary>
    /// <exception cref="CheckpointDamagedException">As for a restore.</exception>
    /// <exception cref="CheckpointStoreException">As for a restore.</exception>
    Task<long> VerifyAsync(TaskId task, CheckpointRef checkpoint, CancellationToken cancellationToken);

    /// <summary>
    /// Reads and hashes everything that a checkpoint references, as <see cref="VerifyAsync"/> does, but slowly, one chunk after the other,
    /// and from the disk itself where that can be told from the system's memory. What is damaged and stands whole elsewhere in the store
    /// is fetched again. Default: of a store that knows no pace, as fast as it verifies.
    /// </summary>
    /// <param name="task">The task.</param>
    /// <param name="checkpoint">The checkpoint.</param>
    /// <param name="bytesPerSecond">At most so many, on average.</param>
    /// <param name="cancellationToken">Ends it early.</param>
    /// <returns>The bytes read.</returns>
    /// <exception cref="CheckpointDamagedException">It is nowhere whole.</exception>
    /// <exception cref="CheckpointStoreException">As for a restore.</exception>
    Task<long> ScrubAsync(TaskId task, CheckpointRef checkpoint, long bytesPerSecond, CancellationToken cancellationToken) =>
        VerifyAsync(task, checkpoint, cancellationToken);

    /// <summary>
    /// Opens a checkpoint to read its files one after the other. What is open stays readable when it is unlinked; in a bucket, where
    /// nothing can be held open, a read then says that it is gone.
    /// </summary>
    /// <exception cref="CheckpointDamagedException">The manifest or a pack is missing or has other bytes.</exception>
    /// <exception cref="CheckpointStoreException">As for a restore.</exception>
    Task<ICheckpointContent> OpenAsync(TaskId task, CheckpointRef checkpoint, CancellationToken cancellationToken);

    /// <summary>
    /// Gives another task a checkpoint of its own with the same files, durable when the call returns: it stays when the first one is
    /// unlinked. Bytes are shared where the file system can.
    /// </summary>
    /// <param name="from">The task that the checkpoint belongs to.</param>
    /// <param name="checkpoint">The checkpoint.</param>
    /// <param name="to">The other task.</param>
    /// <param name="name">The new checkpoint's name; its term is 0, before any owner's.</param>
    /// <param name="cancellationToken">Gives it up.</param>
    /// <exception cref="CheckpointDamagedException">The manifest or a pack is missing or has other bytes.</exception>
    /// <exception cref="CheckpointStoreException">It could not be written, or the name is of another form or in use.</exception>
    Task<CheckpointRef> CopyAsync(TaskId from, CheckpointRef checkpoint, TaskId to, string name, CancellationToken cancellationToken);

    /// <summary>Names of all files (packs and manifests) of a task in the store, sorted.</summary>
    Task<IReadOnlyList<string>> ListFilesAsync(TaskId task, CancellationToken cancellationToken);

    /// <summary>
    /// Sizes of files of a task in the store, in bytes, by the names that <see cref="ListFilesAsync"/> has; a file that is gone is missing.
    /// Default: of a store that does not know them, none.
    /// </summary>
    /// <exception cref="CheckpointStoreException">The store could not be read now.</exception>
    Task<IReadOnlyDictionary<string, long>> MeasureAsync(TaskId task, IReadOnlyList<string> files, CancellationToken cancellationToken) =>
        Task.FromResult<IReadOnlyDictionary<string, long>>(new Dictionary<string, long>());

    /// <summary>Unlinks condemned files; those already gone are passed over.</summary>
    Task UnlinkAsync(TaskId task, IReadOnlyList<string> files, CancellationToken cancellationToken);
}

/// <summary>A checkpoint that is open for reading.</summary>
public interface ICheckpointContent : IDisposable
{
    /// <summary>Its files and links, by path.</summary>
    IReadOnlyList<CheckpointFile> Files { get; }

    /// <summary>
    /// A file's bytes, from its beginning; every chunk is hashed again before the first of its bytes is handed out. Seekable. A read
    /// throws <see cref="CheckpointDamagedException"/> or <see cref="CheckpointStoreException"/> as a restore does.
    /// </summary>
    /// <param name="index">Its place in <see cref="Files"/>; not a link's.</param>
    Stream OpenFile(int index);
}

/// <summary>What to store.</summary>
/// <param name="Task">The task.</param>
/// <param name="Term">The owner's term; part of every new file's name.</param>
/// <param name="Name">The checkpoint's name.</param>
/// <param name="State">Step, epoch, reason and metrics.</param>
/// <param name="Source">Where its bytes are.</param>
/// <param name="Listed">Checkpoints whose chunks may be referenced, newest first.</param>
public sealed record SaveRequest(
    TaskId Task,
    long Term,
    string Name,
    StagedState State,
    StateSource Source,
    IReadOnlyList<CheckpointRef> Listed
)
{
    /// <summary>Whether it references no chunk of them all the same: what damages them leaves it whole.</summary>
    public bool IsFull { get; init; }
}

/// <summary>The store could not do it now; says what, where and what to do.</summary>
public sealed class CheckpointStoreException(string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>Whether the state that was to be saved is at fault, and not the store: to try again is of no use.</summary>
    public bool IsOfTheState { get; init; }
}

/// <summary>A checkpoint's bytes are wrong or missing for good; says which file and where.</summary>
public sealed class CheckpointDamagedException(string message, Exception? inner = null) : Exception(message, inner);
