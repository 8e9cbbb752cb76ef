using Microsoft.Win32.SafeHandles;

namespace ActorTrainer.Training.Storage;

/// <summary>
/// A piece of memory that worker and node share: a state is copied into it, and training goes on. It is written, not mapped: a copy through
/// the system is as fast as one thread's, and of a new mapping every page costs many times that. One thread writes; another may make room
/// ahead.
/// </summary>
internal sealed class MemoryArea : IDisposable
{
    private const int TouchedAtOnce = 1 << 18;
    private const int ToldAtOnce = 16 << 20;

    private readonly SafeFileHandle _file;
    private readonly long _limit;
    private readonly Lock _ahead = new();

    /// <summary>It is at least so long: nothing is touched before this.</summary>
    private long _length;

    /// <summary>Up to here bytes are written, or about to be. Guarded by the lock.</summary>
    private long _reserved;
    private volatile bool _given;

    private MemoryArea(SafeFileHandle file, long limit) => (_file, _limit) = (file, limit);

    /// <summary>Bytes that were appended since <see cref="Reset"/>.</summary>
    public long Used { get; private set; }

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

    /// <summary>Told how many bytes stand here, as often as that becomes many more; null: nobody is.</summary>
    public Action<long>? Told { get; set; }

    /// <summary>Begins anew.</summary>
    public void Reset() => (Used, Told) = (0, null);

    /// <summary>Whether it has had so many bytes: no longer than it is can be said of a state that is still to be copied.</summary>
    public bool HasRoomFor(long bytes) => RandomAccess.GetLength(_file) >= bytes;

    /// <summary>Copies bytes behind those that are there, and gives their place.</summary>
    /// <exception cref="MemoryAreaFullException">They would be more than the area may have, or than the system has.</exception>
    public long Append(ReadOnlySpan<byte> bytes)
    {
        long offset = Used;
        long end = offset + bytes.Length;
        if (end > _limit)
        {
            throw new MemoryAreaFullException($"of which its part of the memory for states is {_limit} bytes");
        }

        if (end > Volatile.Read(ref _length))
        {
            lock (_ahead)
            {
                _reserved = end;
            }
        }

        while (bytes.Length > 0)
        {
            ReadOnlySpan<byte> part = Told is null ? bytes : bytes[..Math.Min(bytes.Length, ToldAtOnce)];
            bytes = bytes[part.Length..];
            try
            {
                RandomAccess.Write(_file, part, Used);
            }
            catch (IOException problem)
            {
                throw new MemoryAreaFullException(problem.Message);
            }

            Used += part.Length;
            Told?.Invoke(Used);
        }

        return offset;
    }

    /// <summary>
    /// Has the system find memory for the next state: what was never touched before costs many times the copy. Changes no byte of a state.
    /// </summary>
    public void Touch(long size, CancellationToken cancellationToken)
    {
        byte[] nothing = new byte[TouchedAtOnce];
        long end = Math.Min(size, _limit);
        try
        {
            while (!cancellationToken.IsCancellationRequested)
            {
                lock (_ahead)
                {
                    // What is behind its end was never touched, and the thread that trains writes nothing there without saying so.
                    long at = Math.Max(_reserved, RandomAccess.GetLength(_file));
                    if (at >= end || _given)
                    {
                        return;
                    }

                    int count = (int)Math.Min(TouchedAtOnce, end - at);
                    RandomAccess.Write(_file, nothing.AsSpan(0, count), at);
                    Volatile.Write(ref _length, at + count);
                }
            }
        }
        catch (Exception problem) when (problem is IOException or ObjectDisposedException)
        {
            // There is no more memory to have, which the next state will find too; or the worker ends.
        }
    }

    /// <summary>
    /// Has <see cref="Touch"/> end, since another is to write here without saying so. False: it is at it at this moment, and a thread that
    /// has little of the processor is not waited for.
    /// </summary>
    public bool TryGive()
    {
        _given = true;
        if (!_ahead.TryEnter())
        {
            return false;
        }

        _ahead.Exit();
        return true;
    }

    public void Dispose() => _file.Dispose();
}

/// <summary>A state does not fit into the memory that it may have; it goes through files.</summary>
internal sealed class MemoryAreaFullException(string problem) : IOException($"the state does not fit into memory, {problem}.");
