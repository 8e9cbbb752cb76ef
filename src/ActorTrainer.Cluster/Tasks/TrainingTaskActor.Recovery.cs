using ActorTrainer.Cluster.Messages;
using ActorTrainer.Core.Tasks;
using Akka.Actor;
using Akka.Persistence;

namespace ActorTrainer.Cluster.Tasks;

/// <content>What the journal, a warmed worker and a parked run add up to.</content>
internal sealed partial class TrainingTaskActor
{
    /// <summary>
    /// A task that is not known to be long is recovered from its first events alone: to look for a snapshot costs as much as all the rest.
    /// </summary>
    public override Recovery Recovery =>
        _host.SnapshotsPassedOver(_task) is { } passed ? new Recovery(new SnapshotSelectionCriteria(passed.From - 1))
        : _looksForSnapshots ? Recovery.Default
        : new Recovery(SnapshotSelectionCriteria.None, long.MaxValue, SnapshotEvery + 1);

    protected override void OnRecover(object message)
    {
        switch (message)
        {
            case SnapshotOffer offer:
                Restore(offer);
                break;
            case Unreadable unreadable:
                _unreadable ??= $"event {LastSequenceNr} of task {_task} cannot be replayed: {unreadable.Reason}";
                break;
            case JournaledEvent journaled when _unreadable is null:
                Fold(journaled);
                break;
            case RecoveryCompleted:
                OnRecovered();
                break;
        }
    }

    protected override void OnRecoveryFailure(Exception reason, object? message = null)
    {
        LogRecoveryFailed(_host.Logger, _task, reason.Message);
        base.OnRecoveryFailure(reason, message);
    }

    private void Restore(SnapshotOffer offer)
    {
        long sequence = offer.Metadata.SequenceNr;
        if (_host.Snapshots.Read(offer.Snapshot, out string? problem) is not { } folded)
        {
            _host.PassOverSnapshots(_task, sequence, $"the one at {sequence} cannot be used: {problem}");
            throw new InvalidOperationException(
                $"the snapshot of task {_task} at {sequence} cannot be used: {problem}; "
                    + "the task is recovered from what is before it when it is started again"
            );
        }

        _replayed = folded.State;
        _row.Times = folded.Times;
        _snapshotBefore = _folded = sequence;
    }

    private void Fold(JournaledEvent journaled)
    {
        if (journaled.Event is TaskArchived && _replayed is null)
        {
            // What was before is deleted.
            _retired = true;
            return;
        }

        if (LastSequenceNr != _folded + 1)
        {
            if (!_looksForSnapshots)
            {
                return;
            }

            _incomplete = true;
            _unreadable =
                $"events {_folded + 1} to {LastSequenceNr - 1} of task {_task} are deleted, and no snapshot that covers them can be read"
                + (_host.SnapshotsPassedOver(_task) is { } passed ? $" ({passed.Reason})" : "");
            return;
        }

        _folded = LastSequenceNr;
        try
        {
            _replayed = TaskState.Fold(_task, _replayed, [journaled.Event]);
            _row.Times = _row.Times.After(journaled.Event, journaled.At);
        }
        catch (InvalidOperationException broken)
        {
            _unreadable = $"event {LastSequenceNr} of task {_task} cannot be replayed: {broken.Message}";
        }
    }

    /// <summary>Begins anew, in a new instance that looks for snapshots and gets the messages that came meanwhile.</summary>
    private void RecoverAgainOr(object message)
    {
        if (message is RecoverAgain)
        {
            throw new InvalidOperationException(
                $"task {_task} has more events than was known here: it is recovered again, with its snapshots"
            );
        }

        Stash.Stash();
    }

    private void OnRecovered()
    {
        if (!_looksForSnapshots && !_retired && _folded != LastSequenceNr)
        {
            _host.FoundLong(_task);
            _recoversAgain = true;
            Self.Tell(RecoverAgain.Instance);
            return;
        }

        if (_unreadable is not null)
        {
            LogUnreadable(_host.Logger, _task, _unreadable);
            ShowHeld($"its events cannot be replayed: {_unreadable}");
            ReportStatus();
            return;
        }

        if (_retired || _replayed is { Archived: true })
        {
            // It was lost before all of it was deleted, or somebody still asks for it.
            Retire();
            return;
        }

        if (_host.TakeParked(_task, _inbox) is { } parked)
        {
            if (parked.OutcomeFor(_replayed, LastSequenceNr) is var outcome && outcome != ParkedOutcome.Lost)
            {
                Adopt(parked, outcome);
                return;
            }

            LogRecoveredElsewhere(_host.Logger, _task);
            _host.EndRunOf(parked);
        }

        if (_host.TakeWarm(_task) is { } warm)
        {
            _entity = warm;
        }

        _entity.Recover(_replayed, []);
        _entity.SkipRuns(_host.SpentRuns(_task));
        EntityStep step = _entity.Recovered(_host.Now);
        PutRow(everything: true);
        Execute(step);
    }

    /// <summary>In its row, which stays as it was where what was replayed is older than the row.</summary>
    private void ShowHeld(string reason)
    {
        if (_replayed is not null && !_incomplete)
        {
            _row.PutHeld(Self, _replayed, LastSequenceNr, reason);
        }
        else if (_host.Hold is { } hold)
        {
            _ = hold(_task, reason)
                .ContinueWith(
                    failed => LogRecoveryFailed(_host.Logger, _task, failed.Exception!.GetBaseException().Message),
                    CancellationToken.None,
                    TaskContinuationOptions.OnlyOnFaulted,
                    TaskScheduler.Default
                );
        }
    }

    /// <summary>
    /// Goes on with a run that waited for the journal. That is journaled first: should anybody else write the task's events, it fails.
    /// </summary>
    private void Adopt(ParkedRun parked, ParkedOutcome outcome)
    {
        LogAdopted(_host.Logger, _task, parked.Inputs.Count);
        _entity = parked.Entity;
        _fencedAt = parked.Deadline;
        EntityStep step = parked.Step;
        if (outcome == ParkedOutcome.Journaled)
        {
            _entity.Commit(step.Persist, _host.Now);
            step = step with { Persist = [] };
        }

        PutRow(everything: true);
        TaskAdopted adopted = new(_entity.State?.Runs ?? 0, _host.Home.Incarnation);
        Execute(step with { Persist = [adopted, .. step.Persist], Reply = null });
    }

    private sealed class RecoverAgain : INoSerializationVerificationNeeded
    {
        public static RecoverAgain Instance { get; } = new();
    }
}
