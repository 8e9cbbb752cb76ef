using System.Globalization;
using ActorTrainer.Core.Checkpoints;

namespace ActorTrainer.Core.Tasks;

/// <summary>Applies one event to a task's state. Total: an event that is not known changes nothing.</summary>
internal static partial class TaskFold
{
    /// <summary>Lives that are remembered as unfit: those of a cluster, with some that have ended.</summary>
    private const int MaxUnfit = 64;

    private const string Preparing = "preparing the environment";

    public static TaskState Apply(TaskState state, TaskEvent e)
    {
        SavePace? pace = SavePaceFold.After(state.Pace, e);
        TaskState next = Changed(state, e);
        if (e is TaskCheckpointed saved)
        {
            next = next with { SinceFull = FullSavePolicy.After(state.SinceFull, saved.Checkpoint) };
        }

        return ReferenceEquals(pace, state.Pace) ? next : next with { Pace = pace };
    }

    private static TaskState Changed(TaskState state, TaskEvent e) =>
        e switch
        {
            TaskActivated activated => OnActivated(state, activated),
            TaskPreparing preparing => state with { Detail = $"{Preparing} on {preparing.Node}: {preparing.Detail}" },
            TaskStarted started => OnStarted(state, started),
            TaskProgressed { Settled: true } settled => Proven(state) with { Progress = settled.Progress },
            TaskProgressed progressed => state with { Progress = progressed.Progress },
            TaskCheckpointed checkpointed => OnCheckpointed(state, checkpointed.Checkpoint),
            TaskCheckpointDamaged damaged => state with
            {
                Checkpoints = Marked(state, damaged.Checkpoint, c => c with { Damaged = true, ReadAgain = false }),
            },
            TaskCheckpointVerified verified => OnVerified(state, verified),
            TaskCheckpointSetAside setAside => OnSetAside(state, setAside),
            TaskRestoreChosen chosen => OnRestoreChosen(state, chosen),
            TaskCheckpointImported imported => OnImported(state, imported.Checkpoint),
            TaskCheckpointPinned pinned => state with { Checkpoints = Marked(state, pinned.Checkpoint, c => c with { Pinned = true }) },
            TaskCheckpointUnpinned unpinned => state with
            {
                Checkpoints = Marked(state, unpinned.Checkpoint, c => c with { Pinned = false }),
            },
            TaskCheckpointTagged tagged => OnTagged(state, tagged),
            TaskCheckpointUntagged untagged => state with
            {
                Checkpoints = Marked(state, untagged.Checkpoint, c => c with { Tags = [.. c.Tags.Where(tag => tag != untagged.Tag)] }),
            },
            TaskCheckpointRemoved removed => state with { Checkpoints = Without(state, removed.Checkpoint) },
            TaskInterrupted interrupted => OnInterrupted(state, interrupted),
            TaskRetryScheduled { NodeUnfit: true } unfit => OnNodeUnfit(state, unfit),
            TaskRetryScheduled { FormerMayLive: true } beside => state with
            {
                Status = TaskStatus.Retrying,
                RetryDelay = beside.Delay,
                AvoidIncarnation = beside.Elsewhere ? state.Incarnation : 0,
                Detail =
                    $"{beside.Failure.Class}: {beside.Failure.Detail}, while workers of the lost node may have lived; "
                    + $"not counted, starts again after {Seconds(beside.Delay)} s",
            },
            TaskRetryScheduled retry => OnRetryScheduled(state, retry),
            TaskMigrating migrating => state with { Detail = $"moves to {migrating.To} ({migrating.Reason})" },
            TaskWarned warned => state with { Warning = warned.Detail },
            TaskNodeLeaving => state with { NodeLeaving = true },
            TaskPaused => state with { Status = TaskStatus.Paused, RetryDelay = null, Detail = "paused by the user" },
            TaskResumed => OnResumed(state),
            TaskHeld held => state with { Status = TaskStatus.Held, RetryDelay = null, Detail = held.Reason },
            TaskCompleted completed => state with
            {
                Status = TaskStatus.Completed,
                Progress = completed.Progress ?? state.Progress,
                Detail = "completed",
                ExitCode = 0,
                Results = completed.Results.Count > 0 ? completed.Results : null,
            },
            TaskFailed failed => state with
            {
                Status = TaskStatus.Failed,
                RetryDelay = null,
                Detail = $"{failed.Failure.Class}: {failed.Failure.Detail}",
                ExitCode = ExitCodeOf(failed.Failure),
            },
            TaskArchived => state with { Archived = true },
            TaskCancelled => state with
            {
                Status = TaskStatus.Cancelled,
                RetryDelay = null,
                Detail = "cancelled by the user",
                ExitCode = 1,
            },
            _ => state,
        };

    /// <summary>What another node was making is of no use to this one.</summary>
    private static TaskState OnActivated(TaskState state, TaskActivated activated) =>
        state with
        {
            Term = activated.Term,
            Incarnation = activated.Incarnation,
            Detail = state.Detail.StartsWith(Preparing, StringComparison.Ordinal) ? "waits for a slot" : state.Detail,
        };

    private static TaskState OnResumed(TaskState state)
    {
        IReadOnlyList<string> again = state.OnlyDamaged;
        return state with
        {
            Status = TaskStatus.Pending,
            Failures = 0,
            NodeLosses = 0,
            FailedAtStep = 0,
            RetryDelay = null,
            AvoidIncarnation = 0,
            UnfitIncarnations = null,
            UnfitRounds = 0,
            ExitCode = null,
            Detail = "waits for a slot",
            Checkpoints = Map(
                state,
                c => c.FailedStarts > 0 || c.SetAside || again.Contains(c.Checkpoint.Name),
                c =>
                    c with
                    {
                        FailedStarts = 0,
                        SetAside = false,
                        Dead = c.Dead && !c.SetAside,
                        ReadAgain = again.Contains(c.Checkpoint.Name),
                    }
            ),
        };
    }

    private static TaskState OnRetryScheduled(TaskState state, TaskRetryScheduled retry) =>
        state with
        {
            Status = TaskStatus.Retrying,
            Failures = retry.Failures,
            // A run was at least where it last saved, though its progress may not have been told up to there.
            FailedAtStep = Math.Max(state.FailedAtStep, Math.Max(state.Progress.Step, state.LastUsable?.Step ?? 0)),
            RetryDelay = retry.Delay,
            AvoidIncarnation = retry.Elsewhere ? state.Incarnation : 0,
            Detail = RetryDetail(state, retry),
            Checkpoints = retry.FailedStartFrom is { } from
                ? Marked(state, from, c => c with { FailedStarts = c.FailedStarts + 1 })
                : state.Checkpoints,
        };

    private static IReadOnlyList<ListedCheckpoint> Without(TaskState state, string checkpoint) =>
        [.. state.Checkpoints.Where(known => known.Checkpoint.Name != checkpoint)];

    private static TaskState OnNodeUnfit(TaskState state, TaskRetryScheduled unfit)
    {
        IReadOnlyList<long> known = state.UnfitIncarnations ?? [];
        bool again = known.Contains(state.Incarnation);
        return state with
        {
            Status = TaskStatus.Retrying,
            RetryDelay = unfit.Delay,

            // Back where it was, so no other node was left: the others may have what it needs by now, and are tried anew.
            UnfitIncarnations = again ? [state.Incarnation] : [.. known.TakeLast(MaxUnfit - 1), state.Incarnation],
            UnfitRounds = state.UnfitRounds + (again ? 1 : 0),
            Detail = $"waits for a node that can start it, looks again after {Seconds(unfit.Delay)} s: {unfit.Failure.Detail}",
        };
    }

    private static TaskState OnStarted(TaskState state, TaskStarted started)
    {
        int restored = IndexOf(state, started.RestoredFrom);

        // Whatever is newer than what was restored belongs to a history that did not go on.
        int newer = restored < 0 ? state.Checkpoints.Count : restored;
        return state with
        {
            Status = TaskStatus.Running,
            Runs = started.Run,
            Warning = null,
            Node = started.Node,
            RetryDelay = null,
            UnfitIncarnations = state.UnfitIncarnations is { } unfit ? [.. unfit.Where(life => life != started.Incarnation)] : null,
            UnfitRounds = 0,
            Proven = false,
            NodeLeaving = false,
            Detail = started.RestoredFrom is null
                ? "started"
                : FormattableString.Invariant($"resumed from {StepOrSave(state)} {started.RestoredStep}"),
            // One that was set aside is taken after all where no other can be read, and one that was damaged has been read.
            Checkpoints =
            [
                .. Overtaken(state, newer)
                    .Select((c, i) => i == restored ? c with { Dead = false, Damaged = false } : c)
                    .Select(c => c.ReadAgain ? c with { ReadAgain = false } : c),
            ],
            RestoreFrom = null,
            Progress = (
                restored >= 0 && state.RestoreFrom == started.RestoredFrom
                    ? At(state.Progress, state.Checkpoints[restored].Checkpoint)
                    : state.Progress
            ) with
            {
                Output = null,
                Remaining = null,
            },
        };
    }

    private static TaskState OnSetAside(TaskState state, TaskCheckpointSetAside e) =>
        state with
        {
            Detail = FormattableString.Invariant(
                $"{state.Detail}, from the checkpoint before ({e.Next}, {StepOrSave(state)} {e.NextStep})"
            ),
            Checkpoints = Marked(state, e.Checkpoint, c => c with { SetAside = true }),
        };

    private static TaskState OnRestoreChosen(TaskState state, TaskRestoreChosen chosen)
    {
        int index = IndexOf(state, chosen.Checkpoint);
        if (index < 0)
        {
            return state;
        }

        bool waits = state.Status is not (TaskStatus.Running or TaskStatus.Paused);
        double? best = null;
        foreach (ListedCheckpoint listed in state.Checkpoints.Skip(index).Where(c => !c.Dead || c.Checkpoint.Name == chosen.Checkpoint))
        {
            best = Better(state.Spec.Checkpoint, listed.Checkpoint, best);
        }

        return state with
        {
            Status = waits ? TaskStatus.Pending : state.Status,
            Failures = 0,
            NodeLosses = 0,
            FailedAtStep = 0,
            RetryDelay = null,
            AvoidIncarnation = 0,
            ExitCode = null,
            Detail = FormattableString.Invariant($"{GoesBack(state.Status)} from {StepOrSave(state)} {chosen.Step}"),
            RestoreFrom = chosen.Checkpoint,
            BestMetric = best,
            Checkpoints =
            [
                .. Overtaken(state, index).Select((c, i) => c with { Dead = c.Dead && i != index, SetAside = false, FailedStarts = 0 }),
            ],
        };
    }

    /// <summary>As a choice, but the task does not go on by itself. What failed before did so with another state.</summary>
    private static TaskState OnImported(TaskState state, string checkpoint) =>
        IndexOf(state, checkpoint) < 0
            ? state
            : state with
            {
                Failures = 0,
                FailedAtStep = 0,
                RestoreFrom = checkpoint,
                Checkpoints =
                [
                    .. state.Checkpoints.Select(c =>
                        c with
                        {
                            Dead = c.Dead && c.Checkpoint.Name != checkpoint,
                            SetAside = false,
                            FailedStarts = 0,
                        }
                    ),
                ],
            };

    private static string RetryDetail(TaskState state, TaskRetryScheduled retry)
    {
        string seconds = Seconds(retry.Delay);
        return retry.MaxAttempts is int most
            ? FormattableString.Invariant(
                $"{retry.Failure.Class}: {retry.Failure.Detail}; retry {retry.Failures} of {most} starts after {seconds} s"
            )
            : FormattableString.Invariant($"failure {retry.Failures} of {state.Spec.Retry.MaxAttempts} ({retry.Failure.Class}): ")
                + $"{retry.Failure.Detail}; starts again after {seconds} s";
    }

    private static string Seconds(TimeSpan delay) => delay.TotalSeconds.ToString("0.#", CultureInfo.InvariantCulture);

    /// <summary>The present run does not take its node along, so the losses before it were not the task's doing.</summary>
    private static TaskState Proven(TaskState state) => state with { Proven = true, NodeLosses = 0 };

    private static TaskState OnInterrupted(TaskState state, TaskInterrupted interrupted) =>
        state with
        {
            Status = state.Status == TaskStatus.Running ? TaskStatus.Pending : state.Status,
            NodeLosses = interrupted.Reason == InterruptionReason.NodeLost && !state.Proven ? state.NodeLosses + 1 : state.NodeLosses,
            NodeLeaving = false,
            Detail = state.Status == TaskStatus.Running ? $"waits for a slot ({interrupted.Detail})" : state.Detail,
        };

    /// <summary>What a command's checkpoints are counted by, and a trainer's.</summary>
    private static string StepOrSave(TaskState state) => state.Spec.Command is null ? "step" : "save";

    private static string GoesBack(TaskStatus status) =>
        status switch
        {
            TaskStatus.Running => "stops, to go on",
            TaskStatus.Paused => "paused by the user; resumes",
            _ => "waits for a slot, to go on",
        };

    private static double? Better(CheckpointSpec spec, CheckpointRef checkpoint, double? best) =>
        spec.BestMetric is string metric
        && checkpoint.Metrics.TryGetValue(metric, out double value)
        && CheckpointPolicy.IsBetter(spec, value, best)
            ? value
            : best;

    private static TaskProgress At(TaskProgress progress, CheckpointRef checkpoint) =>
        progress with
        {
            Step = checkpoint.Step,
            Epoch = checkpoint.Epoch,
            Metrics = checkpoint.Metrics,
        };

    private static int IndexOf(TaskState state, string? name)
    {
        for (int i = 0; i < state.Checkpoints.Count; i++)
        {
            if (state.Checkpoints[i].Checkpoint.Name == name)
            {
                return i;
            }
        }

        return -1;
    }

    private static IReadOnlyList<ListedCheckpoint> Overtaken(TaskState state, int newest) =>
        [.. state.Checkpoints.Select((c, i) => i < newest && !c.Dead ? c with { Dead = true } : c)];

    private static IReadOnlyList<ListedCheckpoint> Marked(TaskState state, string name, Func<ListedCheckpoint, ListedCheckpoint> mark) =>
        Map(state, c => c.Checkpoint.Name == name, mark);

    private static IReadOnlyList<ListedCheckpoint> Map(
        TaskState state,
        Func<ListedCheckpoint, bool> which,
        Func<ListedCheckpoint, ListedCheckpoint> mark
    ) => [.. state.Checkpoints.Select(c => which(c) ? mark(c) : c)];

    private static int ExitCodeOf(Failure failure) =>
        failure.ExitCode is int code and not 0 ? code
        : failure.Signal is int signal ? 128 + signal
        : 1;
}
