using ActorTrainer.Core.Checkpoints;
using ActorTrainer.Core.Identity;

namespace ActorTrainer.Core.Tasks;

/// <summary>A checkpoint as the task lists it.</summary>
/// <param name="Checkpoint">The checkpoint.</param>
/// <param name="Damaged">It could not be read back and is never restored.</param>
/// <param name="Dead">The task went on from an older one: this is a dead branch and is never restored.</param>
public sealed record ListedCheckpoint(CheckpointRef Checkpoint, bool Damaged, bool Dead)
{
    /// <summary>How many runs started from it and failed before they got anywhere, since the last commit or resume.</summary>
    public int FailedStarts { get; init; }

    /// <summary>Passed over because starts from it failed; a resume takes it up again.</summary>
    public bool SetAside { get; init; }

    /// <summary>Whether it is damaged and is tried once more, as its user has resumed the task that had no other one.</summary>
    public bool ReadAgain { get; init; }

    /// <summary>When it was last read back and found whole, UTC; null: not since it was saved.</summary>
    public DateTimeOffset? VerifiedAt { get; init; }

    /// <summary>Whether the user wants it kept.</summary>
    public bool Pinned { get; init; }

    /// <summary>The names that the user gave it, sorted; it is kept as long as it has one.</summary>
    public IReadOnlyList<string> Tags
    {
        get;
        // Snapshots of versions that did not know them have none.
        init => field = value ?? [];
    } = [];

    /// <summary>Whether it may be restored.</summary>
    public bool IsUsable => !Damaged && !Dead;
}

/// <summary>What the events of a task add up to. Live and replayed state come from the same fold.</summary>
public sealed record TaskState
{
    /// <summary>
    /// Grows when the fold changes. A snapshot of the version before is read by a step that makes this version's state of it; snapshots of
    /// other versions are passed over.
    /// </summary>
    public const int FoldVersion = 2;

    /// <summary>The task.</summary>
    public required TaskId Task { get; init; }

    /// <summary>What the user asked for.</summary>
    public required TaskSpec Spec { get; init; }

    /// <summary>SHA-256 of the canonical specification, lower-case hexadecimal.</summary>
    public string SpecHash { get; init; } = "";

    /// <summary>Where it stands.</summary>
    public TaskStatus Status { get; init; } = TaskStatus.Pending;

    /// <summary>One sentence that explains the status.</summary>
    public string Detail { get; init; } = "";

    /// <summary>The term of the last activation.</summary>
    public long Term { get; init; }

    /// <summary>The node life of the last activation.</summary>
    public long Incarnation { get; init; }

    /// <summary>The node that ran it last; null before the first run.</summary>
    public NodeAddress? Node { get; init; }

    /// <summary>How often a worker was started.</summary>
    public int Runs { get; init; }

    /// <summary>Failures of its own since the last resume, or since a checkpoint beyond the step where it failed.</summary>
    public int Failures { get; init; }

    /// <summary>The furthest step at which it failed.</summary>
    public long FailedAtStep { get; init; }

    /// <summary>How far it is.</summary>
    public TaskProgress Progress { get; init; } = TaskProgress.None;

    /// <summary>Listed checkpoints, newest first.</summary>
    public IReadOnlyList<ListedCheckpoint> Checkpoints { get; init; } = [];

    /// <summary>The checkpoint that the user chose for the next start; null: none since the last one.</summary>
    public string? RestoreFrom { get; init; }

    /// <summary>How long after its failure it is started again; null when it does not wait.</summary>
    public TimeSpan? RetryDelay { get; init; }

    /// <summary>A node life that should not get it, or 0.</summary>
    public long AvoidIncarnation { get; init; }

    /// <summary>Node lives that could not start it, the newest last; null: none is known.</summary>
    public IReadOnlyList<long>? UnfitIncarnations { get; init; }

    /// <summary>How often in a row it came back to a node that could not start it, as there was no other.</summary>
    public int UnfitRounds { get; init; }

    /// <summary>Nodes lost in a row soon after this task was started on them; a run that is proven sets it to zero.</summary>
    public int NodeLosses { get; init; }

    /// <summary>
    /// Whether the present run has shown that it does not take its node along: it has committed a checkpoint, or run for a minute.
    /// </summary>
    public bool Proven { get; init; }

    /// <summary>What was said last that the task's user has to know of the present run; null: nothing, or it is settled.</summary>
    public string? Warning { get; init; }

    /// <summary>Whether the node of the present run was told to go.</summary>
    public bool NodeLeaving { get; init; }

    /// <summary>The best value so far of the metric that the policy watches.</summary>
    public double? BestMetric { get; init; }

    /// <summary>How often its trainer saves by itself, and what that was decided by; null: nothing was measured yet.</summary>
    public SavePace? Pace { get; init; }

    /// <summary>What was saved since the last checkpoint that shares no chunk with a former one; null: nothing was saved.</summary>
    public SinceFull? SinceFull { get; init; }

    /// <summary>What <c>run</c> exits with once it has ended.</summary>
    public int? ExitCode { get; init; }

    /// <summary>What the trainer left as results, once it is completed; null: nothing.</summary>
    public IReadOnlyDictionary<string, string>? Results { get; init; }

    /// <summary>Whether it is kept no longer and takes no command any more.</summary>
    public bool Archived { get; init; }

    /// <summary>The checkpoint that the next start restores: the newest that may be restored and is not set aside; null: none.</summary>
    public CheckpointRef? LastUsable => UsableBeside(null);

    /// <summary>The newest checkpoint that may be restored and was read back since it was saved; null: none was.</summary>
    public CheckpointRef? LastVerified => Checkpoints.FirstOrDefault(c => c is { IsUsable: true, VerifiedAt: not null })?.Checkpoint;

    /// <summary>Whether the task will never run again by itself.</summary>
    public bool IsFinished => Status is TaskStatus.Completed or TaskStatus.Failed or TaskStatus.Cancelled;

    /// <summary>
    /// Whether it must have a node for itself: it was running on two lost nodes in a row, and its present run has not yet shown that it
    /// does not take its node along.
    /// </summary>
    public bool Alone => NodeLosses >= 2;

    /// <summary>
    /// The damaged checkpoints that it would go on from, newest first, where it can go on from no other one; otherwise empty. After a start
    /// from nothing they are overtaken.
    /// </summary>
    internal IReadOnlyList<string> OnlyDamaged =>
        Checkpoints.Any(c => !c.Damaged && (!c.Dead || c.SetAside))
            ? []
            : [.. Checkpoints.Where(c => c is { Damaged: true, Dead: false }).Select(c => c.Checkpoint.Name)];

    /// <summary>
    /// What is restored when one checkpoint cannot be. One set aside is better than a start from nothing, and so is one that was damaged
    /// and may have been mended.
    /// </summary>
    internal CheckpointRef? UsableBeside(string? name)
    {
        ListedCheckpoint? setAside = null;
        ListedCheckpoint? again = null;
        foreach (ListedCheckpoint listed in Checkpoints)
        {
            if (listed.Checkpoint.Name == name)
            {
                continue;
            }

            if (listed.Damaged)
            {
                again ??= listed is { ReadAgain: true, Dead: false } ? listed : null;
                continue;
            }

            if (listed is { IsUsable: true, SetAside: false })
            {
                return listed.Checkpoint;
            }

            setAside ??= listed.SetAside ? listed : null;
        }

        return (setAside ?? again)?.Checkpoint;
    }

    /// <summary>Folds events over a state; null is the state of a task without events.</summary>
    /// <exception cref="InvalidOperationException">The first event is not <see cref="TaskSubmitted"/>.</exception>
    public static TaskState? Fold(TaskId task, TaskState? state, IEnumerable<TaskEvent> events)
    {
        foreach (TaskEvent e in events)
        {
            if (state is null)
            {
                state = e is TaskSubmitted submitted
                    ? new TaskState
                    {
                        Task = task,
                        Spec = submitted.Spec,
                        SpecHash = submitted.SpecHash,
                        Term = submitted.Term,
                        Incarnation = submitted.Incarnation,
                        Detail = "waits for a slot",
                    }
                    : throw new InvalidOperationException($"the first event of task {task} is {e.GetType().Name}, not TaskSubmitted");
            }
            else
            {
                state = TaskFold.Apply(state, e);
            }
        }

        return state;
    }

    /// <summary>The read model of this state.</summary>
    public TaskSummary Summarize(int shard) =>
        new(
            Task,
            Spec.Name,
            SpecHash,
            shard,
            Spec.Gang,
            Spec.Rank,
            Status,
            Spec.Priority,
            Spec.Slots,
            Detail,
            Progress,
            Node,
            Runs,
            Failures,
            LastUsable,
            AvoidIncarnation,
            Alone,
            ExitCode
        )
        {
            Results = Results,
            Warning = Warning,
            Pace = Pace,
            UnfitIncarnations = UnfitIncarnations,
        };
}
