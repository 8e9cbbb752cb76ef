using System.Globalization;
using ActorTrainer.Core.Tasks;

namespace ActorTrainer.Cli.Output;

/// <summary>One line about each event.</summary>
internal static class EventText
{
    private const int MaxCommandLength = 100;

    public static string Name(TaskEvent happened) =>
        happened switch
        {
            TaskSubmitted => "submitted",
            TaskActivated => "activated",
            TaskPreparing => "preparing",
            TaskStarted => "started",
            TaskAdopted => "adopted",
            TaskProgressed => "progressed",
            TaskCheckpointed => "checkpointed",
            TaskCheckpointDamaged => "checkpoint-damaged",
            TaskCheckpointVerified => "checkpoint-verified",
            TaskCheckpointSetAside => "checkpoint-set-aside",
            TaskRestoreChosen => "restore-chosen",
            TaskCheckpointPinned => "checkpoint-pinned",
            TaskCheckpointUnpinned => "checkpoint-unpinned",
            TaskCheckpointTagged => "checkpoint-tagged",
            TaskCheckpointImported => "checkpoint-imported",
            TaskCheckpointUntagged => "checkpoint-untagged",
            TaskCheckpointFailed => "checkpoint-failed",
            TaskSavesPaced => "saves-paced",
            TaskWarned => "warned",
            TaskCheckpointRemoved => "checkpoint-removed",
            TaskPacksCondemned => "packs-condemned",
            TaskInterrupted => "interrupted",
            TaskRetryScheduled => "retry-scheduled",
            TaskMigrating => "migrating",
            TaskNodeLeaving => "node-leaving",
            TaskPaused => "paused",
            TaskResumed => "resumed",
            TaskHeld => "held",
            TaskCompleted => "completed",
            TaskFailed => "failed",
            TaskCancelled => "cancelled",
            TaskArchived => "archived",
            _ => happened.GetType().Name,
        };

    public static string Details(TaskEvent happened) =>
        happened switch
        {
            TaskSubmitted e => $"{e.Spec.Name}: {Shorten(What(e.Spec))}",
            TaskActivated e => $"on {e.Node}, term {Human.Number(e.Term)}",
            TaskPreparing e => $"the environment on {e.Node}: {e.Detail}",
            TaskStarted e => FormattableString.Invariant($"run {e.Run} on {e.Node}, pid {e.Pid}, ")
                + (e.RestoredFrom is null ? "from nothing" : FormattableString.Invariant($"from {e.RestoredFrom} (step {e.RestoredStep})")),
            TaskProgressed e => Progress(e.Progress),
            TaskCheckpointed e => string.Create(
                CultureInfo.InvariantCulture,
                $"{e.Checkpoint.Name}: {ProgressText.StepOf(e.Checkpoint)}, {e.Checkpoint.Reason}, {Human.Bytes(e.Checkpoint.Bytes)}, "
                    + $"{Human.Bytes(e.Checkpoint.StoredBytes)} stored{(e.Full is { } why ? $", shares nothing ({why})" : "")}"
            ),
            TaskCheckpointDamaged e => $"{e.Checkpoint}: {e.Detail}",
            TaskCheckpointVerified e => $"{e.Checkpoint} was read back and is whole",
            TaskCheckpointSetAside e => FormattableString.Invariant(
                $"{e.FailedStarts} starts from checkpoint {e.Checkpoint} failed; goes on from the one before, {e.Next} (step {e.NextStep})"
            ),
            TaskRestoreChosen e => FormattableString.Invariant($"goes on from {e.Checkpoint} (step {e.Step})"),
            TaskCheckpointPinned e => $"{e.Checkpoint} is kept until it is unpinned",
            TaskCheckpointUnpinned e => $"{e.Checkpoint} is kept as the others are",
            TaskCheckpointTagged e => $"{e.Tag}: {e.Checkpoint}",
            TaskCheckpointImported e => string.Create(
                CultureInfo.InvariantCulture,
                $"{e.Checkpoint}, step {e.Step}: the next start begins from it"
            ),
            TaskCheckpointUntagged e => $"{e.Tag}: no longer {e.Checkpoint}",
            TaskCheckpointFailed e => $"{e.Reason}: {e.Detail}",
            TaskSavesPaced e => PaceText.Changed(e),
            TaskWarned e => e.Detail,
            TaskCheckpointRemoved e => $"{e.Checkpoint}: {e.Reason}",
            TaskPacksCondemned e => e.Packs.Count == 1 ? "1 pack" : FormattableString.Invariant($"{e.Packs.Count} packs"),
            TaskInterrupted e => $"{Interruption(e.Reason)}{Clause(e.Detail)}",
            TaskRetryScheduled e => Retry(e),
            TaskMigrating e => $"to {e.To}{Clause(e.Reason)}",
            TaskNodeLeaving e => $"{e.Node} was told to stop: should it end before the task is handed over, that does not count",
            TaskHeld e => e.Reason,
            TaskCompleted e => Completed(e),
            TaskFailed e => $"{e.Failure.Class}: {e.Failure.Detail}",
            _ => "",
        };

    public static string What(TaskSpec spec) => spec.Command is { } command ? string.Join(' ', command) : spec.Trainer?.Type ?? "";

    /// <summary>What only fills a list: progress, old checkpoints that make room, and that one is as it should be.</summary>
    public static bool IsRoutine(TaskEvent happened) =>
        happened is TaskProgressed or TaskCheckpointRemoved or TaskPacksCondemned or TaskCheckpointVerified;

    private static string Shorten(string text) => text.Length <= MaxCommandLength ? text : text[..(MaxCommandLength - 1)] + "…";

    private static string Progress(TaskProgress progress)
    {
        string steps = progress.Output is null ? $"step {ProgressText.Steps(progress)}" : ProgressText.Steps(progress);
        string epoch =
            ProgressText.Epoch(progress) is not { } known ? ""
            : progress.Output?.Epoch is null ? $", epoch {known}"
            : $", {known}";
        string metrics = ProgressText.Metrics(progress);
        return $"{steps}{epoch}{(metrics.Length > 0 ? $", {metrics}" : "")}";
    }

    private static string Completed(TaskCompleted e)
    {
        string progress = e.Progress is null ? "" : Progress(e.Progress);
        string results = TaskText.Results(e.Results);
        return progress.Length > 0 && results.Length > 0 ? $"{progress}; {results}" : progress + results;
    }

    private static string Interruption(InterruptionReason reason) =>
        reason switch
        {
            InterruptionReason.NodeLost => "node lost",
            InterruptionReason.Migrated => "migrated",
            InterruptionReason.GuardLost => "guard lost",
            InterruptionReason.Paused => "paused",
            InterruptionReason.NodeStopping => "node stopping",
            InterruptionReason.GoesBack => "goes back",
            InterruptionReason.JournalAway => "journal away",
            _ => reason.ToString(),
        };

    private static string Retry(TaskRetryScheduled e)
    {
        if (e.NodeUnfit)
        {
            return $"no failure of its own: {e.Failure.Detail} (looked for on other nodes, again in {Human.Duration(e.Delay)})";
        }

        if (e.FormerMayLive)
        {
            return $"{e.Failure.Class}: {e.Failure.Detail}; not counted, workers of the lost node may have lived until then "
                + $"(again in {Human.Duration(e.Delay)})";
        }

        string what = e.MaxAttempts is int most ? FormattableString.Invariant($"retry {e.Failures} of {most}") : "again";
        return FormattableString.Invariant(
                $"failure {e.Failures} ({e.Failure.Class}: {e.Failure.Detail}), {what} in {Human.Duration(e.Delay)}"
            ) + (e.Elsewhere ? " on another node, if there is one" : "");
    }

    private static string Clause(string detail) => detail.Length > 0 ? $": {detail}" : "";
}
