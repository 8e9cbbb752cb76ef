using System.Collections.Immutable;
using ActorTrainer.Core.Tasks;

namespace ActorTrainer.Cluster.Messages;

/// <summary>
/// When things happened to a task, by the clocks of the nodes that wrote its events; what the state does not say and lists show.
/// </summary>
/// <param name="SubmittedAt">Its first event.</param>
/// <param name="ChangedAt">Its last event.</param>
/// <param name="Checkpoints">Its listed checkpoints, by name.</param>
internal sealed record TaskTimes(
    DateTimeOffset SubmittedAt,
    DateTimeOffset ChangedAt,
    ImmutableSortedDictionary<string, DateTimeOffset> Checkpoints
)
{
    /// <summary>Before the first event.</summary>
    public static TaskTimes None { get; } =
        new(default, default, ImmutableSortedDictionary<string, DateTimeOffset>.Empty.WithComparers(StringComparer.Ordinal));

    /// <summary>The times after one more event.</summary>
    public TaskTimes After(TaskEvent e, DateTimeOffset at)
    {
        TaskTimes next = this with { SubmittedAt = SubmittedAt == default ? at : SubmittedAt, ChangedAt = at };
        return e switch
        {
            TaskCheckpointed added => next with { Checkpoints = Checkpoints.SetItem(added.Checkpoint.Name, at) },
            TaskCheckpointRemoved removed => next with { Checkpoints = Checkpoints.Remove(removed.Checkpoint) },
            _ => next,
        };
    }
}
