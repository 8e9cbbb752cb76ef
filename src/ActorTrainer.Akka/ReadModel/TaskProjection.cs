using ActorTrainer.Akka.Serialization;
using ActorTrainer.Akka.Tasks;
using ActorTrainer.Core.Identity;
using Akka.Persistence.Query;

namespace ActorTrainer.Akka.ReadModel;

/// <summary>
/// Folds the journal's events into the read models, batch by batch. Takes up where the tables stand, and passes over what they have already,
/// so a batch that was written and not heard of does no harm.
/// </summary>
internal sealed class TaskProjection(ReadModelTable table)
{
    private readonly Dictionary<TaskId, ProjectedTask> _unfinished = [];

    /// <summary>Reads an event of the journal; null when it is not that of a task.</summary>
    public static ProjectedEvent? Read(EventEnvelope envelope) =>
        !TaskPersistence.TryParse(envelope.PersistenceId, out TaskId task) ? null
        : envelope.Event switch
        {
            JournaledEvent journaled => new ProjectedEvent(task, envelope.SequenceNr, journaled.Term, envelope.Timestamp, journaled.Event, null),
            Unreadable unreadable => new ProjectedEvent(task, envelope.SequenceNr, 0, envelope.Timestamp, null, unreadable.Reason),
            _ => null,
        };

    /// <summary>Takes a batch in the journal's order.</summary>
    /// <exception cref="InvalidOperationException">A task's event is missing before this batch.</exception>
    public async Task<int> TakeAsync(IReadOnlyList<EventEnvelope> batch, CancellationToken cancellationToken)
    {
        Dictionary<TaskId, ProjectedTask> changed = [];
        List<ProjectedEvent> news = [];
        foreach (ProjectedEvent e in batch.Select(Read).OfType<ProjectedEvent>())
        {
            ProjectedTask before = changed.GetValueOrDefault(e.Task) ?? _unfinished.GetValueOrDefault(e.Task) ?? await table.ReadTaskAsync(e.Task, cancellationToken);
            if (e.Sequence <= before.LastSequence)
            {
                continue;
            }

            if (e.Sequence != before.LastSequence + 1)
            {
                throw new InvalidOperationException($"event {before.LastSequence + 1} of task {e.Task} is missing before event {e.Sequence}");
            }

            changed[e.Task] = before.Apply(e);
            news.Add(e);
        }

        await table.WriteAsync(changed, news, ((Sequence)batch[^1].Offset).Value, cancellationToken);
        foreach ((TaskId id, ProjectedTask task) in changed)
        {
            if (task.IsFinished)
            {
                _unfinished.Remove(id);
            }
            else
            {
                _unfinished[id] = task;
            }
        }

        return news.Count;
    }
}
