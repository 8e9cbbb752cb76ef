using ActorTrainer.Checkpoints;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Tasks;
using ActorTrainer.Training.Protocol;

namespace ActorTrainer.Runtime.Workers.Memory;

/// <summary>The memory for states of a node: each task that runs here has a part of it. Callable from any thread.</summary>
/// <param name="budget">How much it may be, in bytes; 0: none, states go through files.</param>
/// <param name="time">Dates states.</param>
/// <param name="isShort">Whether the machine needs memory back; null: <see cref="MachineMemory.IsShort"/>.</param>
internal sealed class StateMemory(long budget, TimeProvider time, Func<bool>? isShort = null) : IDisposable
{
    /// <summary>A run that failed starts again within seconds; one that went elsewhere does not come back for this.</summary>
    public static readonly TimeSpan KeptFor = TimeSpan.FromMinutes(2);

    /// <summary>What is given back to a machine that is short of memory is not taken again at the next look.</summary>
    public static readonly TimeSpan NothingReadyFor = TimeSpan.FromMinutes(10);

    private readonly Dictionary<TaskId, TaskMemory> _tasks = [];

    /// <summary>Tasks without a run, each with the timer that gives its memory back.</summary>
    private readonly Dictionary<TaskId, ITimer> _ended = [];
    private readonly ReadyMemory _ready = new();
    private readonly Func<bool> _isShort = isShort ?? MachineMemory.IsShort;
    private readonly Lock _lock = new();
    private DateTimeOffset _shortUntil;
    private bool _disposed;

    /// <summary>How much it is at this moment, in bytes.</summary>
    public long Length
    {
        get
        {
            lock (_lock)
            {
                return OthersThan(null);
            }
        }
    }

    /// <summary>
    /// Has memory ready for a state that may come from another node, if half of what there may be is not needed for it. When the machine is
    /// short of memory, this is given back, and then what was kept of runs that ended.
    /// </summary>
    /// <param name="bytes">How large it may be; 0: none comes.</param>
    /// <returns>Ends when it is ready.</returns>
    public Task Expect(long bytes)
    {
        lock (_lock)
        {
            if (_disposed)
            {
                return Task.CompletedTask;
            }

            if (_isShort())
            {
                if (_ready.Length == 0)
                {
                    DropEnded();
                }

                _shortUntil = time.GetUtcNow() + NothingReadyFor;
            }

            bool scarce = time.GetUtcNow() < _shortUntil;

            // Its files begin at round places.
            long size = bytes + (bytes / 64);
            bool fits = size <= budget / TaskMemory.Areas && OthersThan(null) - _ready.Length + size <= budget / 2;
            _ready.Prepare(fits && !scarce ? size : 0);
            return _ready.Ready;
        }
    }

    /// <summary>What a run's worker may stage in; null: nothing.</summary>
    public StagingMemory? Offer(RunKey run)
    {
        lock (_lock)
        {
            return Open(run.Task) is { } memory ? memory.Offer(LimitOf(memory)) : null;
        }
    }

    /// <summary>The areas that a run's worker may not write; null: it has none.</summary>
    public IReadOnlyList<int>? Held(RunKey run)
    {
        lock (_lock)
        {
            return _tasks.GetValueOrDefault(run.Task)?.Held;
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
    public void Stored(RunKey run, string id, CheckpointRef checkpoint)
    {
        lock (_lock)
        {
            _tasks.GetValueOrDefault(run.Task)?.Stored(run, id, checkpoint);
        }
    }

    /// <summary>Whether a run can begin with a checkpoint that stands here since it was saved; it is compared with what was.</summary>
    /// <exception cref="CheckpointStoreException">It cannot be read.</exception>
    public bool TryRestore(RunKey run, CheckpointRef checkpoint, CancellationToken cancellationToken)
    {
        MemorySource? state;
        lock (_lock)
        {
            TaskMemory? memory = _tasks.GetValueOrDefault(run.Task);
            memory?.Forget(run);
            state = memory?.Committed(checkpoint.Name, checkpoint.ManifestSha256);
            if (state is null)
            {
                return false;
            }

            // From here on the memory is not given back before this run ends.
            ComesBack(run.Task);
        }

        if (!state.IsAsSaved(cancellationToken))
        {
            return false;
        }

        lock (_lock)
        {
            return _tasks.GetValueOrDefault(run.Task)?.Restore(run, state) == true;
        }
    }

    /// <summary>
    /// Reads a checkpoint from the store into memory, for a run to begin with. False: there is no room, or it cannot be read so; what the
    /// store says of it then is to be heard when it is restored into files.
    /// </summary>
    public async Task<bool> TryFillAsync(RunKey run, CheckpointRef checkpoint, ICheckpointStore store, CancellationToken cancellationToken)
    {
        TaskMemory? memory;
        SharedMemory? area;
        FilledMemory? former = null;
        long limit;
        lock (_lock)
        {
            memory = Open(run.Task);
            limit = memory is null ? 0 : LimitOf(memory);
            area = checkpoint.Bytes <= limit ? memory?.BeginFill(out former) : null;
        }

        if (memory is null || area is null)
        {
            return false;
        }

        FilledMemory? filled = null;
        try
        {
            using ICheckpointContent content = await store.OpenAsync(run.Task, checkpoint, cancellationToken);
            filled = MemoryRestore.Fill(content, area, former, limit, time.GetUtcNow(), cancellationToken);
        }
        catch (Exception e) when (e is CheckpointDamagedException or CheckpointStoreException or IOException or UnauthorizedAccessException)
        {
            // A damaged chunk, perhaps, of which a tiered store has another copy; or the system has no memory to give.
        }
        finally
        {
            lock (_lock)
            {
                memory.EndFill(run, checkpoint, filled);
            }
        }

        return filled is not null;
    }

    /// <summary>Where a run's worker finds the state that it begins with; null: in no memory.</summary>
    public MemoryState? Restored(RunKey run)
    {
        lock (_lock)
        {
            return _tasks.GetValueOrDefault(run.Task)?.Restored(run);
        }
    }

    /// <summary>Writes the state that a run begins with into a folder, if it stands here.</summary>
    /// <exception cref="IOException">It could not be written.</exception>
    public void WriteRestored(RunKey run, string folder)
    {
        MemorySource? state;
        lock (_lock)
        {
            state = _tasks.GetValueOrDefault(run.Task)?.RestoredSource(run);
        }

        state?.WriteTo(folder);
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

            return memory.Release(run, id);
        }
    }

    /// <summary>A run has ended. The next one may come at once and find its state here; if none does, the memory is given back.</summary>
    public void End(RunKey run)
    {
        lock (_lock)
        {
            if (_tasks.ContainsKey(run.Task) && !_ended.ContainsKey(run.Task))
            {
                _ended.Add(run.Task, time.CreateTimer(_ => GiveBack(run.Task), null, KeptFor, KeptFor));
            }
        }
    }

    public void Dispose()
    {
        lock (_lock)
        {
            _disposed = true;
            _ready.Dispose();
            foreach ((TaskId task, TaskMemory memory) in _tasks.ToArray())
            {
                Drop(task, memory);
            }
        }
    }

    /// <summary>The memory of a task that has a run, or is about to; null: there is none to have.</summary>
    private TaskMemory? Open(TaskId task)
    {
        ComesBack(task);
        if (!_tasks.TryGetValue(task, out TaskMemory? memory))
        {
            if (budget <= 0 || TaskMemory.TryCreate(_ready.Take()) is not { } made)
            {
                return null;
            }

            memory = made;
            _tasks.Add(task, memory);
        }

        if (OthersThan(memory) > budget / 2)
        {
            _ready.Prepare(0);
            DropEnded();
        }

        return memory;
    }

    private void DropEnded()
    {
        foreach ((TaskId ended, TaskMemory kept) in _tasks.Where(kept => _ended.ContainsKey(kept.Key) && !kept.Value.IsNeeded).ToArray())
        {
            Drop(ended, kept);
        }
    }

    /// <summary>How large an area of it may become, in bytes.</summary>
    private long LimitOf(TaskMemory memory) => Math.Max(0, budget - OthersThan(memory)) / TaskMemory.Areas;

    private void GiveBack(TaskId task)
    {
        lock (_lock)
        {
            // What waits to be stored is looked at again.
            if (_ended.ContainsKey(task) && _tasks.TryGetValue(task, out TaskMemory? memory) && !memory.IsNeeded)
            {
                Drop(task, memory);
            }
        }
    }

    private void ComesBack(TaskId task)
    {
        if (_ended.Remove(task, out ITimer? timer))
        {
            timer.Dispose();
        }
    }

    private void Drop(TaskId task, TaskMemory memory)
    {
        ComesBack(task);
        _ = _tasks.Remove(task);
        memory.Dispose();
    }

    private long OthersThan(TaskMemory? memory) => _ready.Length + _tasks.Values.Sum(task => task == memory ? 0 : task.Length);
}
