using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Tasks;

namespace ActorTrainer.Cluster.Tasks;

/// <summary>
/// A worker that gets ready for a task before the task is this node's: its process starts and the last checkpoint is put in place. Nothing
/// of it is journaled. Thread-safe.
/// </summary>
/// <param name="entity">The task as far as it is known, with the run.</param>
/// <param name="start">Starts what the run needs.</param>
/// <param name="giveUp">Ends the run of a task that does not come.</param>
/// <param name="now">The node's monotonic time.</param>
internal sealed class WarmRun(TaskEntity entity, Action<IEnumerable<TaskEffect>> start, Action<TaskEntity> giveUp, Func<TimeSpan> now)
{
    private readonly Lock _gate = new();
    private readonly DeterministicRandom _random = new(0); // nothing is drawn before the task is this node's
    private readonly TaskCompletionSource _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private bool _over;

    public TimeSpan Since { get; } = now();

    /// <summary>Ends when nothing more can be done before the task comes, or when the run is over.</summary>
    public Task Ready => _ready.Task;

    public TaskId Task => entity.Task;

    /// <summary>Begins it, unless the task's actor has come before.</summary>
    public void Begin(TaskSpec spec, CheckpointRef? checkpoint, long term, int number)
    {
        lock (_gate)
        {
            if (!_over)
            {
                start(entity.Warm(spec, checkpoint, term, number, now()).AfterCommit);
            }
        }
    }

    /// <summary>Takes what became of an effect. False: the run has been taken, and this is for the task's actor.</summary>
    public bool Take(TaskInput input)
    {
        lock (_gate)
        {
            if (_over)
            {
                return false;
            }

            try
            {
                start(entity.On(input, now(), _random).AfterCommit);
            }
            catch (Exception e)
            {
                // A mistake in a decision costs the warm start; the task's own actor holds it, if it comes there again.
                _over = true;
                giveUp(entity);
                _ready.TrySetException(e);
                return true;
            }

            if (entity.IsWarm || !entity.TakesSlots)
            {
                _ready.TrySetResult();
            }

            return true;
        }
    }

    /// <summary>Gives the task with its run to its actor; null when the run is over.</summary>
    public TaskEntity? Give()
    {
        lock (_gate)
        {
            bool there = !_over && entity.TakesSlots;
            _over = true;
            _ready.TrySetResult();
            return there ? entity : null;
        }
    }

    /// <summary>Ends the run: the task goes elsewhere.</summary>
    public void End()
    {
        lock (_gate)
        {
            if (!_over)
            {
                _over = true;
                giveUp(entity);
                _ready.TrySetResult();
            }
        }
    }
}
