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

/// <summary>Takes a task that has ended out of the live tables; it can do nothing any more.</summary>
public sealed record ArchiveTask : TaskCommand;

/// <summary>The answer to a command.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "type")]
[JsonDerivedType(typeof(CommandAccepted), "accepted")]
[JsonDerivedType(typeof(CommandRefused), "refused")]
[JsonDerivedType(typeof(CommandUnavailable), "unavailable")]
public abstract record CommandReply;

/// <summary>Done, and durable. <paramref name="Existed"/>: a submit found the same task already there.</summary>
public sealed record CommandAccepted(TaskId Task, bool Existed = false) : CommandReply;

/// <summary>Not possible; nothing was changed. The reason says what was wrong and what to do.</summary>
public sealed record CommandRefused(string Reason, bool NotFound = false) : CommandReply;

/// <summary>Could not be decided now (no owner, journal away): ask again.</summary>
public sealed record CommandUnavailable(string Reason) : CommandReply;
