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
    private MemoryArea? _touched;
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

        _touched?.Give();
        (_touched, _size) = (area, size);
        Ready = Task.Factory.StartNew(
            () =>
            {
                using (area)
                {
                    area.Touch(size, CancellationToken.None);
                }
            },
            CancellationToken.None,
            TaskCreationOptions.DenyChildAttach,
            OwnThreads.Background
        );
    }

    /// <summary>Gives it away; null: there is none. What was not touched by now is not any more: a state may stand there.</summary>
    public SharedMemory? Take()
    {
        SharedMemory? area = _area;
        _touched?.Give();
        (_area, _touched, _size) = (null, null, 0);
        return area;
    }

    public void Dispose() => Take()?.Dispose();
}
