using ActorTrainer.Core.Tasks;

namespace ActorTrainer.Cluster.Rows;

/// <summary>
/// A task's own row: what lists show and what placement looks at. The task's actor keeps it up to date behind its events.
/// </summary>
/// <param name="Summary">Where the task stands.</param>
/// <param name="Sequence">The event up to which it is current; 0: the name is taken, and no event is journaled yet.</param>
/// <param name="Term">The term of the last activation.</param>
/// <param name="Owner">The life that has the task, 0 while none has.</param>
/// <param name="SubmittedAt">When the first event was written.</param>
/// <param name="ChangedAt">When the last event was written.</param>
/// <param name="Version">Grows with every write to any row; 0 before it is written.</param>
internal sealed record TaskRow(
    TaskSummary Summary,
    long Sequence,
    long Term,
    long Owner,
    DateTimeOffset SubmittedAt,
    DateTimeOffset ChangedAt,
    long Version = 0
);
