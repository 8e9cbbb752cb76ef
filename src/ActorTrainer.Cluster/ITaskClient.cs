using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Membership;
using ActorTrainer.Core.Queries;
using ActorTrainer.Core.Tasks;

namespace ActorTrainer.Cluster;

/// <summary>
/// Everything that can be asked of a cluster through one of its nodes: the HTTP API, and with it the command line, goes through here, and
/// so may the program that hosts the node. It can be asked from before the node has joined until it has left; while the node cannot answer,
/// commands are <see cref="CommandUnavailable"/> and queries throw <see cref="JournalUnavailableException"/>.
/// </summary>
public interface ITaskClient : ITaskQueries
{
    /// <summary>The name of the cluster that the node belongs to, or wants to.</summary>
    string ClusterName { get; }

    /// <summary>Which journal the node has; null until it is open.</summary>
    JournalIdentity? Journal { get; }

    /// <summary>
    /// The members, shards with their owners and unfinished tasks, as this node knows them; what is on record may lag behind by a second.
    /// Between two lives it is empty.
    /// </summary>
    ClusterView View { get; }

    /// <summary>Submits a task once it has been found right on this node. The same name and specification give the same task.</summary>
    Task<CommandReply> SubmitAsync(TaskSpec spec, CancellationToken cancellationToken = default);

    /// <summary>Asks a task's owner, wherever that is.</summary>
    Task<CommandReply> AskAsync(TaskId task, TaskCommand command, CancellationToken cancellationToken = default);

    /// <summary>
    /// Checkpoint, hand over, leave; ends when the node has handed everything over or was refused. Then its process ends.
    /// </summary>
    Task<CommandReply> DrainAsync(NodeAddress node, CancellationToken cancellationToken = default);

    /// <summary>Has a node take no new tasks, or take them again.</summary>
    Task<CommandReply> CordonAsync(NodeAddress node, bool cordoned, CancellationToken cancellationToken = default);
}
