using ActorTrainer.Cluster.Messages;
using ActorTrainer.Core.Tasks;
using Akka.Persistence;

namespace ActorTrainer.Cluster.Tasks;

/// <content>What the journal, a warmed worker and a parked run add up to, and the snapshots that shorten the next recovery.</content>
internal sealed partial class TrainingTaskActor
{
    private void Fold(JournaledEvent journaled)
    {
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

    private void OnRecovered()
    {
        if (_unreadable is not null)
        {
            LogUnreadable(_host.Logger, _task, _unreadable);
            if (_replayed is not null)
            {
                _row.PutHeld(Self, _replayed, LastSequenceNr, $"its events cannot be replayed: {_unreadable}");
            }

            ReportStatus();
            return;
        }

        if (_host.TakeParked(_task) is { } parked)
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
        EntityStep step = _entity.Recovered(_host.Now);
        PutRow(everything: true);
        Execute(step);
    }

    /// <summary>
    /// Goes on with a run that waited for the journal. That is journaled first: should anybody else write the task's events, it fails.
    /// </summary>
    private void Adopt(ParkedRun parked, ParkedOutcome outcome)
    {
        LogAdopted(_host.Logger, _task, parked.Inputs.Count);
        _entity = parked.Entity;
        EntityStep step = parked.Step;
        if (outcome == ParkedOutcome.Journaled)
        {
            _entity.Commit(step.Persist, _host.Now);
            step = step with { Persist = [] };
        }

        foreach (TaskInput input in parked.Inputs)
        {
            _backlog.Enqueue(input);
        }

        PutRow(everything: true);
        TaskAdopted adopted = new(_entity.State?.Runs ?? 0, _host.Home.Incarnation);
        Execute(step with { Persist = [adopted, .. step.Persist], Reply = null });
    }

    private void SnapshotIfDue(int written)
    {
        if (LastSequenceNr / SnapshotEvery > (LastSequenceNr - written) / SnapshotEvery)
        {
            SaveSnapshot(new FoldedTask(TaskState.FoldVersion, _entity.State!, _row.Times));
        }
    }

    /// <summary>Two stay, should the newer one turn out to be unreadable.</summary>
    private void OnSnapshotSaved(long sequence)
    {
        if (_snapshotBefore is { } before)
        {
            DeleteSnapshots(new SnapshotSelectionCriteria(before - 1));
        }

        _snapshotBefore = sequence;
    }
}
