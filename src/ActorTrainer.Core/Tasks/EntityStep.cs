using ActorTrainer.Core.Identity;

namespace ActorTrainer.Core.Tasks;

/// <summary>
/// What a task wants after one input: events to persist, then (once they are durable) effects and the reply. Its owner applies the
/// events with <see cref="TaskEntity.Commit"/> before it starts the effects, and gives the task no other input meanwhile.
/// </summary>
/// <param name="Persist">Events in order; may be empty.</param>
/// <param name="AfterCommit">Effects to start once the events are durable.</param>
/// <param name="Reply">The answer to the command, if the input was one.</param>
/// <param name="Release">The task has saved and stopped: its shard may be handed over.</param>
public sealed record EntityStep(
    IReadOnlyList<TaskEvent> Persist,
    IReadOnlyList<TaskEffect> AfterCommit,
    CommandReply? Reply = null,
    bool Release = false
)
{
    /// <summary>Nothing to do.</summary>
    public static EntityStep Nothing { get; } = new([], []);

    /// <summary>Whether there is nothing to do.</summary>
    public bool IsNothing => Persist.Count == 0 && AfterCommit.Count == 0 && Reply is null && !Release;
}

/// <summary>The node that an entity lives on.</summary>
public sealed record EntityHome(long Incarnation, NodeAddress Address)
{
    /// <summary>
    /// How long workers of a node that nobody hears any more may live on: <c>sharding.self-fence-after</c>, and what the end takes.
    /// </summary>
    public TimeSpan FencedWithin { get; init; } = TimeSpan.FromSeconds(12);
}
