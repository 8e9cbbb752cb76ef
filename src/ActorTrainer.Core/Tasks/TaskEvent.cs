using System.Text.Json.Serialization;
using ActorTrainer.Core.Checkpoints;
using ActorTrainer.Core.Identity;

namespace ActorTrainer.Core.Tasks;

/// <summary>Something that happened to a task and was journaled. Facts only: applying one never fails and asks nothing.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "type")]
[JsonDerivedType(typeof(TaskSubmitted), "submitted")]
[JsonDerivedType(typeof(TaskActivated), "activated")]
[JsonDerivedType(typeof(TaskPreparing), "preparing")]
[JsonDerivedType(typeof(TaskStarted), "started")]
[JsonDerivedType(typeof(TaskAdopted), "adopted")]
[JsonDerivedType(typeof(TaskProgressed), "progressed")]
[JsonDerivedType(typeof(TaskCheckpointed), "checkpointed")]
[JsonDerivedType(typeof(TaskCheckpointDamaged), "checkpoint-damaged")]
[JsonDerivedType(typeof(TaskCheckpointVerified), "checkpoint-verified")]
[JsonDerivedType(typeof(TaskCheckpointSetAside), "checkpoint-set-aside")]
[JsonDerivedType(typeof(TaskRestoreChosen), "restore-chosen")]
[JsonDerivedType(typeof(TaskCheckpointImported), "checkpoint-imported")]
[JsonDerivedType(typeof(TaskCheckpointPinned), "checkpoint-pinned")]
[JsonDerivedType(typeof(TaskCheckpointUnpinned), "checkpoint-unpinned")]
[JsonDerivedType(typeof(TaskCheckpointTagged), "checkpoint-tagged")]
[JsonDerivedType(typeof(TaskCheckpointUntagged), "checkpoint-untagged")]
[JsonDerivedType(typeof(TaskCheckpointFailed), "checkpoint-failed")]
[JsonDerivedType(typeof(TaskSavesPaced), "saves-paced")]
[JsonDerivedType(typeof(TaskWarned), "warned")]
[JsonDerivedType(typeof(TaskCheckpointRemoved), "checkpoint-removed")]
[JsonDerivedType(typeof(TaskPacksCondemned), "packs-condemned")]
[JsonDerivedType(typeof(TaskInterrupted), "interrupted")]
[JsonDerivedType(typeof(TaskRetryScheduled), "retry-scheduled")]
[JsonDerivedType(typeof(TaskMigrating), "migrating")]
[JsonDerivedType(typeof(TaskNodeLeaving), "node-leaving")]
[JsonDerivedType(typeof(TaskPaused), "paused")]
[JsonDerivedType(typeof(TaskResumed), "resumed")]
[JsonDerivedType(typeof(TaskHeld), "held")]
[JsonDerivedType(typeof(TaskCompleted), "completed")]
[JsonDerivedType(typeof(TaskFailed), "failed")]
[JsonDerivedType(typeof(TaskCancelled), "cancelled")]
[JsonDerivedType(typeof(TaskArchived), "archived")]
public abstract record TaskEvent;

/// <summary>
/// Always the first event, and the first activation: the node that takes the submit has the task under <paramref name="Term"/>.
/// <paramref name="SpecHash"/>: SHA-256 of the canonical specification, lower-case hexadecimal.
/// </summary>
public sealed record TaskSubmitted(TaskSpec Spec, string SpecHash = "", long Term = 1, long Incarnation = 0) : TaskEvent;

/// <summary>Another node, or another life of the same one, took the task up under a new term.</summary>
public sealed record TaskActivated(long Term, long Incarnation, NodeAddress Node) : TaskEvent;

/// <summary>Before a worker can start, the node makes the environment that the task needs.</summary>
/// <param name="Node">The node.</param>
/// <param name="Detail">What is made.</param>
public sealed record TaskPreparing(NodeAddress Node, string Detail) : TaskEvent;

/// <summary>A worker was started. <paramref name="RestoredFrom"/> is the checkpoint's name, or null for a start from nothing.</summary>
public sealed record TaskStarted(int Run, long Incarnation, NodeAddress Node, int Pid, string? RestoredFrom, long RestoredStep) : TaskEvent;

/// <summary>
/// The run that went on while the journal was away was taken up again by its task, in the same life and under the same term: nobody else
/// has had the task meanwhile.
/// </summary>
public sealed record TaskAdopted(int Run, long Incarnation) : TaskEvent;

/// <summary>
/// How far training is; at most one a second per task. <paramref name="Settled"/>: this run has lasted a minute, so it does not take nodes
/// along.
/// </summary>
public sealed record TaskProgressed(TaskProgress Progress, bool Settled = false) : TaskEvent;

/// <summary>A checkpoint became durable: its manifest is written and synced.</summary>
public sealed record TaskCheckpointed(CheckpointRef Checkpoint) : TaskEvent
{
    /// <summary>Why it shares no chunk with former checkpoints, though it might have; null: it was free to share.</summary>
    public string? Full { get; init; }

    /// <summary>How long the task has trained in all, where its saves are paced by what they cost; null: they are not.</summary>
    public TimeSpan? Trained { get; init; }
}

/// <summary>
/// A checkpoint could not be read back: it is passed over by restores, and its packs are shared by no save. Its files stay until it leaves
/// the list.
/// </summary>
public sealed record TaskCheckpointDamaged(string Checkpoint, string Detail) : TaskEvent;

/// <summary>A checkpoint was read back, and is what was saved. One that was damaged is usable again.</summary>
public sealed record TaskCheckpointVerified(string Checkpoint, DateTimeOffset At) : TaskEvent;

/// <summary>
/// Runs that started from this checkpoint failed before they got anywhere: the task goes on from the one before. A resume takes it up
/// again, unless a newer one was committed meanwhile.
/// </summary>
/// <param name="Checkpoint">The checkpoint's name.</param>
/// <param name="FailedStarts">How many of its starts failed.</param>
/// <param name="Next">The checkpoint that the task goes on from.</param>
/// <param name="NextStep">The step of that one.</param>
public sealed record TaskCheckpointSetAside(string Checkpoint, int FailedStarts, string Next, long NextStep) : TaskEvent;

/// <summary>The user had the task go on from this checkpoint; those listed before it are overtaken.</summary>
public sealed record TaskRestoreChosen(string Checkpoint, long Step) : TaskEvent;

/// <summary>
/// The user brought this checkpoint from outside, which the event before this one lists: the next start begins from it, whatever was saved
/// before.
/// </summary>
public sealed record TaskCheckpointImported(string Checkpoint, long Step) : TaskEvent;

/// <summary>The user wants this checkpoint kept, however many newer or better ones come.</summary>
public sealed record TaskCheckpointPinned(string Checkpoint) : TaskEvent;

/// <summary>The user's wish to keep this checkpoint has ended: it is kept as the others are.</summary>
public sealed record TaskCheckpointUnpinned(string Checkpoint) : TaskEvent;

/// <summary>The user gave a checkpoint a name, which no other one of the task has from now on.</summary>
public sealed record TaskCheckpointTagged(string Checkpoint, string Tag) : TaskEvent;

/// <summary>The user took a name from a checkpoint.</summary>
public sealed record TaskCheckpointUntagged(string Checkpoint, string Tag) : TaskEvent;

/// <summary>A save came to nothing; training goes on.</summary>
public sealed record TaskCheckpointFailed(string Reason, string Detail) : TaskEvent;

/// <summary>
/// From now on the task saves at another pace. Journaled when the pace changes by a good part, not with each save.
/// </summary>
/// <param name="From">From save to save until now; null: none was decided before.</param>
/// <param name="Pace">From now on, and why.</param>
public sealed record TaskSavesPaced(TimeSpan? From, SavePace Pace) : TaskEvent;

/// <summary>Something that the task's user has to know and that changed nothing: what no checkpoint has, or why there is none.</summary>
public sealed record TaskWarned(string Detail) : TaskEvent
{
    /// <summary>How a detail begins that says why there is no checkpoint: the next checkpoint settles it.</summary>
    public const string NoCheckpoint = "no checkpoint";

    /// <summary>Whether it says why there is no checkpoint.</summary>
    public static bool IsNoCheckpoint(string? detail) => detail?.StartsWith(NoCheckpoint, StringComparison.Ordinal) ?? false;
}

/// <summary>
/// A checkpoint left the list; its packs are condemned by the event beside it, or, while a save may reference them, by one after that.
/// </summary>
public sealed record TaskCheckpointRemoved(string Checkpoint, string Reason) : TaskEvent;

/// <summary>These packs may be unlinked from now on and are never referenced again.</summary>
public sealed record TaskPacksCondemned(IReadOnlyList<string> Packs) : TaskEvent;

/// <summary>The run ended without a fault of the task's own; it is not counted as a failure.</summary>
public sealed record TaskInterrupted(InterruptionReason Reason, string Detail) : TaskEvent;

/// <summary>Why a run was interrupted.</summary>
public enum InterruptionReason
{
    /// <summary>The node that ran it was lost.</summary>
    NodeLost,

    /// <summary>The task moves to another node.</summary>
    Migrated,

    /// <summary>The guard process died and its workers with it.</summary>
    GuardLost,

    /// <summary>The user paused it.</summary>
    Paused,

    /// <summary>The node was told to go, and ended or ended the run before that was handed over.</summary>
    NodeStopping,

    /// <summary>The user had the task go back to a checkpoint.</summary>
    GoesBack,

    /// <summary>Its owner could not write the journal and ended the run, and took the task up again later on the same node.</summary>
    JournalAway,
}

/// <summary>A failure of the task's own, and when it goes on: <paramref name="Delay"/> after this event.</summary>
/// <param name="Failures">Failures in a row, this one too; as many retries there are with the one that follows.</param>
/// <param name="Failure">What went wrong.</param>
/// <param name="Delay">How long it waits.</param>
/// <param name="Elsewhere">Whether it goes to another node.</param>
/// <param name="MaxAttempts">
/// How many retries it may have; null in events of version 0.2.0, of which the task's detail counts failures and not retries.
/// </param>
public sealed record TaskRetryScheduled(int Failures, Failure Failure, TimeSpan Delay, bool Elsewhere, int? MaxAttempts = null) : TaskEvent
{
    /// <summary>
    /// Whether only the node could not start it: then <c>Failures</c> is what it was, and the node is passed over from now on.
    /// </summary>
    public bool NodeUnfit { get; init; }

    /// <summary>
    /// Whether the former run may have lived on meanwhile, on a node that was lost, and have stood in the way (a port, a lock): then
    /// <c>Failures</c> is what it was.
    /// </summary>
    public bool FormerMayLive { get; init; }

    /// <summary>
    /// The checkpoint that the run had started from, when it failed before it made a step (trainers) or a checkpoint; null otherwise.
    /// </summary>
    public string? FailedStartFrom { get; init; }
}

/// <summary>The task is about to be handed to another node.</summary>
public sealed record TaskMigrating(long ToIncarnation, NodeAddress To, string Reason) : TaskEvent;

/// <summary>The node that runs the task was told to go: an end of it before the task is handed over is no surprise.</summary>
public sealed record TaskNodeLeaving(NodeAddress Node) : TaskEvent;

/// <summary>The user paused the task.</summary>
public sealed record TaskPaused : TaskEvent;

/// <summary>The user let the task go on (also from held: its counters start anew).</summary>
public sealed record TaskResumed : TaskEvent;

/// <summary>The task waits for a person.</summary>
public sealed record TaskHeld(string Reason) : TaskEvent
{
    /// <summary>The failure that it is held for; null: another reason.</summary>
    public Failure? Failure { get; init; }
}

/// <summary>The training ended well.</summary>
public sealed record TaskCompleted(TaskProgress? Progress, IReadOnlyDictionary<string, string> Results) : TaskEvent;

/// <summary>The training ended for good without success.</summary>
public sealed record TaskFailed(Failure Failure) : TaskEvent;

/// <summary>The user ended the task.</summary>
public sealed record TaskCancelled : TaskEvent;

/// <summary>The task has ended and is kept no longer. Always the last event; those before it are deleted.</summary>
public sealed record TaskArchived : TaskEvent;

/// <summary>How far training is.</summary>
/// <param name="Step">Steps done since the very beginning, counted over restarts.</param>
/// <param name="TotalSteps">Steps in all, or null when not known.</param>
/// <param name="Epoch">Epochs done, with the part of the current one, for example 3.25; 0 when not known.</param>
/// <param name="Metrics">The newest value of each metric.</param>
public sealed record TaskProgress(long Step, long? TotalSteps, double Epoch, IReadOnlyDictionary<string, double> Metrics)
{
    /// <summary>Nothing done yet.</summary>
    public static TaskProgress None { get; } = new(0, null, 0, new Dictionary<string, double>());

    /// <summary>
    /// What the output of a command says, whose <see cref="Step"/> is the number of its last save; null: nothing, or it is a trainer.
    /// </summary>
    public OutputProgress? Output { get; init; }

    /// <summary>About how long training still takes, from the pace of the present run's steps; null: not known.</summary>
    public TimeSpan? Remaining { get; init; }
}

/// <summary>A failure of a task's own.</summary>
/// <param name="Class">The class's name: exit-code, signal, stalled, out-of-memory, start-failed … or a rule's own.</param>
/// <param name="Detail">What was seen, one sentence.</param>
/// <param name="ExitCode">The exit code, or null when ended by a signal.</param>
/// <param name="Signal">The signal's number, or null.</param>
/// <param name="LastLines">The last lines of its output, oldest first, at most 20.</param>
public sealed record Failure(string Class, string Detail, int? ExitCode, int? Signal, IReadOnlyList<string> LastLines);

/// <summary>A durable checkpoint as the journal names it.</summary>
/// <param name="Name">Unique in the task: <c>c-TERM-STEP-RANDOM</c>.</param>
/// <param name="Step">Steps done when the state was taken.</param>
/// <param name="Epoch">Epochs done, with the part of the current one.</param>
/// <param name="Reason">Why it was taken: epoch, interval, best, request, migration, final, files …</param>
/// <param name="Bytes">Size of the state before compression, in bytes.</param>
/// <param name="StoredBytes">Bytes that this checkpoint added to the store.</param>
/// <param name="Packs">Names of the packs that its manifest references.</param>
/// <param name="ManifestSha256">SHA-256 of the manifest, lower-case hexadecimal.</param>
/// <param name="Metrics">Metrics when it was taken.</param>
public sealed record CheckpointRef(
    string Name,
    long Step,
    double Epoch,
    string Reason,
    long Bytes,
    long StoredBytes,
    IReadOnlyList<string> Packs,
    string ManifestSha256,
    IReadOnlyDictionary<string, double> Metrics
)
{
    /// <summary>
    /// What a command's output had said when these files were written, without metrics; null: nothing. Guessed in any case: which step it
    /// was that the script saved is for the script alone to know.
    /// </summary>
    public OutputProgress? Output { get; init; }

    /// <summary>
    /// When it was committed, by the clock of the node that saved it, UTC; null: not known, as for those of 0.2.0 and for copies.
    /// </summary>
    public DateTimeOffset? SavedAt { get; init; }
}
