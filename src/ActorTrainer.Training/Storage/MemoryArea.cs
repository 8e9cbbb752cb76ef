using System.IO.MemoryMappedFiles;
using Microsoft.Win32.SafeHandles;

namespace ActorTrainer.Training.Storage;

/// <summary>
/// A piece of memory that worker and node share, mapped for the worker's life: a state is copied into it, and training goes on. One thread
/// writes; another may touch pages ahead.
/// </summary>
internal sealed unsafe class MemoryArea : IDisposable
{
    private const long Step = 16L << 20;
    private const long PageSize = 4096;
    private const long TouchedAtOnce = 4L << 20;

    private readonly SafeFileHandle _file;
    private readonly long _limit;
    private readonly Lock _mapping = new();

    /// <summary>The newest one is the longest. Those before it are still written through by a copy that began before.</summary>
    private readonly Stack<MemoryMappedViewAccessor> _views = [];
    private volatile byte* _start;
    private long _capacity;
    private long _touched;
    private bool _disposed;

    private MemoryArea(SafeFileHandle file, long limit)
    {
        _file = file;
        _limit = limit;
        long length = RandomAccess.GetLength(file);
        if (length > 0)
        {
            Map(length);
        }
    }

    /// <summary>Bytes that were appended since <see cref="Reset"/>.</summary>
    public long Used { get; private set; }

    /// <summary>Opens an area; null when this system cannot, and the state goes through files.</summary>
    /// <param name="path">As the node names it.</param>
    /// <param name="limit">The most bytes that it may have.</param>
    public static MemoryArea? TryOpen(string path, long limit)
    {
        SafeFileHandle? file = null;
        try
        {
            file = File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
            return new MemoryArea(file, limit);
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException or OutOfMemoryException)
        {
            // Another process namespace, perhaps: the node's descriptors are not to be seen from there.
            file?.Dispose();
            return null;
        }
    }

    /// <summary>Begins anew.</summary>
    public void Reset()
    {
        Used = 0;
        lock (_mapping)
        {
            UnmapBut(_views.TryPeek(out MemoryMappedViewAccessor? newest) ? newest : null);
        }
    }

    /// <summary>Copies bytes behind those that are there, and gives their place.</summary>
    /// <exception cref="MemoryAreaFullException">They would be more than the area may have.</exception>
    public long Append(ReadOnlySpan<byte> bytes)
    {
        long offset = Used;
        Reserve(offset + bytes.Length);
        fixed (byte* source = bytes)
        {
            byte* from = source;
            ManyThreads.Do(
                new Span<byte>(_start + offset, bytes.Length),
                (part, at) => new ReadOnlySpan<byte>(from + at, part.Length).CopyTo(part)
            );
        }

        Used = offset + bytes.Length;
        _touched = Math.Max(_touched, Used);
        return offset;
    }

    /// <summary>
    /// Touches pages that the next state will need: memory that was never touched before costs many times the copy. Changes no byte.
    /// </summary>
    public void Touch(long size, CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            lock (_mapping)
            {
                long from = Math.Max(_touched, Used);
                long to = Math.Min(size, from + TouchedAtOnce);
                if (_disposed || from >= to)
                {
                    return;
                }

                if (to > _capacity && !TryGrow(to))
                {
                    return;
                }

                for (long at = from / PageSize * PageSize; at < to; at += PageSize)
                {
                    // The thread that trains may write here at this moment.
                    _ = Interlocked.Or(ref *(int*)(_start + at), 0);
                }

                _touched = Math.Max(_touched, to);
            }
        }
    }

    public void Dispose()
    {
        lock (_mapping)
        {
            _disposed = true;
            UnmapBut(null);
            _capacity = 0;
            _file.Dispose();
        }
    }

    private void Reserve(long size)
    {
        if (size <= Volatile.Read(ref _capacity))
        {
            return;
        }

        lock (_mapping)
        {
            if (!TryGrow(size))
            {
                throw new MemoryAreaFullException(size, _limit);
            }
        }
    }

    private bool TryGrow(long size)
    {
        long rounded = (Math.Max(size, _capacity + (_capacity / 2)) + Step - 1) / Step * Step;
        long capacity = Math.Min(rounded, Math.Max(_limit, 0));
        if (capacity < size)
        {
            return false;
        }

        try
        {
            // The node may have read a checkpoint into it; it never shrinks.
            if (RandomAccess.GetLength(_file) is var length && length >= capacity)
            {
                capacity = length;
            }
            else
            {
                RandomAccess.SetLength(_file, capacity);
            }

            Map(capacity);
            return true;
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException or OutOfMemoryException)
        {
            return false;
        }
    }

    /// <summary>Whoever sees the capacity sees a beginning that has it.</summary>
    private void Map(long capacity)
    {
        using MemoryMappedFile mapped = MemoryMappedFile.CreateFromFile(
            _file,
            null,
            capacity,
            MemoryMappedFileAccess.ReadWrite,
            HandleInheritability.None,
            leaveOpen: true
        );
        MemoryMappedViewAccessor view = mapped.CreateViewAccessor(0, capacity);
        byte* start = null;
        view.SafeMemoryMappedViewHandle.AcquirePointer(ref start);
        _views.Push(view);
        _start = start;
        Volatile.Write(ref _capacity, capacity);
    }

    private void UnmapBut(MemoryMappedViewAccessor? kept)
    {
        while (_views.TryPop(out MemoryMappedViewAccessor? view))
        {
            if (view != kept)
            {
                view.SafeMemoryMappedViewHandle.ReleasePointer();
                view.Dispose();
            }
        }

        if (kept is not null)
        {
            _views.Push(kept);
        }
    }
}

/// <summary>A state is larger than the memory that it may have; it goes through files.</summary>
internal sealed class MemoryAreaFullException(long size, long limit)
    : IOException($"the state has more than {limit} bytes, of which its part of the memory for states is ({size} are needed).");
