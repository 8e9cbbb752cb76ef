using ActorTrainer.Core.Tasks;
using ActorTrainer.Training.Protocol;

namespace ActorTrainer.Training.Worker;

/// <content>Leaving a state for the node.</content>
internal sealed partial class WorkerLoop
{
    /// <summary>Leaves a state for the node, between two steps.</summary>
    /// <param name="step">The last one.</param>
    /// <param name="reason">Why.</param>
    /// <returns>Its id; null: it could not be written, and the node was told.</returns>
    private async ValueTask<string?> TryStageAsync(StepResult step, string reason)
    {
        TimeSpan begun = Now;
        Enter(WorkerPhase.Saving);
        try
        {
            StagedPlace place = await _staging!.StageAsync(_trainer, step.Step, _link.Stopping);
            _link.Send(
                new StagedMessage(place.Id, step.Step, step.Epoch, reason, _progress.Metrics)
                {
                    Area = place.Area,
                    Files = place.Files,
                    Stall = (Now - begun).TotalSeconds,
                    Drag = _meter.Drag?.TotalSeconds,
                }
            );
            return place.Id;
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            // A full disk is no fault of the training: it goes on, and the save is tried again a little later.
            _stageNotBefore = Now + StageRetryInterval;
            _link.Send(new StageFailedMessage(reason, Describe(problem)));
            return null;
        }
        finally
        {
            _link.Send(new PhaseMessage(WorkerPhase.Training));
        }
    }
}
