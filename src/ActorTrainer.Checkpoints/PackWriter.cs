using Microsoft.Win32.SafeHandles;

namespace ActorTrainer.Checkpoints;

/// <summary>The one sequential writer of a save's pack. The file comes into being with its first chunk.</summary>
internal sealed class PackWriter(string path) : IDisposable
{
    // Often enough that the disk is never idle, seldom enough that it gets large pieces.
    private const int WritebackEvery = 16 * 1024 * 1024;

    private long _writtenBack;
    private SafeFileHandle? _handle;

    /// <summary>Bytes written so far; 0: this writer made no file.</summary>
    public long Length { get; private set; }

    /// <summary>Appends a record and returns where it begins.</summary>
    public long Append(ReadOnlyMemory<byte> record)
    {
        if (_handle is null)
        {
            // Names are never used again: a file that is there already is somebody else's.
            _handle = File.OpenHandle(path, FileMode.CreateNew, FileAccess.Write, FileShare.Read);
            Length = PackFormat.FileHeaderSize;
            RandomAccess.Write(_handle, PackFormat.FileHeader, 0);
        }

        long offset = Length;
        RandomAccess.Write(_handle, record.Span, offset);
        Length = offset + record.Length;
        if (Length - _writtenBack >= WritebackEvery)
        {
            // Otherwise all of it would wait for the sync at the end, and the disk would do nothing until then.
            Writeback.Start(_handle, _writtenBack, Length - _writtenBack);
            _writtenBack = Length;
        }

        return offset;
    }

    /// <summary>Syncs and checks the length.</summary>
    public void Finish()
    {
        if (_handle is null)
        {
            return;
        }

        RandomAccess.FlushToDisk(_handle);
        long length = RandomAccess.GetLength(_handle);
        if (length != Length)
        {
            throw new IOException($"it has {length} bytes after writing {Length}");
        }

        _handle.Dispose();
    }

    public void Dispose() => _handle?.Dispose();
}
