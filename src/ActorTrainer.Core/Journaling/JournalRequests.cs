using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Tasks;

namespace ActorTrainer.Core.Journaling;

/// <summary>One round trip to the journal. Reads and writes alike; see docs/formats/journal.md for when each write is accepted.</summary>
public abstract record JournalRequest;

/// <summary>The answer to a <see cref="JournalRequest"/>.</summary>
public abstract record JournalReply;

/// <summary>
/// The journal could not be asked, or did not answer. For a write the outcome is unknown: it may have been done.
/// </summary>
/// <param name="Reason">One sentence for the user.</param>
public sealed record JournalFailed(string Reason) : JournalReply;

/// <summary>Done, nothing more to say.</summary>
public sealed record JournalDone : JournalReply
{
    /// <summary>The only instance needed.</summary>
    public static JournalDone Instance { get; } = new();
}

// ---- Tasks -----------------------------------------------------------------------------------------------------------

/// <summary>Appends events to tasks; each task's part is accepted or refused by itself.</summary>
public sealed record AppendRequest(IReadOnlyList<TaskAppend> Appends) : JournalRequest;

/// <summary>One task's part of an append.</summary>
/// <param name="Task">The task.</param>
/// <param name="Shard">Its shard.</param>
/// <param name="ExpectedSequence">The sequence of its last event as the writer knows it; 0 for a task that does not exist.</param>
/// <param name="Owner">The writer's incarnation.</param>
/// <param name="Term">The writer's term of the shard.</param>
/// <param name="AppendId">Drawn anew for each append and kept when it is sent again after an unknown outcome.</param>
/// <param name="Events">At least one.</param>
/// <param name="Summary">The read model after the events.</param>
/// <param name="Snapshot">A folded state after the events to keep, or null.</param>
public sealed record TaskAppend(
    TaskId Task,
    int Shard,
    long ExpectedSequence,
    long Owner,
    long Term,
    string AppendId,
    IReadOnlyList<TaskEvent> Events,
    TaskSummary Summary,
    TaskSnapshotRow? Snapshot = null);

/// <summary>Results in the order of <see cref="AppendRequest.Appends"/>.</summary>
public sealed record AppendReply(IReadOnlyList<AppendResult> Results) : JournalReply;

/// <summary>What became of one task's part.</summary>
public abstract record AppendResult;

/// <summary>Durable. Also the answer when the append id is on record already, whoever owns the shard now.</summary>
public sealed record AppendAccepted(long LastSequence) : AppendResult;

/// <summary>Another term rules the shard.</summary>
public sealed record AppendFenced(long Owner, long Term) : AppendResult;

/// <summary>The task's last sequence is another one.</summary>
public sealed record AppendConflict(long LastSequence) : AppendResult;

/// <summary>A new task's name belongs to another task already.</summary>
public sealed record AppendNameTaken(TaskId Existing, string SpecHash) : AppendResult;

/// <summary>Loads the unfinished tasks of shards that the asker owns, highest priority first, then by id.</summary>
/// <param name="Owner">The asker's incarnation.</param>
/// <param name="Shards">The shards, each under the asker's term.</param>
/// <param name="FoldVersion">The fold version that the asker understands; a task whose snapshot has another comes from its first event. Null: any.</param>
public sealed record ClaimRequest(long Owner, IReadOnlyList<ShardTerm> Shards, int? FoldVersion = null) : JournalRequest;

/// <summary>A shard under a term.</summary>
public readonly record struct ShardTerm(int Shard, long Term);

/// <summary>The tasks of the shards that are still the asker's, and the rows of those that are not.</summary>
public sealed record ClaimReply(IReadOnlyList<ClaimedTask> Tasks, IReadOnlyList<ShardRow> Fenced) : JournalReply;

// ---- Ownership -------------------------------------------------------------------------------------------------------

/// <summary>
/// Registers a new life of the node at this address; earlier lives of the address that are not removed become down.
/// </summary>
public sealed record RegisterRequest(MemberRow Member) : JournalRequest;

/// <summary>The new life's number, and the journal's identity.</summary>
public sealed record RegisterReply(long Incarnation, string JournalIdentity) : JournalReply;

/// <summary>
/// Changes a member's status or cordon. By the node itself (<paramref name="LeaseTerm"/> 0) or by the lease holder under its lease term.
/// Down and removed are final.
/// </summary>
public sealed record SetMemberRequest(long Incarnation, MemberStatus? Status, bool? Cordoned, long LeaseHolder, long LeaseTerm) : JournalRequest;

/// <summary>Whether the change was accepted; false: the lease is another's or the status was final.</summary>
public sealed record SetMemberReply(bool Accepted) : JournalReply;

/// <summary>Keeps the lease: accepted when it is mine under this term.</summary>
public sealed record BeatRequest(long Holder, long Term) : JournalRequest;

/// <summary>Takes the lease: accepted when nobody has beaten since <paramref name="SeenBeat"/>.</summary>
public sealed record TakeRequest(long Holder, long SeenBeat) : JournalRequest;

/// <summary>Gives the lease back (leaving, or the holder lost its majority): accepted when it is mine under this term.</summary>
public sealed record ResignRequest(long Holder, long Term) : JournalRequest;

/// <summary>The lease after a beat, take or resign, and whether that was accepted.</summary>
public sealed record LeaseReply(bool Accepted, LeaseRow Lease) : JournalReply;

/// <summary>The lease holder gives shards to owners; each is accepted or refused by itself.</summary>
public sealed record AssignRequest(long Holder, long LeaseTerm, IReadOnlyList<ShardAssignment> Assignments) : JournalRequest;

/// <summary>One shard for one owner, when it still has the expected term; the new term is that plus 1.</summary>
public readonly record struct ShardAssignment(int Shard, long ExpectedTerm, long Owner);

/// <summary>The rows of all shards asked for, as they are now, in the order asked; and whether the lease was mine.</summary>
public sealed record AssignReply(bool LeaseHeld, IReadOnlyList<ShardRow> Rows) : JournalReply;

/// <summary>The owner hands shards to another; accepted when it owns them under the term given and the target is up.</summary>
public sealed record HandOverRequest(long Owner, IReadOnlyList<ShardAssignment> Assignments) : JournalRequest;

/// <summary>The rows of all shards asked for, as they are now, in the order asked.</summary>
public sealed record HandOverReply(IReadOnlyList<ShardRow> Rows) : JournalReply;

/// <summary>Reads the rows that decide ownership.</summary>
/// <param name="KnownVersion">The version the asker has; when it is current only lease and members are read. -1: read all.</param>
public sealed record ReadClusterRequest(long KnownVersion) : JournalRequest;

/// <summary>The rows.</summary>
public sealed record ReadClusterReply(ClusterRows Rows) : JournalReply;

// ---- Read models -----------------------------------------------------------------------------------------------------

/// <summary>Lists tasks, newest first.</summary>
/// <param name="Unfinished">Only unfinished ones.</param>
/// <param name="Name">Only the task of this name, or null.</param>
/// <param name="Task">Only this task, or null.</param>
public sealed record ListTasksRequest(bool Unfinished = false, string? Name = null, TaskId? Task = null) : JournalRequest;

/// <summary>The tasks, with the times of their first and last event.</summary>
public sealed record ListTasksReply(IReadOnlyList<TaskListing> Tasks) : JournalReply;

/// <summary>A task in a list.</summary>
public sealed record TaskListing(TaskSummary Summary, DateTimeOffset SubmittedAt, DateTimeOffset ChangedAt);

/// <summary>Reads a task's events after a sequence, at most <paramref name="Limit"/>.</summary>
public sealed record ListEventsRequest(TaskId Task, long AfterSequence, int Limit = 1000) : JournalRequest;

/// <summary>The events by sequence.</summary>
public sealed record ListEventsReply(IReadOnlyList<EventRow> Events) : JournalReply;

/// <summary>Reads the checkpoints that are listed, newest first; of one task or of all.</summary>
public sealed record ListCheckpointsRequest(TaskId? Task = null) : JournalRequest;

/// <summary>The checkpoints.</summary>
public sealed record ListCheckpointsReply(IReadOnlyList<CheckpointListing> Checkpoints) : JournalReply;

/// <summary>A checkpoint in a list.</summary>
public sealed record CheckpointListing(TaskId Task, CheckpointRef Checkpoint, long Term, DateTimeOffset Time, bool Damaged);
