using Microsoft.Win32.SafeHandles;

namespace ActorTrainer.Checkpoints;

/// <summary>A large file that is written to the disk itself, a few pieces at once.</summary>
internal sealed class DirectFile : IDiskFile
{
    /// <summary>One is filled while the others are written, or wait while the disk is busy with a sync.</summary>
    private const int Pieces = 8;

    /// <summary>So many are on their way at once, one of them a sync.</summary>
    private const int AtOnce = 4;

    /// <summary>
    /// The sync of so much is begun while what follows is written: a disk with memory of its own, as that of a virtual machine, takes bytes
    /// faster than it makes them durable, and would begin with that when all are there.
    /// </summary>
    private const long SyncedAtOnce = 64L << 20;

    private readonly SafeFileHandle _file;
    private readonly Piece[] _pieces = [.. Enumerable.Range(0, Pieces).Select(_ => new Piece())];
    private StandingThreads? _threads;
    private int _current;
    private long _end;
    private long _syncFrom = SyncedAtOnce;
    private Task _sync = Task.CompletedTask;

    private DirectFile(SafeFileHandle file) => _file = file;

    public long Length => RandomAccess.GetLength(_file);

    private StandingThreads Threads => _threads ??= new StandingThreads(AtOnce);

    /// <summary>Takes an empty file over; null where it is better, or only possible, to write it as any other.</summary>
    public static DirectFile? TryTake(SafeFileHandle file)
    {
        if (!DirectAccess.TryTurnOn(file))
        {
            return null;
        }

        DirectFile direct = new(file);
        if (direct.TryFirstBlock())
        {
            return direct;
        }

        direct.GiveBack();
        DirectAccess.TurnOff(file);
        return null;
    }

    public void Append(ReadOnlySpan<byte> bytes)
    {
        while (bytes.Length > 0)
        {
            Piece piece = _pieces[_current];
            int count = Math.Min(bytes.Length, AlignedMemory.Size - piece.Length);
            bytes[..count].CopyTo(piece.Bytes[piece.Length..]);
            piece.Length += count;
            _end += count;
            bytes = bytes[count..];
            if (piece.Length == AlignedMemory.Size)
            {
                piece.Begin(Threads, _file, _end - AlignedMemory.Size);
                _current = (_current + 1) % Pieces;
                _pieces[_current].Complete();
                BeginSync();
            }
        }
    }

    public void Sync()
    {
        Piece last = _pieces[_current];
        if (last.Length > 0)
        {
            int padded = (last.Length + AlignedMemory.Alignment - 1) / AlignedMemory.Alignment * AlignedMemory.Alignment;
            last.Bytes[last.Length..padded].Clear();
            RandomAccess.Write(_file, last.Bytes[..padded], _end - last.Length);
        }

        Array.ForEach(_pieces, piece => piece.Complete());

        // An error is told to one sync, not to the next one too.
        _sync.GetAwaiter().GetResult();
        if (Length < _end)
        {
            throw new IOException($"it has {Length} bytes after writing {_end}");
        }

        RandomAccess.SetLength(_file, _end);
        RandomAccess.FlushToDisk(_file);
    }

    public void Dispose()
    {
        GiveBack();

        // Of one that is given up: its bytes are wanted no more, its handle is in use until then.
        _ = Task.WaitAny(_sync);
        Interlocked.Exchange(ref _threads, null)?.Dispose();
        _file.Dispose();
    }

    private void BeginSync()
    {
        if (_end < _syncFrom || !_sync.IsCompletedSuccessfully)
        {
            return;
        }

        _syncFrom = _end + SyncedAtOnce;
        _sync = Threads.Begin(() => RandomAccess.FlushToDisk(_file));
    }

    private void GiveBack() => Array.ForEach(_pieces, piece => piece.Dispose());

    /// <summary>Whether this file system does it at all. The block is written again with what the file begins with.</summary>
    private bool TryFirstBlock()
    {
        try
        {
            Span<byte> block = _pieces[0].Bytes[..AlignedMemory.Alignment];
            block.Clear();
            RandomAccess.Write(_file, block, 0);
            return true;
        }
        catch (Exception e) when (StoreErrors.IsFromSystem(e))
        {
            return false;
        }
    }

    /// <summary>A part of the file that is filled, or on its way to the disk.</summary>
    private sealed class Piece : IDisposable
    {
        private readonly AlignedMemory _memory = new();
        private Task? _write;

        public int Length { get; set; }

        public Span<byte> Bytes => _memory.Bytes;

        public void Begin(StandingThreads threads, SafeFileHandle file, long offset) =>
            _write = threads.Begin(() => RandomAccess.Write(file, Bytes, offset));

        /// <summary>Waits until it is written, if it is on its way; it is empty then.</summary>
        public void Complete()
        {
            Task? write = _write;
            _write = null;
            if (write is not null)
            {
                Length = 0;
                write.GetAwaiter().GetResult();
            }
        }

        public void Dispose()
        {
            try
            {
                Complete();
            }
            catch (Exception e) when (StoreErrors.IsFromSystem(e))
            {
                // Nobody wants to know any more. But the memory is the next file's only once the system is through with it.
            }

            _memory.Dispose();
        }
    }
}
