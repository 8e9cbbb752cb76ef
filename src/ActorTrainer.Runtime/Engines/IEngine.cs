using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Journaling;
using ActorTrainer.Core.Membership;
using ActorTrainer.Core.Nodes;
using ActorTrainer.Core.Tasks;

namespace ActorTrainer.Runtime.Engines;

/// <summary>
/// What carries the tasks of a cluster: membership, placement, persistence, and one <see cref="TaskEntity"/> per task on the node that owns it.
/// The port is cut above the journal: claims, leases and gossip are the embedded engine's own. The node around it has the HTTP server, the
/// workers and the checkpoint store.
/// </summary>
/// <remarks>
/// An engine persists the events of a step before it commits them, starts the effects after that, and refuses what an owner of an older
/// term writes. Nothing else about how it does that is asked.
/// </remarks>
public interface IEngine : IAsyncDisposable
{
    /// <summary>Says which life of which node this is; 0 until it has one. Grows or changes with every life.</summary>
    long Incarnation { get; }

    /// <summary>The members as failure detection sees them.</summary>
    MembershipView Membership { get; }

    /// <summary>The members, shards with their owners, and unfinished tasks as they are on record; may lag behind by a second.</summary>
    ClusterRows Cluster { get; }

    /// <summary>Ends when the engine has: it has left in order, was refused, or cannot go on. Completed as long as it has not been started.</summary>
    Task<EngineEnd> Ended { get; }

    /// <summary>Joins the cluster and begins to own tasks. Called once.</summary>
    /// <exception cref="IOException">Something that it needs is missing or taken; says what and what to do. Other types: see the engine.</exception>
    Task StartAsync(CancellationToken cancellationToken);

    /// <summary>Begins to leave: save, hand over, go, as far as the time allows. <see cref="Ended"/> follows.</summary>
    /// <param name="within">How long it may take. What is not handed over goes on elsewhere from its last checkpoint.</param>
    void Leave(TimeSpan within);

    /// <summary>Gives a task what became of one of its effects. Of a task that is not here any more it is dropped.</summary>
    void Post(TaskInput input);

    /// <summary>Creates a task that was checked; the same name and specification give the same task.</summary>
    Task<CommandReply> SubmitAsync(TaskSpec spec, CancellationToken cancellationToken);

    /// <summary>Asks a task's owner, wherever that is.</summary>
    Task<CommandReply> AskAsync(TaskId task, TaskCommand command, CancellationToken cancellationToken);

    /// <summary>Asks a node to take no more tasks, to take them again, or to begin to leave.</summary>
    Task<CommandReply> AskNodeAsync(NodeAddress node, NodeCommandKind kind, CancellationToken cancellationToken);

    /// <summary>
    /// Answers <see cref="ListTasksRequest"/>, <see cref="ListEventsRequest"/> and <see cref="ListCheckpointsRequest"/>; what this node has
    /// acknowledged before is in the answer. <see cref="JournalFailed"/> when it cannot be read now.
    /// </summary>
    Task<JournalReply> ReadAsync(JournalRequest request, CancellationToken cancellationToken);
}

/// <summary>How an engine ended.</summary>
/// <param name="ExitCode">What the process should exit with: 0 left in order, 1 broken, 2 refused by the cluster.</param>
/// <param name="Failure">Why it ended, when nobody asked it to; null otherwise.</param>
public sealed record EngineEnd(int ExitCode, string? Failure);
