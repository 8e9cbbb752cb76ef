using ActorTrainer.Checkpoints;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Tasks;
using ActorTrainer.Training.Protocol;

namespace ActorTrainer.Runtime.Workers.Memory;

/// <summary>The memory for states of a node: each task that runs here has a part of it. Callable from any thread.</summary>
/// <param name="budget">How much it may be, in bytes; 0: none, states go through files.</param>
/// <param name="time">Dates states.</param>
internal sealed class StateMemory(long budget, TimeProvider time) : IDisposable
{
    private readonly Dictionary<TaskId, TaskMemory> _tasks = [];
    private readonly HashSet<TaskId> _ended = [];
    private readonly Lock _lock = new();

    /// <summary>What a run's worker may stage in; null: nothing.</summary>
    public StagingMemory? Offer(RunKey run)
    {
        lock (_lock)
        {
            _ = _ended.Remove(run.Task);
            if (!_tasks.TryGetValue(run.Task, out TaskMemory? memory))
            {
                if (budget <= 0 || TaskMemory.TryCreate() is not { } made)
                {
                    return null;
                }

                memory = made;
                _tasks.Add(run.Task, memory);
            }

            long others = _tasks.Values.Sum(task => task == memory ? 0 : task.Length);
            return memory.Offer(Math.Max(0, budget - others) / TaskMemory.Areas);
        }
    }

    /// <summary>A worker has staged a state in memory.</summary>
    /// <returns>Why it cannot be one, as the end of a sentence; null: it can.</returns>
    public string? Stage(RunKey run, StagedMessage staged)
    {
        lock (_lock)
        {
            return _tasks.TryGetValue(run.Task, out TaskMemory? memory)
                ? memory.Stage(run, staged.Id, staged.Area ?? 0, staged.Files ?? [], time.GetUtcNow())
                : "stands in memory that was not offered";
        }
    }

    /// <summary>Where a staged state is; null: in no memory.</summary>
    public StateSource? Source(RunKey run, string id)
    {
        lock (_lock)
        {
            return _tasks.GetValueOrDefault(run.Task)?.Source(run, id);
        }
    }

    /// <summary>A staged state was stored.</summary>
    public void Stored(RunKey run, string id)
    {
        lock (_lock)
        {
            _tasks.GetValueOrDefault(run.Task)?.Stored(run, id);
        }
    }

    /// <summary>A staged state is committed or given up.</summary>
    /// <returns>The area that its task's worker may write from now on; null: none.</returns>
    public int? Release(RunKey run, string id)
    {
        lock (_lock)
        {
            if (!_tasks.TryGetValue(run.Task, out TaskMemory? memory))
            {
                return null;
            }

            int? free = memory.Release(run, id);
            DropIfEnded(run.Task, memory);
            return free;
        }
    }

    /// <summary>A run has ended; its memory goes when nothing of it waits to be stored.</summary>
    public void End(RunKey run)
    {
        lock (_lock)
        {
            if (_tasks.TryGetValue(run.Task, out TaskMemory? memory))
            {
                _ = _ended.Add(run.Task);
                DropIfEnded(run.Task, memory);
            }
        }
    }

    public void Dispose()
    {
        lock (_lock)
        {
            foreach (TaskMemory memory in _tasks.Values)
            {
                memory.Dispose();
            }

            _tasks.Clear();
        }
    }

    private void DropIfEnded(TaskId task, TaskMemory memory)
    {
        if (!memory.IsNeeded && _ended.Remove(task))
        {
            _ = _tasks.Remove(task);
            memory.Dispose();
        }
    }
}
