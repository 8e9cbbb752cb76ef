using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Tasks;

namespace ActorTrainer.Core.Journaling;

/// <summary>What the <c>member</c> table says of a node's life. Changed by the node itself and by the lease holder.</summary>
public enum MemberStatus
{
    /// <summary>Registered, not ready for shards.</summary>
    Joining,

    /// <summary>May own shards.</summary>
    Up,

    /// <summary>Hands its shards over and goes.</summary>
    Leaving,

    /// <summary>Lost; owns nothing any more.</summary>
    Down,

    /// <summary>Gone after it handed everything over.</summary>
    Removed,
}

/// <summary>One life of a node process.</summary>
/// <param name="Incarnation">Numbered by the journal, from 1.</param>
/// <param name="Address">Where it listens.</param>
/// <param name="Name">The node's name.</param>
/// <param name="Roles">Its roles, sorted.</param>
/// <param name="Slots">Its capacity in slots.</param>
/// <param name="Status">See <see cref="MemberStatus"/>.</param>
/// <param name="Cordoned">Whether it takes no new tasks.</param>
/// <param name="Pid">Its process id.</param>
/// <param name="Version">Its product version.</param>
public sealed record MemberRow(
    long Incarnation,
    NodeAddress Address,
    string Name,
    IReadOnlyList<string> Roles,
    int Slots,
    MemberStatus Status,
    bool Cordoned,
    int Pid,
    string Version);

/// <summary>The coordinator's lease. Nobody holds it while <paramref name="Holder"/> is 0.</summary>
/// <param name="Holder">The holder's incarnation.</param>
/// <param name="Term">Grows with every take.</param>
/// <param name="Beat">Grows with every beat and every take; there is no expiry.</param>
public sealed record LeaseRow(long Holder, long Term, long Beat);

/// <summary>Who owns a shard. Shards that were never assigned have term 0 and owner 0.</summary>
public readonly record struct ShardRow(int Shard, long Owner, long Term);

/// <summary>The rows that decide ownership, read in one transaction.</summary>
/// <param name="Version">Grows with every change of member, shard, or the set, status, priority or demand of unfinished tasks.</param>
/// <param name="Lease">The coordinator's lease.</param>
/// <param name="Members">Every member that is not removed or down, and the newest of each address whatever its status; by incarnation.</param>
/// <param name="Shards">All shards, by number; empty when the version asked for is still current.</param>
/// <param name="Tasks">Unfinished tasks, by id; empty when the version asked for is still current.</param>
public sealed record ClusterRows(
    long Version,
    LeaseRow Lease,
    IReadOnlyList<MemberRow> Members,
    IReadOnlyList<ShardRow> Shards,
    IReadOnlyList<TaskSummary> Tasks)
{
    /// <summary>Whether a shard gets an owner only when a task of it is there, so that one without is nothing to worry about.</summary>
    public bool OwnedOnUse { get; init; }

    /// <summary>Nothing read yet.</summary>
    public static ClusterRows Empty { get; } = new(-1, new LeaseRow(0, 0, 0), [], [], []);
}

/// <summary>A task with everything needed to replay it.</summary>
/// <param name="Task">The task.</param>
/// <param name="Snapshot">A folded state that shortens replay, or null; its sequence is where the events go on.</param>
/// <param name="Events">The events after the snapshot, by sequence.</param>
/// <param name="LastSequence">The sequence of the last event.</param>
public sealed record ClaimedTask(TaskId Task, TaskSnapshotRow? Snapshot, IReadOnlyList<TaskEvent> Events, long LastSequence);

/// <summary>A folded state. A hint: it may always be dropped, and another fold version is ignored.</summary>
public sealed record TaskSnapshotRow(long Sequence, int FoldVersion, string Body);

/// <summary>An event as it stands in the journal.</summary>
/// <param name="Task">The task.</param>
/// <param name="Sequence">From 1, consecutive.</param>
/// <param name="Term">The term it was accepted under.</param>
/// <param name="Time">When it was written, by the writing node's wall clock, UTC.</param>
/// <param name="Event">The event.</param>
public sealed record EventRow(TaskId Task, long Sequence, long Term, DateTimeOffset Time, TaskEvent Event);
