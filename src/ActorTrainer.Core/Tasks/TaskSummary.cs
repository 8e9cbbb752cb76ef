using ActorTrainer.Core.Checkpoints;
using ActorTrainer.Core.Identity;

namespace ActorTrainer.Core.Tasks;

/// <summary>Where a task stands.</summary>
public enum TaskStatus
{
    /// <summary>Wants to run and waits for a slot or a node.</summary>
    Pending,

    /// <summary>A worker was started for it.</summary>
    Running,

    /// <summary>Waits after a failure.</summary>
    Retrying,

    /// <summary>Paused by the user.</summary>
    Paused,

    /// <summary>Waits for a person; the reason is shown.</summary>
    Held,

    /// <summary>Ended well.</summary>
    Completed,

    /// <summary>Ended without success.</summary>
    Failed,

    /// <summary>Ended by the user.</summary>
    Cancelled,
}

/// <summary>The read model of a task: what lists show and what allocation looks at. Written in the transaction of its events.</summary>
/// <param name="Task">The task's id.</param>
/// <param name="Name">Its name.</param>
/// <param name="SpecHash">SHA-256 of the canonical specification, lower-case hexadecimal: tells whether a second submit is the
/// same.</param>
/// <param name="Shard">Its shard.</param>
/// <param name="Gang">Reserved.</param>
/// <param name="Rank">Reserved.</param>
/// <param name="Status">Where it stands.</param>
/// <param name="Priority">Higher goes first.</param>
/// <param name="Slots">Slots that it takes while it runs.</param>
/// <param name="Detail">One sentence that explains the status: the reason of a hold, the failure, what it waits for.</param>
/// <param name="Progress">How far it is.</param>
/// <param name="Node">The node that ran it last, or null.</param>
/// <param name="Runs">How often a worker was started.</param>
/// <param name="Failures">Failures of its own since the last resume.</param>
/// <param name="LastCheckpoint">The newest checkpoint that is not damaged, or null.</param>
/// <param name="AvoidIncarnation">A node that should not get it (retry elsewhere), or 0.</param>
/// <param name="Alone">Whether it has to run alone on a node (it may have killed one).</param>
/// <param name="ExitCode">What <c>run</c> exits with, once it has ended.</param>
public sealed record TaskSummary(
    TaskId Task,
    string Name,
    string SpecHash,
    int Shard,
    string? Gang,
    int Rank,
    TaskStatus Status,
    int Priority,
    int Slots,
    string Detail,
    TaskProgress Progress,
    NodeAddress? Node,
    int Runs,
    int Failures,
    CheckpointRef? LastCheckpoint,
    long AvoidIncarnation,
    bool Alone,
    int? ExitCode
)
{
    /// <summary>What the trainer left as results, once it is completed; null: nothing.</summary>
    public IReadOnlyDictionary<string, string>? Results { get; init; }

    /// <summary>What was said last that its user has to know of its present run; null: nothing, or it is settled.</summary>
    public string? Warning { get; init; }

    /// <summary>How often its trainer saves by itself, and what that was decided by; null: that is not measured.</summary>
    public SavePace? Pace { get; init; }

    /// <summary>
    /// When <see cref="LastCheckpoint"/> was committed, by the wall clock of its node, UTC; null: there is none, or not known.
    /// </summary>
    public DateTimeOffset? LastCheckpointAt { get; init; }

    /// <summary>Node lives that could not start it: any other one is better; null: none is known.</summary>
    public IReadOnlyList<long>? UnfitIncarnations { get; init; }

    /// <summary>Whether the task will never run again.</summary>
    public bool IsFinished => Status is TaskStatus.Completed or TaskStatus.Failed or TaskStatus.Cancelled;

    /// <summary>Whether the task takes or wants slots.</summary>
    public bool IsRunnable => Status is TaskStatus.Pending or TaskStatus.Running or TaskStatus.Retrying;
}
