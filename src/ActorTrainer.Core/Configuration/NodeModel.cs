using ActorTrainer.Core.Identity;

namespace ActorTrainer.Core.Configuration;

/// <summary>The validated configuration of a node. Defaults and their reasons stand in <c>hocon/reference.conf</c>.</summary>
public sealed record NodeModel
{
    /// <summary><c>actortrainer.cluster.name</c>: nodes of another name are refused.</summary>
    public string ClusterName { get; init; } = "actortrainer";

    /// <summary><c>actortrainer.node.name</c>: default host-port.</summary>
    public string NodeName { get; init; } = "";

    /// <summary><c>actortrainer.node.address</c>: where it listens.</summary>
    public NodeAddress Address { get; init; } = new("127.0.0.1", 7400);

    /// <summary><c>actortrainer.node.data-dir</c>: run directories, logs, guard socket; absolute.</summary>
    public string DataDir { get; init; } = "";

    /// <summary>
    /// <c>actortrainer.node.stop-timeout</c>: how long the node takes at most, when it is told to end, to save its tasks and hand them
    /// over.
    /// From 1 s to 1 h. Default 8 s.
    /// </summary>
    public TimeSpan StopTimeout { get; init; } = TimeSpan.FromSeconds(8);

    /// <summary><c>actortrainer.node.slots</c>: how many slots of tasks run at once. Default: processors.</summary>
    public int Slots { get; init; } = 1;

    /// <summary><c>actortrainer.node.roles</c>, sorted.</summary>
    public IReadOnlyList<string> Roles { get; init; } = [];

    /// <summary><c>actortrainer.cluster.seed-nodes</c>; empty: the node's own address.</summary>
    public IReadOnlyList<NodeAddress> SeedNodes { get; init; } = [];

    /// <summary>
    /// <c>actortrainer.cluster.expected-nodes</c>: how many nodes the cluster is built for. From 1 to 10,000. Default 1: as many as live.
    /// </summary>
    public int ExpectedNodes { get; init; } = 1;

    /// <summary><c>actortrainer.security</c>.</summary>
    public SecurityModel Security { get; init; } = new();

    /// <summary><c>actortrainer.membership</c>.</summary>
    public MembershipModel Membership { get; init; } = new();

    /// <summary><c>actortrainer.sharding</c>.</summary>
    public ShardingModel Sharding { get; init; } = new();

    /// <summary><c>actortrainer.journal</c>.</summary>
    public JournalModel Journal { get; init; } = new();

    /// <summary><c>actortrainer.akka</c>, and the user's own <c>akka</c> section.</summary>
    public AkkaModel Akka { get; init; } = new();

    /// <summary><c>actortrainer.checkpoints</c>.</summary>
    public CheckpointStoreModel Checkpoints { get; init; } = new();

    /// <summary><c>actortrainer.worker</c>.</summary>
    public WorkerModel Worker { get; init; } = new();

    /// <summary><c>actortrainer.output</c>.</summary>
    public OutputModel Output { get; init; } = new();

    /// <summary><c>actortrainer.logging</c>.</summary>
    public LoggingModel Logging { get; init; } = new();
}

/// <summary>What Akka.NET needs beside the rest.</summary>
public sealed record AkkaModel
{
    /// <summary>
    /// <c>port-offset</c>: Akka.Remote listens on the node's host at the node's port plus this; so do the seeds, by their ports. From 1 to
    /// 65,534. Default 1000.
    /// </summary>
    public int PortOffset { get; init; } = 1000;

    /// <summary>The user's own <c>akka</c> section with the places of its values, merged over what is derived; null: none.</summary>
    public ConfigObject? Section { get; init; }

    /// <summary>Where each key below <c>actortrainer</c> stands that the user wrote, by its whole path; for messages.</summary>
    public IReadOnlyDictionary<string, ConfigOrigin> Places { get; init; } = new Dictionary<string, ConfigOrigin>();
}

/// <summary>Who may talk to the node.</summary>
public sealed record SecurityModel
{
    /// <summary>
    /// <c>token-file</c>: a file with the shared token; needed for any address that is not loopback. Null: none; a node on loopback wants
    /// the token of its user then.
    /// </summary>
    public string? TokenFile { get; init; }

    /// <summary>The token read from the file, without white space at its ends; null: none.</summary>
    public string? Token { get; init; }

    /// <summary>
    /// <c>allow-anonymous-loopback</c>: whether a node on loopback without a token file answers every user of its machine, who can all run
    /// commands as its user then. Default false.
    /// </summary>
    public bool AllowAnonymousLoopback { get; init; }
}

/// <summary>Gossip and failure detection.</summary>
public sealed record MembershipModel
{
    /// <summary><c>heartbeat-interval</c>. Default 500 ms.</summary>
    public TimeSpan HeartbeatInterval { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary><c>acceptable-pause</c>: the floor of total silence before a member may be suspected. Default 2 s.</summary>
    public TimeSpan AcceptablePause { get; init; } = TimeSpan.FromSeconds(2);
}

/// <summary>How tasks are partitioned, given out and moved.</summary>
public sealed record ShardingModel
{
    /// <summary><c>number-of-shards</c>. From 1 to 4096. Default 1024. Fixed for a journal's life.</summary>
    public int NumberOfShards { get; init; } = 1024;

    /// <summary><c>allocation</c>: <c>load_balanced</c> (default) or <c>round_robin</c>.</summary>
    public AllocationStrategy Allocation { get; init; } = AllocationStrategy.LoadBalanced;

    /// <summary>
    /// <c>settle</c>: how long others are waited for, after a member has come, before resting tasks get new owners. Default 2 s.
    /// </summary>
    public TimeSpan Settle { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary><c>move-timeout</c>: a hand-over that takes longer is given up. Default 60 s.</summary>
    public TimeSpan MoveTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary><c>max-concurrent-moves</c>: moves of shards with tasks under way at once in the cluster. Default 2.</summary>
    public int MaxConcurrentMoves { get; init; } = 2;

    /// <summary><c>max-concurrent-restores</c> per node. Default 2.</summary>
    public int MaxConcurrentRestores { get; init; } = 2;

    /// <summary><c>self-fence-after</c>. Default 10 s.</summary>
    public TimeSpan SelfFenceAfter { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary><c>journal-unreachable-after</c>: a node that alone has lost the journal gives its tasks up. Default 30 s.</summary>
    public TimeSpan JournalUnreachableAfter { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary><c>drain-timeout</c>: a node that is still not empty by then goes anyway. Default 5 min.</summary>
    public TimeSpan DrainTimeout { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary><c>balance-after</c>: a run shorter than this is not interrupted to even out the load. Default 1 min.</summary>
    public TimeSpan BalanceAfter { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary><c>rebalance</c>: whether tasks are moved to free slots on join. Default true.</summary>
    public bool Rebalance { get; init; } = true;
}

/// <summary>How shards are given out.</summary>
public enum AllocationStrategy
{
    /// <summary>To the node with the most free slots for its size.</summary>
    LoadBalanced,

    /// <summary>To the nodes in turn.</summary>
    RoundRobin,
}

/// <summary>The journal database.</summary>
public sealed record JournalModel
{
    /// <summary><c>path</c>: the SQLite file, absolute; shared by the nodes of one machine.</summary>
    public string Path { get; init; } = "";

    /// <summary>
    /// <c>postgresql</c>: an Npgsql connection string, for clusters of several machines; it takes the place of the file. Null: SQLite.
    /// </summary>
    public string? PostgreSql { get; init; }

    /// <summary><c>keep-finished</c>: how long tasks that have ended stay before they are archived. Null (default): for ever.</summary>
    public TimeSpan? KeepFinished { get; init; }

    /// <summary>
    /// <c>max-finished</c>: how many tasks that have ended stay; those that ended first are archived. Null (default): all.
    /// </summary>
    public int? MaxFinished { get; init; }

    /// <summary>
    /// <c>keep-events</c>: how many of a task's newest events stay at least; older ones are deleted once two snapshots cover them. Null
    /// (default): all.
    /// </summary>
    public int? KeepEvents { get; init; }
}

/// <summary>The checkpoint store.</summary>
public sealed record CheckpointStoreModel
{
    /// <summary><c>store</c>: the kind. Default: a folder.</summary>
    public CheckpointStoreKind Store { get; init; } = CheckpointStoreKind.Folder;

    /// <summary><c>s3</c>: the bucket.</summary>
    public S3StoreModel S3 { get; init; } = new();

    /// <summary><c>tiered</c>: what stands behind the folder.</summary>
    public TieredStoreModel Tiered { get; init; } = new();

    /// <summary><c>path</c>: the store's folder, absolute.</summary>
    public string Path { get; init; } = "";

    /// <summary>
    /// <c>copies</c>: how many nodes have each checkpoint, the one that saved it among them. More than one is for nodes with folders of
    /// their own. Default 1, at most 16.
    /// </summary>
    public int Copies { get; init; } = 1;

    /// <summary><c>copies-wait</c>: how long a file that only a lost node may have is waited for. Default 2 min.</summary>
    public TimeSpan CopiesWait { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>
    /// <c>durability</c>: what a checkpoint has to have survived to be committed. Default: with several <see cref="Copies"/> that they are
    /// there, else that this node's store has it.
    /// </summary>
    public CheckpointDurability Durability { get; init; }

    /// <summary><c>scope</c>: <c>cluster</c> when every node reads this folder (default), <c>node</c> when it is this node's own.</summary>
    public string Scope { get; init; } = "cluster";

    /// <summary><c>compression</c>: what chunks are compressed for. Default: what makes no save slower.</summary>
    public CheckpointCompression Compression { get; init; } = CheckpointCompression.Auto;

    /// <summary><c>chunk-size</c> in bytes. Default 1 MiB.</summary>
    public int ChunkSizeBytes { get; init; } = 1 << 20;

    /// <summary>
    /// <c>memory</c>: how many bytes of memory a node may use for the states of its trainers. 0: none, they go through files. Null
    /// (default): a quarter of what the machine, or the container, has.
    /// </summary>
    public long? MemoryBytes { get; init; }

    /// <summary><c>scrub</c>: reading back in the background what is kept.</summary>
    public ScrubModel Scrub { get; init; } = new();
}

/// <summary>How checkpoints that are kept are read back in the background, to find damage before they are needed.</summary>
public sealed record ScrubModel
{
    /// <summary>
    /// <c>every</c>: how long a checkpoint that was saved or read back counts as whole. Zero: none is read back. Default 7 d.
    /// </summary>
    public TimeSpan Every { get; init; } = TimeSpan.FromDays(7);

    /// <summary><c>speed</c>: how many bytes a node reads in a second at most. Default 20 MB.</summary>
    public long BytesPerSecond { get; init; } = 20_000_000;
}

/// <summary>When a checkpoint is committed, so that a task goes on from it.</summary>
public enum CheckpointDurability
{
    /// <summary>Once the folder, or the bucket, of the node that saves it has it.</summary>
    Local,

    /// <summary>Once as many nodes have it as <c>copies</c> says, or as there are.</summary>
    Copies,

    /// <summary>Once what stands behind the folder has it.</summary>
    Store,
}

/// <summary>What chunks of checkpoints are compressed for.</summary>
public enum CheckpointCompression
{
    /// <summary>Chunks stand as they are.</summary>
    Off,

    /// <summary>As far as a sample and the measured speeds of processor and disk say that no save is slower by it.</summary>
    Auto,

    /// <summary>For the smallest checkpoints, whatever time it takes.</summary>
    Max,
}

/// <summary>Worker processes.</summary>
public sealed record WorkerModel
{
    /// <summary><c>log-max-size</c>: bytes of output kept for each run, in two files. Default 64 MiB.</summary>
    public long LogMaxBytes { get; init; } = 64L << 20;

    /// <summary><c>nice</c>: what is added to a worker's CPU niceness after its first step. Default 10.</summary>
    public int Nice { get; init; } = 10;

    /// <summary><c>warm.dotnet</c>: spare worker processes of a node that wait for the next C# trainer. 0: none. Default 1.</summary>
    public int WarmDotnet { get; init; } = 1;

    /// <summary><c>environments.keep</c>: how long an environment made for tasks stays that no run uses. Default 7 days.</summary>
    public TimeSpan EnvironmentsKeep { get; init; } = TimeSpan.FromDays(7);

    /// <summary>
    /// <c>environments.max-size</c>: bytes of all of them; beyond that those go that were used longest ago and are not in use. Default
    /// 50 GiB.
    /// </summary>
    public long EnvironmentsMaxBytes { get; init; } = 50L << 30;

    /// <summary>
    /// The command of a program that runs workers, to which <c>guard</c> and <c>worker</c> are appended, for example the
    /// <c>actortrainer</c> executable. No key of the configuration: a host program sets it that cannot be run again as it was, such as a
    /// test or a notebook. Null: this program.
    /// </summary>
    public IReadOnlyList<string>? Program { get; init; }
}

/// <summary>The output of runs.</summary>
public sealed record OutputModel
{
    /// <summary>
    /// <c>archive-interval</c>: how often what a run has printed goes to the checkpoint store; it also does when the run ends. From 1 s to
    /// a day. Default 1 min.
    /// </summary>
    public TimeSpan ArchiveInterval { get; init; } = TimeSpan.FromMinutes(1);
}

/// <summary>The node's own log.</summary>
public sealed record LoggingModel
{
    /// <summary><c>level</c>: trace, debug, info, warn, error. Default info.</summary>
    public string Level { get; init; } = "info";

    /// <summary><c>file</c>: a file, or null for standard error.</summary>
    public string? File { get; init; }
}
