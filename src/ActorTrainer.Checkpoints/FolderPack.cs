using Microsoft.Win32.SafeHandles;

namespace ActorTrainer.Checkpoints;

/// <summary>A pack in a folder that is open for reading.</summary>
internal sealed class FolderPack : IPackSource
{
    private readonly SafeFileHandle _file;

    /// <summary>The same file, read past what the system keeps in memory of files; null: it has it there, or the file is small.</summary>
    private readonly SafeFileHandle? _direct;
    private volatile bool _pastCache;

    private FolderPack(SafeFileHandle file, SafeFileHandle? direct) => (_file, _direct) = (file, direct);

    /// <exception cref="IOException">It cannot be opened; <see cref="FileNotFoundException"/>: it is not there.</exception>
    public static FolderPack Open(string path, long directFrom = DirectAccess.From)
    {
        SafeFileHandle file = OpenForReading(path);
        bool direct = OperatingSystem.IsLinux() && RandomAccess.GetLength(file) >= directFrom && !DirectAccess.IsCached(file);
        return new FolderPack(file, direct ? TryOpenDirect(path) : null);
    }

    public void BypassCache() => _pastCache = true;

    public int Read(long offset, Memory<byte> target, CancellationToken cancellationToken)
    {
        if (_pastCache)
        {
            PageCache.Forget(_file, offset, target.Length);
            int read = RandomAccess.Read(_file, target.Span, offset);
            PageCache.Forget(_file, offset, target.Length);
            return read;
        }

        return _direct is null ? RandomAccess.Read(_file, target.Span, offset) : ReadDirect(target.Span, offset);
    }

    public void Dispose()
    {
        _file.Dispose();
        _direct?.Dispose();
    }

    // No share mode: packs are never written again, and an unlink of a condemned one may come at any time.
    private static SafeFileHandle OpenForReading(string path) =>
        File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);

    private static SafeFileHandle? TryOpenDirect(string path)
    {
        SafeFileHandle? file = null;
        try
        {
            file = OpenForReading(path);
            using AlignedMemory memory = new();
            if (DirectAccess.TryTurnOn(file) && RandomAccess.Read(file, memory.Bytes[..AlignedMemory.Alignment], 0) > 0)
            {
                return file;
            }
        }
        catch (Exception e) when (StoreErrors.IsFromSystem(e))
        {
            // It was unlinked since, or this disk does not do it; either way it is open already.
        }

        file?.Dispose();
        return null;
    }

    private int ReadDirect(Span<byte> target, long offset)
    {
        using AlignedMemory memory = new();
        int before = (int)(offset % AlignedMemory.Alignment);
        long wanted = (before + (long)target.Length + AlignedMemory.Alignment - 1) / AlignedMemory.Alignment * AlignedMemory.Alignment;
        Span<byte> bytes = memory.Bytes[..(int)Math.Min(wanted, AlignedMemory.Size)];
        int count = Math.Clamp(RandomAccess.Read(_direct!, bytes, offset - before) - before, 0, target.Length);
        bytes.Slice(before, count).CopyTo(target);
        return count;
    }
}
