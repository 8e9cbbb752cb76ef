using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Tasks;

namespace ActorTrainer.Core.Queries;

/// <summary>A task in a list, with the times of its first and last event.</summary>
public sealed record TaskListing(TaskSummary Summary, DateTimeOffset SubmittedAt, DateTimeOffset ChangedAt);

/// <summary>An event as it stands in the journal.</summary>
/// <param name="Task">The task.</param>
/// <param name="Sequence">From 1, consecutive.</param>
/// <param name="Term">The term it was accepted under.</param>
/// <param name="Time">When it was written, by the writing node's wall clock, UTC.</param>
/// <param name="Event">The event.</param>
public sealed record EventRow(TaskId Task, long Sequence, long Term, DateTimeOffset Time, TaskEvent Event);

/// <summary>A file or a link of a checkpoint.</summary>
/// <param name="Path">Relative, with <c>/</c> between its segments; it leads nowhere outside.</param>
/// <param name="Length">In bytes; 0 for a link.</param>
/// <param name="Mode">Unix permission bits, three octal digits.</param>
/// <param name="Modified">When its content was changed last, UTC; null for a link and in checkpoints of 0.2.0 and before.</param>
/// <param name="Link">For a symbolic link where it leads; null for a file.</param>
public sealed record CheckpointFile(string Path, long Length, string Mode, DateTimeOffset? Modified = null, string? Link = null);

/// <summary>A checkpoint in a list.</summary>
public sealed record CheckpointListing(TaskId Task, CheckpointRef Checkpoint, long Term, DateTimeOffset Time, bool Damaged)
{
    /// <summary>Whether the task went on from an older one; it is restored only when the user chooses it.</summary>
    public bool Overtaken { get; init; }

    /// <summary>Whether it is passed over because starts from it failed.</summary>
    public bool SetAside { get; init; }

    /// <summary>When it was last read back and found whole, UTC; null: not since it was saved.</summary>
    public DateTimeOffset? VerifiedAt { get; init; }

    /// <summary>Whether the user wants it kept.</summary>
    public bool Pinned { get; init; }

    /// <summary>The names that the user gave it, sorted; it is kept as long as it has one.</summary>
    public IReadOnlyList<string> Tags
    {
        get;
        // Lists of versions that did not know them have none.
        init => field = value ?? [];
    } = [];
}
