using Microsoft.Win32.SafeHandles;

namespace ActorTrainer.Training.Storage;

/// <summary>
/// A piece of memory that worker and node share: a state is copied into it, and training goes on. What was touched in advance is copied to
/// through a mapping; the rest is written through the system, which takes more than twice as long, and says when there is no memory. One
/// thread writes; another may touch.
/// </summary>
internal sealed class MemoryArea : IDisposable
{
    private const int TouchedAtOnce = 1 << 18;

    private readonly SafeFileHandle _file;
    private readonly long _limit;
    private readonly SharedMapping? _mapping;

    /// <summary>Up to here the mapping may be copied to.</summary>
    private long _ready;

    private MemoryArea(SafeFileHandle file, long limit) => (_file, _limit, _mapping) = (file, limit, SharedMapping.TryMap(file, limit));

    /// <summary>Bytes that were appended since <see cref="Reset"/>.</summary>
    public long Used { get; private set; }

    /// <summary>Up to where a state is copied, and not written through the system.</summary>
    public long Ready => Volatile.Read(ref _ready);

    /// <summary>Opens an area; null when this system cannot, and the state goes through files.</summary>
    /// <param name="path">As the node names it.</param>
    /// <param name="limit">The most bytes that it may have.</param>
    public static MemoryArea? TryOpen(string path, long limit)
    {
        try
        {
            return new MemoryArea(File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite), limit);
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            // Another process namespace, perhaps: the node's descriptors are not to be seen from there.
            return null;
        }
    }

    /// <summary>Begins anew.</summary>
    public void Reset() => Used = 0;

    /// <summary>Copies bytes behind those that are there, and gives their place.</summary>
    /// <exception cref="MemoryAreaFullException">They would be more than the area may have, or than the system has.</exception>
    public long Append(ReadOnlySpan<byte> bytes)
    {
        long offset = Used;
        if (offset + bytes.Length > _limit)
        {
            throw new MemoryAreaFullException($"of which its part of the memory for states is {_limit} bytes");
        }

        while (bytes.Length > 0)
        {
            int written = Write(bytes);
            bytes = bytes[written..];
            Used += written;
        }

        return offset;
    }

    /// <summary>
    /// Has the system find memory for the next state, by its beginning first: what was never touched before costs many times the copy.
    /// Changes no byte of a state, whoever writes it. Of one thread at a time.
    /// </summary>
    public void Touch(long size, CancellationToken cancellationToken)
    {
        long end = Math.Min(size, _limit);
        try
        {
            for (long at = Ready; at < end && !cancellationToken.IsCancellationRequested; at += TouchedAtOnce)
            {
                long count = Math.Min(TouchedAtOnce, _limit - at);
                if (_mapping?.TryTouch(at, count, out bool ready) != true)
                {
                    // There is no more memory to have, which the next state will find too.
                    return;
                }

                if (ready && at == _ready)
                {
                    Volatile.Write(ref _ready, at + count);
                }
            }
        }
        catch (ObjectDisposedException)
        {
            // The worker ends.
        }
    }

    public void Dispose()
    {
        _mapping?.Dispose();
        _file.Dispose();
    }

    /// <summary>Puts the beginning of some bytes, or all, behind those that are there.</summary>
    private int Write(ReadOnlySpan<byte> bytes)
    {
        if (Ready - Used is > 0 and var ready)
        {
            bytes = bytes[..(int)Math.Min(bytes.Length, ready)];
            _mapping!.Write(bytes, Used);
            return bytes.Length;
        }

        try
        {
            RandomAccess.Write(_file, bytes, Used);
        }
        catch (IOException problem)
        {
            throw new MemoryAreaFullException(problem.Message);
        }

        return bytes.Length;
    }
}

/// <summary>A state does not fit into the memory that it may have; it goes through files.</summary>
internal sealed class MemoryAreaFullException(string problem) : IOException($"the state does not fit into memory, {problem}.");
