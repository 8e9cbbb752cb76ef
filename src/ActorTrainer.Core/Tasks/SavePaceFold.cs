using ActorTrainer.Core.Checkpoints;

namespace ActorTrainer.Core.Tasks;

/// <summary>What is learned of a task's saves, and how often it lost work, from its first pace on.</summary>
internal static class SavePaceFold
{
    public static SavePace? After(SavePace? pace, TaskEvent e) =>
        e switch
        {
            TaskSavesPaced paced => paced.Pace,
            _ when pace is null => null,
            TaskCheckpointed { Trained: { } trained } => pace with { Trained = trained },
            _ when LosesWork(e) => pace with { Losses = pace.Losses + 1 },
            _ => pace,
        };

    /// <summary>
    /// Whether what was done since the last save is done again. Not so where the state was saved before (a move, a pause), and where a run
    /// ended before it had done anything.
    /// </summary>
    private static bool LosesWork(TaskEvent e) =>
        e
            is TaskInterrupted { Reason: InterruptionReason.NodeLost or InterruptionReason.GuardLost or InterruptionReason.JournalAway }
                or TaskRetryScheduled { NodeUnfit: false, FormerMayLive: false, FailedStartFrom: null }
                or TaskHeld { Failure: not null };
}
