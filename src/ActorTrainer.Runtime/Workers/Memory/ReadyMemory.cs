using ActorTrainer.Checkpoints;
using ActorTrainer.Training.Storage;

namespace ActorTrainer.Runtime.Workers.Memory;

/// <summary>
/// A piece of memory that was touched in advance, for the state of a task that comes from another node: the first touch costs several times
/// what reading the state from a disk does. Guarded by its owner's lock.
/// </summary>
internal sealed class ReadyMemory : IDisposable
{
    private SharedMemory? _area;
    private CancellationTokenSource _touching = new();
    private long _size;

    /// <summary>Bytes that it has by now.</summary>
    public long Length => _area?.Length ?? 0;

    /// <summary>Ends when what was asked for last is ready.</summary>
    public Task Ready { get; private set; } = Task.CompletedTask;

    /// <summary>Makes so many bytes ready, in the background; 0: none, and what there was is given back.</summary>
    public void Prepare(long size)
    {
        if (size < _size / 2)
        {
            Dispose();
        }

        if (size <= _size)
        {
            return;
        }

        _area ??= SharedMemory.TryCreate();
        if (_area is null || MemoryArea.TryOpen(_area.Path, size) is not { } area)
        {
            return;
        }

        CancellationToken given = BeginAnew();
        _size = size;
        Ready = Task.Factory.StartNew(
            () =>
            {
                using (area)
                {
                    area.Touch(size, given);
                }
            },
            CancellationToken.None,
            TaskCreationOptions.DenyChildAttach,
            OwnThreads.Background
        );
    }

    /// <summary>Gives it away, as much as is ready of it; null: there is none.</summary>
    public SharedMemory? Take()
    {
        SharedMemory? area = _area;
        _ = BeginAnew();
        (_area, _size) = (null, 0);
        return area;
    }

    public void Dispose() => Take()?.Dispose();

    /// <summary>Ends the touching of what there was.</summary>
    private CancellationToken BeginAnew()
    {
        _touching.Cancel();
        _touching.Dispose();
        _touching = new CancellationTokenSource();
        return _touching.Token;
    }
}
