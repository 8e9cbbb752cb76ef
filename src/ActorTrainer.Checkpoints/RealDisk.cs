using Microsoft.Win32.SafeHandles;

namespace ActorTrainer.Checkpoints;

/// <summary>The disk itself.</summary>
internal sealed class RealDisk : IDisk
{
    public static RealDisk Instance { get; } = new();

    // Names are never used again: a file that is there already is somebody else's.
    public IDiskFile Create(string path, long expected = 0)
    {
        SafeFileHandle handle = File.OpenHandle(path, FileMode.CreateNew, FileAccess.Write, FileShare.Read);
        return expected >= DirectAccess.From && DirectFile.TryTake(handle) is { } direct ? direct : new RealFile(handle);
    }

    public void Rename(string from, string to, bool overwrite) => File.Move(from, to, overwrite);

    public bool TryLink(string existing, string name) => HardLink.TryCreate(existing, name);

    public void Unlink(string path) => File.Delete(path);

    public void MakeFolder(string path) => Directory.CreateDirectory(path);

    public void SyncFolder(string path) => DirectorySync.Sync(path);

    private sealed class RealFile(SafeFileHandle handle) : IDiskFile
    {
        // Often enough that the disk is never idle, seldom enough that it gets large pieces.
        private const int WritebackEvery = 16 * 1024 * 1024;

        private long _end;
        private long _writtenBack;

        public long Length => RandomAccess.GetLength(handle);

        public void Append(ReadOnlySpan<byte> bytes)
        {
            RandomAccess.Write(handle, bytes, _end);
            _end += bytes.Length;
            if (_end - _writtenBack >= WritebackEvery)
            {
                // Otherwise all of it would wait for the sync at the end, and the disk would do nothing until then.
                Writeback.Start(handle, _writtenBack, _end - _writtenBack);
                _writtenBack = _end;
            }
        }

        public void Sync() => RandomAccess.FlushToDisk(handle);

        public void Dispose() => handle.Dispose();
    }
}
