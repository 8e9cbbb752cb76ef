using ActorTrainer.Core.Identity;
using Akka.Actor;

namespace ActorTrainer.Cluster.Tasks;

/// <summary>The shard goes elsewhere, or the node goes: save, stop, let go. The hand-off's stop message.</summary>
internal sealed record ReleaseTask : INoSerializationVerificationNeeded
{
    public static ReleaseTask Instance { get; } = new();
}

/// <summary>The node was told to go.</summary>
internal sealed record NodeLeaves : INoSerializationVerificationNeeded
{
    public static NodeLeaves Instance { get; } = new();
}

/// <summary>Nothing is left to do: the actor may stop. Sent back by the shard after a passivation.</summary>
internal sealed record StopTask : INoSerializationVerificationNeeded
{
    public static StopTask Instance { get; } = new();
}

/// <summary>Why a task's actor has ended.</summary>
internal enum TaskStopReason
{
    /// <summary>It could not be recovered, or could not write.</summary>
    Failed,

    /// <summary>The journal did not take its event or its row: another owner has written there.</summary>
    Fenced,

    /// <summary>The journal could not be reached; its run goes on and waits for it, see <see cref="ParkedRun"/>.</summary>
    Parked,

    /// <summary>Its shard goes elsewhere.</summary>
    Released,

    /// <summary>Nothing was left to do for it.</summary>
    Passivated,
}

/// <summary>A task's actor has ended on this node.</summary>
internal sealed record TaskStopped(TaskId Task, TaskStopReason Reason) : INoSerializationVerificationNeeded;

/// <summary>A task that somebody asked for has no events, and nobody submits it.</summary>
internal sealed record TaskUnborn(TaskId Task) : INoSerializationVerificationNeeded;
