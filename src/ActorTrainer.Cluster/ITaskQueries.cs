using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Queries;
using ActorTrainer.Core.Tasks;

namespace ActorTrainer.Cluster;

/// <summary>What is read of tasks: lists, events, checkpoints. What the same client was told before is in every answer.</summary>
public interface ITaskQueries
{
    /// <summary>Tasks with the times of their first and last event, newest first.</summary>
    /// <param name="filter">Which.</param>
    /// <param name="cancellationToken">Gives it up.</param>
    /// <exception cref="JournalUnavailableException">The journal cannot be read now.</exception>
    Task<IReadOnlyList<TaskListing>> ListTasksAsync(TaskFilter filter, CancellationToken cancellationToken = default);

    /// <summary>A task's events by sequence.</summary>
    /// <param name="task">The task; one that is not known has none.</param>
    /// <param name="after">Only those with a larger sequence; 0: from the first.</param>
    /// <param name="limit">At most so many.</param>
    /// <param name="cancellationToken">Gives it up.</param>
    /// <exception cref="JournalUnavailableException">The journal cannot be read now, or the first of the events cannot.</exception>
    Task<IReadOnlyList<EventRow>> ReadEventsAsync(TaskId task, long after, int limit, CancellationToken cancellationToken = default);

    /// <summary>How a task's metrics went, over all of its runs; some seconds behind while it trains.</summary>
    /// <param name="task">The task; one that is not known, or has told none, has an empty series.</param>
    /// <param name="cancellationToken">Gives it up.</param>
    /// <exception cref="JournalUnavailableException">The journal cannot be read now.</exception>
    Task<MetricSeries> ReadMetricsAsync(TaskId task, CancellationToken cancellationToken = default);

    /// <summary>The checkpoints that are listed, newest first.</summary>
    /// <param name="task">Only those of this task; null: of all.</param>
    /// <param name="cancellationToken">Gives it up.</param>
    /// <exception cref="JournalUnavailableException">The journal cannot be read now.</exception>
    Task<IReadOnlyList<CheckpointListing>> ListCheckpointsAsync(TaskId? task, CancellationToken cancellationToken = default);
}
