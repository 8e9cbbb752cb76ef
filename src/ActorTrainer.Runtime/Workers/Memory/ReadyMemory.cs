using ActorTrainer.Checkpoints;
using ActorTrainer.Training.Storage;

namespace ActorTrainer.Runtime.Workers.Memory;

/// <summary>
/// A piece of memory that was touched in advance, for the state of a task that comes from another node: the first touch costs several times
/// what reading the state from a disk does. Guarded by its owner's lock.
/// </summary>
internal sealed class ReadyMemory : IDisposable
{
    private readonly CancellationTokenSource _over = new();
    private SharedMemory? _area;
    private long _size;

    /// <summary>Bytes that it has, or is to have.</summary>
    public long Length => _area is null ? 0 : _size;

    /// <summary>Ends when what was asked for last is ready.</summary>
    public Task Ready { get; private set; } = Task.CompletedTask;

    /// <summary>Makes so many bytes ready, in the background; 0: none, and what there was is given back.</summary>
    public void Prepare(long size)
    {
        if (size < _size / 2)
        {
            Drop();
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

        _size = size;
        Ready = Task.Factory.StartNew(
            () =>
            {
                using (area)
                {
                    area.Touch(size, _over.Token);
                }
            },
            CancellationToken.None,
            TaskCreationOptions.DenyChildAttach,
            OwnThreads.Background
        );
    }

    /// <summary>Gives it away; null: there is none.</summary>
    public SharedMemory? Take()
    {
        SharedMemory? area = _area;
        (_area, _size) = (null, 0);
        return area;
    }

    public void Dispose()
    {
        _over.Cancel();
        _over.Dispose();
        Drop();
    }

    private void Drop() => Take()?.Dispose();
}
