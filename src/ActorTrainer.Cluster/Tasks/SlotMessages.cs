using ActorTrainer.Cluster.Rows;
using ActorTrainer.Core.Identity;
using Akka.Actor;

namespace ActorTrainer.Cluster.Tasks;

/// <summary>A task begins to replay on this node: it may turn out to have the highest priority.</summary>
internal sealed record TaskRecovering(TaskId Task) : INoSerializationVerificationNeeded;

/// <summary>How a task stands with the slots of its node; told whenever it changes.</summary>
/// <param name="Task">The task.</param>
/// <param name="Entity">Its actor.</param>
/// <param name="Priority">Higher goes first.</param>
/// <param name="Slots">How many it takes.</param>
/// <param name="Alone">Whether it needs the node for itself.</param>
/// <param name="Wants">Whether it could start now.</param>
/// <param name="Takes">Whether a worker runs, starts or stops.</param>
/// <param name="Restoring">Whether it restores or starts.</param>
/// <param name="Grant">The number of the last grant that it has seen; 0: none.</param>
internal sealed record SlotStatus(
    TaskId Task,
    IActorRef Entity,
    int Priority,
    int Slots,
    bool Alone,
    bool Wants,
    bool Takes,
    bool Restoring,
    long Grant
) : INoSerializationVerificationNeeded;

/// <summary>Rows that have changed: they say which tasks of this node wait at rest, and whose they are.</summary>
internal sealed record RowsChanged(IReadOnlyList<TaskRow> Rows) : INoSerializationVerificationNeeded;

/// <summary>The task's actor is gone from this node.</summary>
internal sealed record TaskGone(TaskId Task, IActorRef Entity) : INoSerializationVerificationNeeded;

/// <summary>The task may start; answered by a <see cref="SlotStatus"/> with this number.</summary>
internal sealed record SlotsGranted(long Number) : INoSerializationVerificationNeeded;

/// <summary>The node goes: nothing is started here any more.</summary>
internal sealed record CloseSlots : INoSerializationVerificationNeeded
{
    public static CloseSlots Instance { get; } = new();
}
