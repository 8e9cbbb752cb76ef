using ActorTrainer.Core.Tasks;
using ActorTrainer.Training.Protocol;

namespace ActorTrainer.Training.Worker;

/// <content>Leaving a state for the node.</content>
internal sealed partial class WorkerLoop
{
    /// <summary>
    /// A node begins to store what is announced, and has to wait for a trainer that takes longer than this to hand its state over, while
    /// another task's could be stored.
    /// </summary>
    private static readonly TimeSpan LongestAnnounced = TimeSpan.FromSeconds(2);

    /// <summary>How long training stood still for the last state; null: for none yet.</summary>
    private TimeSpan? _stall;

    /// <summary>Leaves a state for the node, between two steps.</summary>
    /// <param name="step">The last one.</param>
    /// <param name="reason">Why.</param>
    /// <param name="mayAnnounce">
    /// Whether the node may hear of it before it is copied: not of one that it waits for, since it may end this process with that word.
    /// </param>
    /// <returns>Its id; null: it could not be written, and the node was told.</returns>
    private async ValueTask<string?> TryStageAsync(StepResult step, string reason, bool mayAnnounce)
    {
        TimeSpan begun = Now;
        Enter(WorkerPhase.Saving);
        bool announced = false;
        StagingListener? listener =
            mayAnnounce && _stall <= LongestAnnounced
                ? new StagingListener(
                    place =>
                    {
                        announced = true;
                        _link.Send(StagedAt(place, step, reason) with { Filling = true });

                        // A node takes a worker that has staged for one that trains.
                        _link.Send(new PhaseMessage(WorkerPhase.Saving));
                    },
                    _link.Send
                )
                : null;
        try
        {
            StagedPlace place = await _staging!.StageAsync(_trainer, step.Step, listener, _link.Stopping);
            _stall = Now - begun;
            if (!place.IsAnnounced)
            {
                _link.Send(StagedAt(place, step, reason));
            }

            return place.Id;
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            // A full disk is no fault of the training: it goes on, and the save is tried again a little later.
            _stageNotBefore = Now + StageRetryInterval;
            if (!announced)
            {
                _link.Send(new StageFailedMessage(reason, Describe(problem)));
            }

            return null;
        }
        finally
        {
            _link.Send(new PhaseMessage(WorkerPhase.Training));
        }
    }

    private StagedMessage StagedAt(StagedPlace place, StepResult step, string reason) =>
        new(place.Id, step.Step, step.Epoch, reason, _progress.Metrics)
        {
            Area = place.Area,
            Files = place.Files,
            Stall = _stall?.TotalSeconds,
            Drag = _meter.Drag?.TotalSeconds,
        };
}
