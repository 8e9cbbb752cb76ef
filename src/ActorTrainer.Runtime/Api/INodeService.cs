using ActorTrainer.Client;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Journaling;
using ActorTrainer.Core.Membership;
using ActorTrainer.Core.Tasks;

namespace ActorTrainer.Runtime.Api;

/// <summary>What the HTTP API asks of the node. Everything the CLI and other clients can do goes through here.</summary>
public interface INodeService
{
    /// <summary>The name of the cluster that it belongs to, or wants to.</summary>
    string ClusterName { get; }

    /// <summary>This node's life number, 0 until it has one.</summary>
    long Incarnation { get; }

    /// <summary>What tells its journal from all others; null until it is open.</summary>
    string? JournalIdentity { get; }

    /// <summary>The newest membership view.</summary>
    MembershipView Membership { get; }

    /// <summary>The newest rows of ownership that this node read.</summary>
    ClusterRows Cluster { get; }

    /// <summary>Submits a task: validates it on this node, draws its id, routes it to its owner.</summary>
    Task<CommandReply> SubmitAsync(TaskSpec spec, CancellationToken cancellationToken);

    /// <summary>Sends a command to a task's owner, forwarded when that is another node.</summary>
    Task<CommandReply> CommandAsync(TaskId task, TaskCommand command, CancellationToken cancellationToken);

    /// <summary>Reads the journal.</summary>
    Task<JournalReply> ReadAsync(JournalRequest request, CancellationToken cancellationToken);

    /// <summary>Checkpoint, hand over, leave; returns when the node has handed everything over or was refused. Then its process ends.</summary>
    Task<CommandReply> DrainAsync(NodeAddress node, CancellationToken cancellationToken);

    /// <summary>Cordons or uncordons a node.</summary>
    Task<CommandReply> CordonAsync(NodeAddress node, bool cordoned, CancellationToken cancellationToken);

    /// <summary>The newest progress of tasks that run on this node, fresher than the read model.</summary>
    IReadOnlyDictionary<TaskId, TaskProgress> LiveProgress { get; }

    /// <summary>Reads and hashes a checkpoint in the store this node reads.</summary>
    Task<CheckpointVerification> VerifyCheckpointAsync(TaskId task, string checkpoint, CancellationToken cancellationToken);

    /// <summary>Output files of a task's runs kept on this node, oldest run first: absolute paths.</summary>
    IReadOnlyList<OutputFile> OutputFiles(TaskId task);
}

/// <summary>A file with a run's output lines; the older file of a rotated pair comes first.</summary>
public sealed record OutputFile(long Term, int Run, string Path);
