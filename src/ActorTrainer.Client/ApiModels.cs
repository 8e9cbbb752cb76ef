using ActorTrainer.Core.Checkpoints;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Membership;
using ActorTrainer.Core.Queries;
using ActorTrainer.Core.Tasks;
using TaskStatus = ActorTrainer.Core.Tasks.TaskStatus;

namespace ActorTrainer.Client;

/// <summary>A task as lists show it. Times are UTC.</summary>
/// <param name="Task">Its id.</param>
/// <param name="Name">Its name.</param>
/// <param name="Status">Where it stands.</param>
/// <param name="Finished">Whether it will never run again.</param>
/// <param name="Detail">One sentence that explains the status.</param>
/// <param name="Priority">Higher goes first.</param>
/// <param name="Slots">Slots that it takes while it runs.</param>
/// <param name="Shard">Its shard.</param>
/// <param name="Node">The node that ran it last, or null.</param>
/// <param name="Progress">How far it is.</param>
/// <param name="Live">Whether the progress comes from the running worker (true) or from the journal, at most about a second old
/// (false).</param>
/// <param name="Runs">How often a worker was started.</param>
/// <param name="Failures">Failures of its own since the last resume.</param>
/// <param name="LastCheckpoint">The newest checkpoint that is not damaged, or null.</param>
/// <param name="Alone">Whether it has to run alone on a node.</param>
/// <param name="ExitCode">What <c>run</c> exits with, once it has ended.</param>
/// <param name="SubmittedAt">Time of its first event.</param>
/// <param name="ChangedAt">Time of its last event.</param>
public sealed record TaskView(
    TaskId Task,
    string Name,
    TaskStatus Status,
    bool Finished,
    string Detail,
    int Priority,
    int Slots,
    int Shard,
    NodeAddress? Node,
    TaskProgress Progress,
    bool Live,
    int Runs,
    int Failures,
    CheckpointRef? LastCheckpoint,
    bool Alone,
    int? ExitCode,
    DateTimeOffset SubmittedAt,
    DateTimeOffset ChangedAt
)
{
    /// <summary>What the trainer left as results, once it is completed; null: nothing.</summary>
    public IReadOnlyDictionary<string, string>? Results { get; init; }

    /// <summary>What was said last that its user has to know of its present run; null: nothing, or it is settled.</summary>
    public string? Warning { get; init; }

    /// <summary>How often its trainer saves by itself, and what that was decided by; null: that is not measured.</summary>
    public SavePace? Pace { get; init; }

    /// <summary>When <see cref="LastCheckpoint"/> was committed; null: there is none, or not known.</summary>
    public DateTimeOffset? LastCheckpointAt { get; init; }
}

/// <summary>Tasks, newest first.</summary>
public sealed record TaskList(IReadOnlyList<TaskView> Tasks);

/// <summary>One task with what it was submitted as.</summary>
/// <param name="Task">The task.</param>
/// <param name="Owner">The node that owns its shard, or null while nobody does.</param>
/// <param name="Term">The term of its shard.</param>
/// <param name="Spec">Its specification, or null when its first event could not be read.</param>
public sealed record TaskDetails(TaskView Task, NodeAddress? Owner, long Term, TaskSpec? Spec)
{
    /// <summary>
    /// Whether the loss of one machine would lose its last checkpoint; null: its store has no second place to copy it to.
    /// </summary>
    public bool? CheckpointAtRisk { get; init; }
}

/// <summary>How a task's metrics went, over all of its runs.</summary>
/// <param name="Task">The task.</param>
/// <param name="Points">By step; at most 512, evenly over the whole training.</param>
public sealed record TaskMetrics(TaskId Task, IReadOnlyList<MetricPoint> Points);

/// <summary>Events of a task by sequence; ask again after the last one until none comes.</summary>
public sealed record TaskEventList(TaskId Task, IReadOnlyList<EventRow> Events);

/// <summary>Checkpoints, newest first.</summary>
public sealed record CheckpointList(IReadOnlyList<CheckpointListing> Checkpoints)
{
    /// <summary>
    /// Names of those that the loss of one machine would lose, since they are copied to no other place yet; null: the store has no second
    /// place.
    /// </summary>
    public IReadOnlyList<string>? AtRisk { get; init; }
}

/// <summary>A checkpoint that is at one place only.</summary>
public sealed record UncopiedCheckpoint(TaskId Task, string Checkpoint);

/// <summary>Checkpoints that nodes have saved, and that wait to be copied to a second place.</summary>
/// <param name="Checkpoints">The checkpoints; null: the store has no second place.</param>
public sealed record UncopiedCheckpoints(IReadOnlyList<UncopiedCheckpoint>? Checkpoints);

/// <summary>The files of a checkpoint, by path.</summary>
public sealed record CheckpointFiles(TaskId Task, string Checkpoint, IReadOnlyList<CheckpointFile> Files);

/// <summary>A file of a task in the store.</summary>
/// <param name="Name">Relative to the task's folder, for example <c>packs/c-3-1200-k3f9a2bc.pack</c>.</param>
/// <param name="Bytes">Its size; null: not known.</param>
public sealed record StoreFile(string Name, long? Bytes);

/// <summary>Files of a task in the store that no event names.</summary>
/// <param name="Task">The task.</param>
/// <param name="DryRun">Whether they were only named, and not removed.</param>
/// <param name="Files">The files, sorted by name.</param>
public sealed record TaskGarbage(TaskId Task, bool DryRun, IReadOnlyList<StoreFile> Files);

/// <summary>Output kept of one run.</summary>
/// <param name="Term">The term the run was started under.</param>
/// <param name="Run">Its number within the task's life.</param>
/// <param name="Node">The node that it ran on.</param>
/// <param name="Bytes">How much is kept now, there and in the checkpoint store.</param>
public sealed record RunOutput(long Term, int Run, NodeAddress Node, long Bytes)
{
    /// <summary>The place of the first byte that the node has, in all that the run printed; null: 0.</summary>
    public long? Start { get; init; }

    /// <summary>How far the run is known to have printed, in bytes; null: <see cref="Bytes"/>, since all of it is kept.</summary>
    public long? End { get; init; }

    /// <summary>Whether it is read from the checkpoint store, as its node does not have it.</summary>
    public bool? Stored { get; init; }

    /// <summary>What is missing behind the last byte that is kept, and where it was lost, as one sentence; null: nothing is.</summary>
    public string? Missing { get; init; }
}

/// <summary>Output kept of a task's runs, by term and run.</summary>
/// <param name="Task">The task.</param>
/// <param name="Finished">Whether the task will never run again.</param>
/// <param name="Runs">What is kept.</param>
/// <param name="Unreachable">Members that did not answer; runs kept there are missing.</param>
public sealed record RunOutputList(TaskId Task, bool Finished, IReadOnlyList<RunOutput> Runs, IReadOnlyList<NodeAddress> Unreachable)
{
    /// <summary>Why output in the checkpoint store is not among it, as one sentence; null: it is.</summary>
    public string? StoreProblem { get; init; }
}

/// <summary>A member of the cluster, from gossip and journal.</summary>
/// <param name="Incarnation">Its life number.</param>
/// <param name="Address">Where it listens.</param>
/// <param name="Name">Its name.</param>
/// <param name="State">What gossip says, or null when gossip does not know it.</param>
/// <param name="Status">What the journal says, or null when the journal does not list it (yet).</param>
/// <param name="Reachable">Whether the answering node reaches it.</param>
/// <param name="Cordoned">Whether it takes no new tasks.</param>
/// <param name="Slots">Its capacity.</param>
/// <param name="UsedSlots">Slots of the tasks that run there.</param>
/// <param name="Tasks">Unfinished tasks that it owns.</param>
/// <param name="Shards">Shards that it owns.</param>
/// <param name="LeaseHolder">Whether it holds the coordinator's lease.</param>
/// <param name="Self">Whether it is the node that answered.</param>
/// <param name="Roles">Its roles.</param>
/// <param name="Pid">Its process id, 0 when not known.</param>
/// <param name="Version">Its product version, empty when not known.</param>
public sealed record MemberView(
    long Incarnation,
    NodeAddress Address,
    string Name,
    MemberState? State,
    MemberStatus? Status,
    bool Reachable,
    bool Cordoned,
    int Slots,
    int UsedSlots,
    int Tasks,
    int Shards,
    bool LeaseHolder,
    bool Self,
    IReadOnlyList<string> Roles,
    int Pid,
    string Version
);

/// <summary>Who coordinates the shards.</summary>
/// <param name="Holder">The coordinator's life number; 0: not known.</param>
/// <param name="Term">Always 0: kept for readers of this version of the API.</param>
/// <param name="Beat">Always 0, as <paramref name="Term"/>.</param>
public sealed record CoordinatorLease(long Holder, long Term = 0, long Beat = 0);

/// <summary>The cluster as the answering node sees it.</summary>
/// <param name="Self">Its own life number, 0 until it has one.</param>
/// <param name="Lease">The coordinator's lease.</param>
/// <param name="Version">Version of the rows of ownership; -1 before the first read.</param>
/// <param name="UnfinishedTasks">Tasks that are not finished.</param>
/// <param name="UnassignedShards">Shards without a living owner.</param>
/// <param name="Members">Its members, by address and life.</param>
public sealed record ClusterStatus(
    long Self,
    CoordinatorLease Lease,
    long Version,
    int UnfinishedTasks,
    int UnassignedShards,
    IReadOnlyList<MemberView> Members
)
{
    /// <summary>
    /// How many checkpoints the loss of one machine would lose, of those that the nodes that answer have saved. Null: it was not asked for,
    /// or the store has no second place, so that nobody knows how safe its only one is.
    /// </summary>
    public int? CheckpointsAtRisk { get; init; }
}

/// <summary>Shards of one owner. Incarnation 0: nobody's.</summary>
public sealed record ShardOwner(
    long Incarnation,
    NodeAddress? Address,
    string Name,
    int Shards,
    int ShardsWithTasks,
    int Tasks,
    long HighestTerm
);

/// <summary>Who owns how many shards.</summary>
public sealed record ShardSummary(int NumberOfShards, IReadOnlyList<ShardOwner> Owners);

/// <summary>One shard.</summary>
public sealed record ShardDetails(int Shard, long Owner, NodeAddress? Address, long Term, IReadOnlyList<TaskView> Tasks);

/// <summary>What answers.</summary>
/// <param name="Product">Always <c>ActorTrainer</c>.</param>
/// <param name="Version">Its version.</param>
/// <param name="Api">Version of this API.</param>
/// <param name="Runtime">The .NET runtime.</param>
/// <param name="Incarnation">The node's life number, 0 until it has one.</param>
public sealed record VersionInfo(string Product, string Version, int Api, string Runtime, long Incarnation)
{
    /// <summary>The name of the node's cluster; null: no node, or one that does not say.</summary>
    public string? Cluster { get; init; }

    /// <summary>What tells the node's journal from all others; null: no node, or its journal is not open yet.</summary>
    public string? Journal { get; init; }
}

/// <summary>Body of a migrate command; null: the policy chooses.</summary>
public sealed record MigrateBody(string? To);

/// <summary>Body of a restore command: the checkpoint's name.</summary>
public sealed record RestoreBody(string From);

/// <summary>Body of tag and untag: the tag.</summary>
public sealed record TagBody(string Tag);

/// <summary>Body of a removal: the checkpoints' names.</summary>
public sealed record RemoveBody(IReadOnlyList<string> Checkpoints);

/// <summary>Body of drain, cordon and uncordon: the node's address or name.</summary>
public sealed record NodeBody(string Node);

/// <summary>Why a request was not answered with what it asked for.</summary>
/// <param name="Status">The HTTP status.</param>
/// <param name="Error">What was wrong.</param>
/// <param name="Where">The request.</param>
/// <param name="Advice">What to do, or empty.</param>
public sealed record ApiProblem(int Status, string Error, string Where, string Advice);

/// <summary>What was found when a checkpoint was read.</summary>
public sealed record CheckpointVerification(string Checkpoint, bool Found, bool Intact, long BytesRead, string Detail)
{
    /// <summary>The task that has it; null: an answer of a version that did not say so.</summary>
    public TaskId? Task { get; init; }
}

/// <summary>A safetensors file that was written of a checkpoint.</summary>
/// <param name="Checkpoint">The checkpoint's name.</param>
/// <param name="File">Where it is; absolute.</param>
/// <param name="Bytes">Its length.</param>
/// <param name="Tensors">How many tensors it has.</param>
public sealed record ExportedTensors(string Checkpoint, string File, long Bytes, int Tensors);
