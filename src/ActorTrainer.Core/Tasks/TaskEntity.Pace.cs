using ActorTrainer.Core.Checkpoints;

namespace ActorTrainer.Core.Tasks;

/// <content>How often a trainer saves by itself, where its strategy leaves that to what a save costs.</content>
public sealed partial class TaskEntity
{
    /// <summary>
    /// Takes the measurements of a save that is committed, and decides the pace anew. Only the worker knows how long training stood still:
    /// one that does not say it is not paced.
    /// </summary>
    private EntityStep Pace(StagedState saved, TimeSpan stagedAt, TimeSpan now)
    {
        if (_run is not { Pacer: { } pacer, End: null, Stop: StopCause.None } run || saved.Stall is not { } stall || State is null)
        {
            return EntityStep.Nothing;
        }

        pacer.Add(stall, saved.Drag, now - stagedAt);
        SavePace? present = State.Pace;
        CheckpointSpec spec = State.Spec.Checkpoint;
        int losses = present?.Losses ?? 0;
        SavePaceDecision decision = SavePacePolicy.Decide(
            new SavePaceInputs
            {
                Cost = pacer.Stall + pacer.Drag,
                Commit = pacer.Commit,
                Losses = losses,
                Trained = pacer.Trained(now),
                MaxOverhead = spec.MostOverhead(),
                Longest = spec.Interval,
                Present = present?.Interval,
            }
        );
        if (!decision.Changes)
        {
            return EntityStep.Nothing;
        }

        SavePace pace = new(decision.Interval, decision.Reason, pacer.Stall, pacer.Drag, pacer.Commit, pacer.Trained(now), losses);
        return new EntityStep([new TaskSavesPaced(present?.Interval, pace)], [new PaceSaves(run.Key, decision.Interval)]);
    }
}
