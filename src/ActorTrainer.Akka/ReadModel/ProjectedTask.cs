using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Tasks;
using TaskStatus = ActorTrainer.Core.Tasks.TaskStatus;

namespace ActorTrainer.Akka.ReadModel;

/// <summary>An event on its way into the read models.</summary>
/// <param name="Task">Its task.</param>
/// <param name="Sequence">Its number in the task, from 1.</param>
/// <param name="Term">The term it was written under; 0 when it cannot be read.</param>
/// <param name="Time">When it was written: <see cref="DateTime.Ticks"/>, UTC, as Akka.Persistence.Sql keeps it.</param>
/// <param name="Event">The event; null when it cannot be read.</param>
/// <param name="Problem">Why not; null when it can.</param>
internal sealed record ProjectedEvent(TaskId Task, long Sequence, long Term, long Time, TaskEvent? Event, string? Problem);

/// <summary>A task in the read model: what its events up to a sequence add up to.</summary>
/// <param name="State">The folded state; null while nothing could be folded.</param>
/// <param name="Problem">The first event that cannot be read holds the task; null: none.</param>
/// <param name="LastSequence">The sequence that it stands at.</param>
/// <param name="Term">The term of its last event.</param>
/// <param name="SubmittedAt">Time of its first event, in ticks, UTC.</param>
/// <param name="ChangedAt">Time of its last event.</param>
internal sealed record ProjectedTask(TaskState? State, string? Problem, long LastSequence, long Term, long SubmittedAt, long ChangedAt)
{
    /// <summary>Before the first event.</summary>
    public static ProjectedTask Nothing { get; } = new(null, null, 0, 0, 0, 0);

    /// <summary>Whether it never changes again by itself.</summary>
    public bool IsFinished => Problem is null && State is { IsFinished: true };

    /// <summary>Applies the next event. Total: what cannot be read or folded holds the task with the reason.</summary>
    public ProjectedTask Apply(ProjectedEvent e)
    {
        TaskState? state = State;
        string? problem = Problem;
        if (problem is null)
        {
            try
            {
                state = e.Event is null ? state : TaskState.Fold(e.Task, state, [e.Event]);
                problem = e.Problem;
            }
            catch (InvalidOperationException broken)
            {
                problem = broken.Message;
            }
        }

        return new ProjectedTask(
            state, problem, e.Sequence, Math.Max(Term, e.Term), LastSequence == 0 ? e.Time : SubmittedAt, e.Time);
    }

    /// <summary>What lists show; null while there is nothing to show.</summary>
    public TaskSummary? Summarize(int shard)
    {
        TaskSummary? summary = State?.Summarize(shard);
        return summary is not null && Problem is not null
            ? summary with { Status = TaskStatus.Held, Detail = $"its events cannot be replayed: {Problem}" }
            : summary;
    }
}
