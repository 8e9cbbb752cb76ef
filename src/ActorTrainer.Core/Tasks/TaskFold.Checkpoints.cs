namespace ActorTrainer.Core.Tasks;

/// <content>What becomes of the list of checkpoints.</content>
internal static partial class TaskFold
{
    /// <summary>A tag of a task stands for one checkpoint: it leaves the one that had it.</summary>
    private static TaskState OnTagged(TaskState state, TaskCheckpointTagged e) =>
        IndexOf(state, e.Checkpoint) < 0
            ? state
            : state with
            {
                Checkpoints = Map(
                    state,
                    c => c.Checkpoint.Name == e.Checkpoint || c.Tags.Contains(e.Tag),
                    c =>
                        c with
                        {
                            Tags =
                            [
                                .. c
                                    .Tags.Where(tag => tag != e.Tag)
                                    .Concat(c.Checkpoint.Name == e.Checkpoint ? (string[])[e.Tag] : [])
                                    .Order(StringComparer.Ordinal),
                            ],
                        }
                ),
            };

    private static TaskState OnVerified(TaskState state, TaskCheckpointVerified e) =>
        state with
        {
            Checkpoints = Marked(state, e.Checkpoint, c => c with { VerifiedAt = e.At, Damaged = false, ReadAgain = false }),
        };

    private static TaskState OnCheckpointed(TaskState state, CheckpointRef checkpoint)
    {
        if (state.RestoreFrom is not null)
        {
            // Of the run that the user has ended.
            return state with { Checkpoints = [new ListedCheckpoint(checkpoint, false, Dead: true), .. state.Checkpoints] };
        }

        return Proven(state) with
        {
            Warning = TaskWarned.IsNoCheckpoint(state.Warning) ? null : state.Warning,
            Checkpoints =
            [
                new ListedCheckpoint(checkpoint, false, false),
                .. Map(state, c => c.FailedStarts > 0 || c.SetAside, c => c with { FailedStarts = 0, SetAside = false }),
            ],
            Progress = checkpoint.Step <= state.Progress.Step ? state.Progress : At(state.Progress, checkpoint),
            BestMetric = Better(state.Spec.Checkpoint, checkpoint, state.BestMetric),
            // Only a state beyond the place of the last failure shows that the failure is behind the task.
            Failures = checkpoint.Step > state.FailedAtStep ? 0 : state.Failures,
        };
    }
}
