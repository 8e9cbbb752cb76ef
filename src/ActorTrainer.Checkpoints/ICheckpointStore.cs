using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Tasks;

namespace ActorTrainer.Checkpoints;

/// <summary>
/// Keeps checkpoints. A save is durable when the call returns: packs are written and synced, then the manifest is written and synced.
/// Files belong to one task; their names carry the term and a random part and are never used again.
/// </summary>
public interface ICheckpointStore
{
    /// <summary>Stores every file below a folder as one checkpoint.</summary>
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

    /// <summary>Names of all files (packs and manifests) of a task in the store, sorted.</summary>
    Task<IReadOnlyList<string>> ListFilesAsync(TaskId task, CancellationToken cancellationToken);

    /// <summary>Unlinks condemned files; those already gone are passed over.</summary>
    Task UnlinkAsync(TaskId task, IReadOnlyList<string> files, CancellationToken cancellationToken);
}

/// <summary>What to store.</summary>
/// <param name="Task">The task.</param>
/// <param name="Term">The owner's term; part of every new file's name.</param>
/// <param name="Name">The checkpoint's name.</param>
/// <param name="State">Step, epoch, reason and metrics.</param>
/// <param name="SourceDirectory">The folder whose files are stored, with their relative paths; links and empty folders are refused or
/// dropped as documented.</param>
/// <param name="Listed">Checkpoints whose chunks may be referenced, newest first.</param>
public sealed record SaveRequest(
    TaskId Task,
    long Term,
    string Name,
    StagedState State,
    string SourceDirectory,
    IReadOnlyList<CheckpointRef> Listed
);

/// <summary>The store could not do it now; says what, where and what to do.</summary>
public sealed class CheckpointStoreException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>A checkpoint's bytes are wrong or missing for good; says which file and where.</summary>
public sealed class CheckpointDamagedException(string message, Exception? inner = null) : Exception(message, inner);
