using ActorTrainer.Cluster.Messages;
using ActorTrainer.Core.Tasks;
using Akka.Actor;
using Akka.Persistence;

namespace ActorTrainer.Cluster.Tasks;

/// <content>What stays of the task's history: snapshots, the events that none covers, and of a task that is archived nothing.</content>
internal sealed partial class TrainingTaskActor
{
    /// <summary>Of what was read in the recovery, the last event that is in the state.</summary>
    private long _folded;

    /// <summary>Whether events are missing: the state is not what it was.</summary>
    private bool _incomplete;

    /// <summary>The newest snapshot that can be relied on: it was recovered from, or reads back as it was written.</summary>
    private long? _snapshotBefore;
    private FoldedTask? _saving;
    private bool _retired;

    private void SnapshotIfDue(int written)
    {
        if (LastSequenceNr / SnapshotEvery > (LastSequenceNr - written) / SnapshotEvery)
        {
            SaveSnapshot(_saving = new FoldedTask(TaskState.FoldVersion, _entity.State!, _row.Times));
        }
    }

    private void OnSnapshotSaved(long sequence)
    {
        if (_host is { KeepEvents: { } keep, History: { } history } && _saving is { } saved)
        {
            long through = Math.Min(_snapshotBefore ?? 0, LastSequenceNr - keep);
            history
                .TrimAsync(_task, sequence, saved, through, CancellationToken.None)
                .PipeTo(
                    Self,
                    success: reliable => new SnapshotChecked(sequence, reliable ? null : "it does not read back as it was written"),
                    failure: e => new SnapshotChecked(sequence, e.Message)
                );
        }
        else
        {
            OnSnapshotChecked(new SnapshotChecked(sequence, null));
        }
    }

    /// <summary>Two stay, should the newer one turn out to be unreadable.</summary>
    private void OnSnapshotChecked(SnapshotChecked check)
    {
        if (check.Problem is { } problem)
        {
            LogNoSnapshot(_host.Logger, _task, problem);
            return;
        }

        if (_snapshotBefore is { } before)
        {
            DeleteSnapshots(new SnapshotSelectionCriteria(before - 1));
        }

        _snapshotBefore = check.Sequence;
    }

    /// <summary>The task is archived: what is left of it goes, and the actor with it.</summary>
    private void Retire()
    {
        _retired = _ending = true;
        _stopReason = TaskStopReason.Passivated;
        Timers.CancelAll();
        Timers.StartSingleTimer(nameof(RowFlushed), RowFlushed.Instance, FlushWithin);
        RetireAsync(_host.History, LastSequenceNr)
            .PipeTo(
                Self,
                success: () => RowFlushed.Instance,
                failure: e =>
                {
                    // It is still on record as ended, so it is asked to archive itself again.
                    LogNotArchived(_host.Logger, _task, e.Message);
                    return RowFlushed.Instance;
                }
            );
    }

    private async Task RetireAsync(TaskHistory? history, long archived)
    {
        await _host.Rows.FlushAsync(_task);
        await (history?.ArchiveAsync(_task, archived, CancellationToken.None) ?? Task.CompletedTask);
    }

    private sealed record SnapshotChecked(long Sequence, string? Problem) : INoSerializationVerificationNeeded;
}
