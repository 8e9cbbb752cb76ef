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

    /// <summary>What is in the snapshots that are being written, by their sequence numbers: a slow disk may have two at a time.</summary>
    private readonly Dictionary<long, FoldedTask> _saving = [];

    /// <summary>Snapshots that were saved while one before them is still read back: what may be deleted depends on that one.</summary>
    private readonly Queue<long> _toCheck = [];
    private bool _checking;
    private bool _retired;

    private void SnapshotIfDue(int written)
    {
        if (LastSequenceNr / SnapshotEvery > (LastSequenceNr - written) / SnapshotEvery)
        {
            FoldedTask folded = new(TaskState.FoldVersion, _entity.State!, _row.Times);
            _saving[SnapshotSequenceNr] = folded;
            SaveSnapshot(folded);
        }
    }

    private void OnSnapshotSaved(long sequence)
    {
        if (_checking)
        {
            _toCheck.Enqueue(sequence);
            return;
        }

        _checking = true;
        if (_saving.Remove(sequence, out FoldedTask? saved) && _host is { KeepEvents: { } keep, History: { } history })
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
        _checking = false;
        if (check.Problem is { } problem)
        {
            LogNoSnapshot(_host.Logger, _task, problem);
        }
        else
        {
            if (_snapshotBefore is { } before)
            {
                DeleteSnapshots(new SnapshotSelectionCriteria(before - 1));
            }

            _snapshotBefore = check.Sequence;
        }

        if (_toCheck.TryDequeue(out long next))
        {
            OnSnapshotSaved(next);
        }
    }

    /// <summary>The task is archived: what is left of it goes, and the actor with it.</summary>
    private void Retire()
    {
        _retired = _ending = true;
        _host.Retired(_task);
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
