using System.Diagnostics.CodeAnalysis;
using System.IO.Hashing;
using Microsoft.Win32.SafeHandles;

namespace ActorTrainer.Checkpoints;

/// <summary>One file or link of a state that is saved.</summary>
internal abstract class StateFile
{
    /// <summary>Its relative path with <c>/</c>.</summary>
    public abstract string Path { get; }

    /// <summary>Bytes to be stored; 0 for a link.</summary>
    public abstract long Length { get; }

    /// <summary>Unix permission bits.</summary>
    public abstract int Mode { get; }

    public abstract DateTimeOffset Modified { get; }

    /// <summary>For a symbolic link where it leads; null for a file.</summary>
    public virtual string? Link => null;

    /// <summary>Opens it to be read from several threads.</summary>
    public abstract IStateReader Open();

    /// <summary>A chunk of it, of which this is the <see cref="XxHash128"/>, was read to be saved. Callable from several threads.</summary>
    public virtual void Saved(int index, int chunkSize, UInt128 sum) { }

    /// <summary>
    /// Reads what stood at the same place in the state that was stored before, from memory: it may be written again at any time. Callable
    /// from several threads. Default: it is in no memory.
    /// </summary>
    /// <returns>Whether it could be read.</returns>
    public virtual bool TryReadFormer(Span<byte> target, long offset) => false;

    /// <summary>Throws when it was changed since it was listed.</summary>
    public virtual void RequireUnchanged() { }
}

/// <summary>An open file of a state.</summary>
internal interface IStateReader : IDisposable
{
    /// <summary>Fills the target from an offset on.</summary>
    /// <exception cref="CheckpointStoreException">The file is shorter now, or cannot be read.</exception>
    void Read(Span<byte> target, long offset);
}

/// <summary>A file on disk.</summary>
internal sealed class DiskStateFile(SourceFile file) : StateFile
{
    public override string Path => file.Path;

    public override long Length => file.Length;

    public override int Mode => file.Status.Mode;

    public override DateTimeOffset Modified => file.Status.Modified;

    public override string? Link => file.Link;

    private string FullPath => file.FullPath;

    public static CheckpointStoreException Unreadable(string path, Exception e) =>
        new(
            $"The state to be saved could not be read: {path}: {e.Message.TrimEnd('.')}. "
                + "The trainer has to leave it alone until it is released.",
            e
        )
        {
            IsOfTheState = true,
        };

    public override IStateReader Open()
    {
        try
        {
            return new Reader(
                this,
                File.OpenHandle(
                    file.FullPath,
                    FileMode.Open,
                    FileAccess.Read,
                    FileShare.ReadWrite | FileShare.Delete,
                    FileOptions.SequentialScan
                )
            );
        }
        catch (Exception e) when (StoreErrors.IsFromSystem(e))
        {
            throw Unreadable(file.FullPath, e);
        }
    }

    public override void RequireUnchanged()
    {
        FileStatus now;
        try
        {
            now = FileStatus.Read(file.FullPath);
        }
        catch (Exception e) when (StoreErrors.IsFromSystem(e))
        {
            throw Unreadable(file.FullPath, e);
        }

        if (now != file.Status)
        {
            ThrowChanged();
        }
    }

    [DoesNotReturn]
    private void ThrowChanged() =>
        throw new CheckpointStoreException(
            $"'{file.FullPath}' was changed while it was being saved. "
                + "Write a checkpoint's files elsewhere and rename them into place when they are complete."
        )
        {
            IsOfTheState = true,
        };

    private sealed class Reader(DiskStateFile owner, SafeFileHandle handle) : IStateReader
    {
        public void Read(Span<byte> target, long offset)
        {
            while (target.Length > 0)
            {
                int read;
                try
                {
                    read = RandomAccess.Read(handle, target, offset);
                }
                catch (Exception e) when (StoreErrors.IsFromSystem(e))
                {
                    throw Unreadable(owner.FullPath, e);
                }

                if (read == 0)
                {
                    owner.ThrowChanged();
                }

                target = target[read..];
                offset += read;
            }
        }

        public void Dispose() => handle.Dispose();
    }
}

/// <summary>A file in memory.</summary>
/// <param name="memory">The memory, as a file of the system.</param>
/// <param name="file">What stands where.</param>
/// <param name="modified">When the state was taken.</param>
/// <param name="former">The state that was stored before, where it is still in memory.</param>
internal sealed class MemoryStateFile(SafeFileHandle memory, MemoryFile file, DateTimeOffset modified, Func<MemorySource?> former)
    : StateFile,
        IStateReader
{
    private const int DefaultMode = 0b110_100_100;

    private readonly Lock _sizing = new();
    private UInt128[] _sums = [];

    public override string Path => file.Path;

    public override long Length { get; } = file.Length;

    public override int Mode => DefaultMode;

    public override DateTimeOffset Modified => modified;

    /// <summary>Bytes of its chunks but the last one.</summary>
    public int ChunkSize { get; private set; }

    public int Chunks => _sums.Length;

    /// <summary>The checksum of a chunk that was saved.</summary>
    public UInt128 SumOf(int index) => _sums[index];

    /// <summary>Whether it is known what of it was saved.</summary>
    public bool IsSaved => ChunkSize > 0 || Length == 0;

    /// <summary>Whether a chunk has the bytes that were saved.</summary>
    /// <param name="index">Which.</param>
    /// <param name="buffer">So much is read at once: small enough to stay in the processor's cache until it is hashed.</param>
    public bool IsAsSaved(int index, byte[] buffer)
    {
        long at = (long)index * ChunkSize;
        long end = Math.Min(at + ChunkSize, Length);
        XxHash128 sum = new();
        while (at < end)
        {
            Span<byte> part = buffer.AsSpan(0, (int)Math.Min(buffer.Length, end - at));
            Read(part, at);
            sum.Append(part);
            at += part.Length;
        }

        return sum.GetCurrentHashAsUInt128() == _sums[index];
    }

    public override IStateReader Open() => this;

    public override void Saved(int index, int chunkSize, UInt128 sum)
    {
        lock (_sizing)
        {
            if (ChunkSize != chunkSize)
            {
                ChunkSize = chunkSize;
                _sums = new UInt128[(Length + chunkSize - 1) / chunkSize];
            }
        }

        _sums[index] = sum;
    }

    public override bool TryReadFormer(Span<byte> target, long offset)
    {
        if (former()?.Find(Path) is not { } before || before.Length - offset < target.Length)
        {
            return false;
        }

        before.Read(target, offset);
        return true;
    }

    public void Read(Span<byte> target, long offset)
    {
        foreach (MemoryExtent extent in file.Extents)
        {
            if (target.Length == 0)
            {
                return;
            }

            if (offset >= extent.Length)
            {
                offset -= extent.Length;
                continue;
            }

            Span<byte> part = target[..(int)Math.Min(target.Length, extent.Length - offset)];
            ReadPart(part, extent.Offset + offset);
            target = target[part.Length..];
            offset = 0;
        }
    }

    // The memory is the node's own.
    public void Dispose() { }

    private void ReadPart(Span<byte> part, long at)
    {
        while (part.Length > 0)
        {
            int read = RandomAccess.Read(memory, part, at);
            if (read == 0)
            {
                throw new CheckpointStoreException($"The memory in which '{file.Path}' was staged became shorter while it was saved.")
                {
                    IsOfTheState = true,
                };
            }

            part = part[read..];
            at += read;
        }
    }
}
