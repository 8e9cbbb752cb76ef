using ActorTrainer.Checkpoints;
using ActorTrainer.Checkpoints.Bundles;
using ActorTrainer.Client;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Tasks;

namespace ActorTrainer.Runtime.Api;

/// <summary>What only a node itself knows: its workers, their output, the checkpoint store that it reads.</summary>
public interface INodeFiles
{
    /// <summary>The newest progress of tasks that run on this node, fresher than the lists.</summary>
    IReadOnlyDictionary<TaskId, TaskProgress> LiveProgress { get; }

    /// <summary>Reads and hashes a checkpoint in the store this node reads.</summary>
    /// <exception cref="Core.Queries.JournalUnavailableException">The list of checkpoints cannot be read now.</exception>
    Task<CheckpointVerification> VerifyCheckpointAsync(TaskId task, string checkpoint, CancellationToken cancellationToken);

    /// <summary>Opens a checkpoint in the store this node reads; null: the task lists none of this name.</summary>
    /// <exception cref="CheckpointDamagedException">It cannot be read back.</exception>
    /// <exception cref="CheckpointStoreException">The store cannot be read now.</exception>
    /// <exception cref="Core.Queries.JournalUnavailableException">The list of checkpoints cannot be read now.</exception>
    Task<ICheckpointContent?> OpenCheckpointAsync(TaskId task, string checkpoint, CancellationToken cancellationToken);

    /// <summary>Sizes of a task's files in the store this node reads, by name; null where that is not known.</summary>
    /// <exception cref="CheckpointStoreException">The store cannot be read now.</exception>
    Task<IReadOnlyDictionary<string, long?>> ListStoreFilesAsync(TaskId task, CancellationToken cancellationToken);

    /// <summary>Makes an empty folder on this node for files of a checkpoint that arrives; whoever asks for it removes it.</summary>
    /// <exception cref="IOException">It cannot be made.</exception>
    /// <exception cref="UnauthorizedAccessException">As above.</exception>
    string CreateArrivalFolder();

    /// <summary>Stores files that came from outside as a checkpoint, as a save is stored. No event names it yet.</summary>
    /// <param name="state">What is known of it.</param>
    /// <param name="folder">The files.</param>
    /// <param name="cancellationToken">Gives it up.</param>
    /// <exception cref="CheckpointStoreException">It could not be stored.</exception>
    Task<CheckpointRef> ImportCheckpointAsync(ImportedState state, string folder, CancellationToken cancellationToken);

    /// <summary>Removes the files of a checkpoint that no event names, as its task has refused it.</summary>
    Task DropImportAsync(TaskId task, CheckpointRef checkpoint);

    /// <summary>
    /// Checkpoints that this node has saved and that are copied to no second place yet. Default: null, the store has no second place.
    /// </summary>
    IReadOnlyList<UncopiedCheckpoint>? UncopiedCheckpoints => null;

    /// <summary>The bundles in the store this node reads.</summary>
    IBundleStore Bundles { get; }

    /// <summary>
    /// Output files of a task's runs kept on this node, oldest run first: absolute paths. A run that has printed nothing yet has one that
    /// is not there.
    /// </summary>
    IReadOnlyList<OutputFile> OutputFiles(TaskId task);
}

/// <summary>A state that comes from outside.</summary>
/// <param name="Task">The task that gets it.</param>
/// <param name="Term">The term of its owner.</param>
/// <param name="Step">Steps done, or saves of a command.</param>
/// <param name="Epoch">Epochs done, with the part of the current one.</param>
public sealed record ImportedState(TaskId Task, long Term, long Step, double Epoch);

/// <summary>A file with a run's output lines; the older file of a rotated pair comes first.</summary>
public sealed record OutputFile(long Term, int Run, string Path)
{
    /// <summary>
    /// How much the run had printed before this file was begun, in bytes. Null (default): 0 for the first that is kept, and where the file
    /// before ends for another.
    /// </summary>
    public long? Start { get; init; }
}
