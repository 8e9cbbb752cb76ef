using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Journaling;
using ActorTrainer.Core.Tasks;
using TaskStatus = ActorTrainer.Core.Tasks.TaskStatus;

namespace ActorTrainer.Journal.Tables;

/// <summary>
/// The rows, without any rule about them. <see cref="JournalRules"/> decides for every implementation alike, inside what is one
/// transaction of the implementation.
/// </summary>
internal interface IJournalTables
{
    string Identity { get; }

    int NumberOfShards { get; }

    long ReadVersion();

    void BumpVersion();

    LeaseRow ReadLease();

    void WriteLease(LeaseRow lease);

    /// <summary>The shard's row; of a shard that does not exist, one without owner and term.</summary>
    ShardRow ReadShard(int shard);

    void WriteShard(ShardRow row);

    IReadOnlyList<ShardRow> ReadShards();

    /// <summary>Numbers a new life and stores it.</summary>
    long AddMember(MemberRow member);

    MemberRow? FindMember(long incarnation);

    void WriteMemberStatus(long incarnation, MemberStatus status, bool cordoned);

    /// <summary>Every member that is neither down nor removed, and the newest of each address, by incarnation.</summary>
    IReadOnlyList<MemberRow> ReadMembers();

    TaskHead? FindTask(TaskId task);

    /// <summary>The task that a name belongs to, finished or not.</summary>
    NameOwner? FindName(string name);

    /// <summary>The last sequence that an append wrote after a sequence, or null when it is not on record there.</summary>
    long? FindAppend(TaskHead task, long afterSequence, string appendId);

    /// <summary>Writes events, head, read models and snapshot; inserts the task when <paramref name="head"/> is null.</summary>
    void WriteAppend(TaskHead? head, PreparedAppend append, long lastSequence, DateTimeOffset time);

    /// <summary>The unfinished tasks of a shard, in any order.</summary>
    IReadOnlyList<TaskHead> ReadUnfinished(int shard);

    TaskSnapshotRow? ReadSnapshot(TaskHead task);

    IReadOnlyList<EventRow> ReadEvents(TaskHead task, long afterSequence, int limit);

    /// <summary>The read models of all unfinished tasks, by id.</summary>
    IReadOnlyList<TaskSummary> ReadUnfinishedSummaries();

    /// <summary>Newest first.</summary>
    IReadOnlyList<TaskListing> ListTasks(ListTasksRequest request);

    /// <summary>Newest first.</summary>
    IReadOnlyList<CheckpointListing> ListCheckpoints(TaskId? task);
}

/// <summary>What the rules need of a task's row.</summary>
/// <param name="Key">The row's number; grows with creation.</param>
/// <param name="Task">The task.</param>
/// <param name="Shard">Its shard, fixed at creation.</param>
/// <param name="LastSequence">Sequence of its last event.</param>
/// <param name="Planning">What allocation looks at.</param>
internal sealed record TaskHead(long Key, TaskId Task, int Shard, long LastSequence, PlanningFields Planning);

/// <summary>The fields of a task's read model whose change makes a new version of the cluster's rows.</summary>
internal readonly record struct PlanningFields(TaskStatus Status, int Priority, int Slots, long AvoidIncarnation, bool Alone)
{
    public static PlanningFields Of(TaskSummary summary) =>
        new(summary.Status, summary.Priority, summary.Slots, summary.AvoidIncarnation, summary.Alone);
}

/// <summary>Whose a task name is.</summary>
internal sealed record NameOwner(TaskId Task, string SpecHash);
