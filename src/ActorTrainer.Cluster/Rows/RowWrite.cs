using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Queries;
using ActorTrainer.Core.Tasks;

namespace ActorTrainer.Cluster.Rows;

/// <summary>One row on its way into the database.</summary>
/// <param name="Row">The row.</param>
/// <param name="Checkpoints">The task's listed checkpoints, newest first; null: as they are on record.</param>
/// <param name="Claim">
/// Under which claim it is written; null: a new one is made, which ends the claim of whoever kept the row before.
/// </param>
internal sealed record RowWrite(TaskRow Row, IReadOnlyList<CheckpointListing>? Checkpoints, long? Claim);

/// <summary>What became of a <see cref="RowWrite"/>.</summary>
/// <param name="Claim">The claim that the row has now, by this write; null: refused, since another owner keeps the row or knows later
/// events.</param>
internal readonly record struct RowResult(long? Claim);

/// <summary>A name that a new task asks for.</summary>
/// <param name="Task">The id that was drawn for it.</param>
/// <param name="Spec">What is submitted.</param>
/// <param name="SpecHash">SHA-256 of the canonical specification.</param>
/// <param name="At">When it was submitted.</param>
internal sealed record NameClaim(TaskId Task, TaskSpec Spec, string SpecHash, DateTimeOffset At);
