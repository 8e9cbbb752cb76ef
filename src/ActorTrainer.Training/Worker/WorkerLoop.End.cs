using ActorTrainer.Core.Checkpoints;
using ActorTrainer.Training.Protocol;

namespace ActorTrainer.Training.Worker;

/// <content>How a run ends.</content>
internal sealed partial class WorkerLoop
{
    // The finished model must not be lost, so the worker waits until its last state can be staged and is stored.
    private async Task<int> FinishAsync(StepResult step)
    {
        string? id = null;
        while (id is null)
        {
            while (!_staging!.HasRoom && !StopRequested)
            {
                Take(await _link.ReceiveAsync());
            }

            if (StopRequested)
            {
                return Stopped();
            }

            id = await TryStageAsync(step, CheckpointReasons.Final);
            if (id is null)
            {
                await Task.Delay(StageRetryInterval, _time, _link.Stopping);
                Drain();
            }
        }

        _link.ExpectClose();
        _link.Send(new DoneMessage(step.Step, step.TotalSteps, step.Epoch, _progress.Metrics, _context.Results));
        while (_staging!.IsUnreleased(id) && !StopRequested)
        {
            Take(await _link.ReceiveAsync());
        }

        return WorkerExitCodes.Success;
    }

    private int Stopped()
    {
        if (_link.Closed)
        {
            return WorkerExitCodes.NodeGone;
        }

        _link.ExpectClose();
        _link.Send(new StoppedMessage());
        return WorkerExitCodes.Success;
    }

    private async ValueTask DisposeTrainerAsync()
    {
        try
        {
            if (_trainer is IAsyncDisposable asynchronous)
            {
                await asynchronous.DisposeAsync();
            }
            else if (_trainer is IDisposable disposable)
            {
                disposable.Dispose();
            }
        }
        catch (Exception problem)
        {
            // The training has its outcome; a failing clean-up does not change it.
            await _errors.WriteLineAsync(problem.ToString());
        }
    }
}
