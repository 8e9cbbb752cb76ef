using System.Text.Json.Serialization;
using ActorTrainer.Core.Identity;

namespace ActorTrainer.Core.Tasks;

/// <summary>Something a user asks of a task. Decided by the task's owner against its state.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "type")]
[JsonDerivedType(typeof(SubmitTask), "submit")]
[JsonDerivedType(typeof(PauseTask), "pause")]
[JsonDerivedType(typeof(ResumeTask), "resume")]
[JsonDerivedType(typeof(CancelTask), "cancel")]
[JsonDerivedType(typeof(MigrateTask), "migrate")]
[JsonDerivedType(typeof(SaveTask), "save")]
[JsonDerivedType(typeof(ArchiveTask), "archive")]
[JsonDerivedType(typeof(RestoreTask), "restore")]
[JsonDerivedType(typeof(PinCheckpoint), "pin-checkpoint")]
[JsonDerivedType(typeof(UnpinCheckpoint), "unpin-checkpoint")]
[JsonDerivedType(typeof(TagCheckpoint), "tag-checkpoint")]
[JsonDerivedType(typeof(UntagCheckpoint), "untag-checkpoint")]
[JsonDerivedType(typeof(RemoveCheckpoints), "remove-checkpoints")]
[JsonDerivedType(typeof(CollectGarbage), "collect-garbage")]
[JsonDerivedType(typeof(RecordVerification), "record-verification")]
[JsonDerivedType(typeof(PrepareImport), "prepare-import")]
[JsonDerivedType(typeof(ImportCheckpoint), "import-checkpoint")]
public abstract record TaskCommand;

/// <summary>Creates the task. The same name and specification give the same task, another specification is refused.</summary>
public sealed record SubmitTask(TaskSpec Spec, string SpecHash) : TaskCommand
{
    /// <summary>
    /// The task's own copy of <see cref="TaskSpec.FromCheckpoint"/>; null where there is none, or the task is there already.
    /// </summary>
    public CheckpointRef? Checkpoint { get; init; }
}

/// <summary>Saves, stops the worker and waits for <see cref="ResumeTask"/>.</summary>
public sealed record PauseTask : TaskCommand;

/// <summary>Lets a paused, held or failed task go on from its last checkpoint.</summary>
public sealed record ResumeTask : TaskCommand;

/// <summary>Ends the task for good.</summary>
public sealed record CancelTask : TaskCommand;

/// <summary>Moves the task (with its shard) to another node; null: the policy chooses.</summary>
public sealed record MigrateTask(NodeAddress? To) : TaskCommand;

/// <summary>Takes a checkpoint now.</summary>
public sealed record SaveTask : TaskCommand;

/// <summary>
/// Lets the task go on from one of its checkpoints: at once, ending what runs, or with the next resume if it is paused.
/// </summary>
public sealed record RestoreTask(string Checkpoint) : TaskCommand;

/// <summary>Keeps one of the task's checkpoints until <see cref="UnpinCheckpoint"/>, also when the task has ended.</summary>
public sealed record PinCheckpoint(string Checkpoint) : TaskCommand;

/// <summary>Ends <see cref="PinCheckpoint"/>: the next save may remove the checkpoint.</summary>
public sealed record UnpinCheckpoint(string Checkpoint) : TaskCommand;

/// <summary>
/// Gives one of the task's checkpoints a name, see <see cref="Checkpoints.CheckpointTag"/>. It is kept as long as it has one. A tag that
/// another one of the task's checkpoints has moves.
/// </summary>
public sealed record TagCheckpoint(string Checkpoint, string Tag) : TaskCommand;

/// <summary>Takes a tag from a checkpoint.</summary>
public sealed record UntagCheckpoint(string Checkpoint, string Tag) : TaskCommand;

/// <summary>
/// Removes checkpoints of the task, all of them or, if one of them has to stay, none: one that is pinned, tagged or being restored, that
/// the present run began with, or that the task would go on from.
/// </summary>
public sealed record RemoveCheckpoints(IReadOnlyList<string> Checkpoints) : TaskCommand;

/// <summary>
/// Removes files of the store that no event names, and no save under way may have written or reference. The answer names them:
/// <see cref="CommandAccepted.Files"/>.
/// </summary>
/// <param name="Files">The files of the task in the store, as far as they may be such ones.</param>
/// <param name="DryRun">Whether they are only named.</param>
public sealed record CollectGarbage(IReadOnlyList<string> Files, bool DryRun) : TaskCommand;

/// <summary>
/// Tells what came of reading one of the task's checkpoints back. A damaged one is marked: it is passed over by restores, and no save
/// shares its packs. One that is whole is known to be so, and is usable again if it was marked.
/// </summary>
/// <param name="Checkpoint">The checkpoint.</param>
/// <param name="At">When it was read, UTC.</param>
/// <param name="Damage">What is wrong with it; null: it is whole.</param>
public sealed record RecordVerification(string Checkpoint, DateTimeOffset At, string? Damage) : TaskCommand;

/// <summary>
/// Asks whether a checkpoint from outside may be imported now: not while the task runs. The answer has the term under which its files are
/// to be written: <see cref="CommandAccepted.Term"/>.
/// </summary>
public sealed record PrepareImport : TaskCommand;

/// <summary>
/// Lists a checkpoint that was brought from outside and is in the store, written under the term that <see cref="PrepareImport"/> said. The
/// next start of the task begins from it.
/// </summary>
public sealed record ImportCheckpoint(CheckpointRef Checkpoint) : TaskCommand;

/// <summary>Takes a task that has ended out of the live tables; it can do nothing any more.</summary>
public sealed record ArchiveTask : TaskCommand;

/// <summary>The answer to a command.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "type")]
[JsonDerivedType(typeof(CommandAccepted), "accepted")]
[JsonDerivedType(typeof(CommandRefused), "refused")]
[JsonDerivedType(typeof(CommandUnavailable), "unavailable")]
public abstract record CommandReply;

/// <summary>Done, and durable. <paramref name="Existed"/>: a submit found the same task already there.</summary>
public sealed record CommandAccepted(TaskId Task, bool Existed = false) : CommandReply
{
    /// <summary>What its user should know of how it was done, a sentence without its full stop; null: nothing.</summary>
    public string? Note { get; init; }

    /// <summary>The files of the store that it is about, for a command about those; null: it is about none.</summary>
    public IReadOnlyList<string>? Files { get; init; }

    /// <summary>The owner's term, for a command that asks for it; null: none did.</summary>
    public long? Term { get; init; }

    /// <summary>The checkpoint that was imported; null: none was.</summary>
    public CheckpointRef? Checkpoint { get; init; }
}

/// <summary>Not possible; nothing was changed. The reason says what was wrong and what to do.</summary>
public sealed record CommandRefused(string Reason, bool NotFound = false) : CommandReply;

/// <summary>Could not be decided now (no owner, journal away): ask again.</summary>
public sealed record CommandUnavailable(string Reason) : CommandReply;
