using ActorTrainer.Core.Identity;
using Microsoft.Win32.SafeHandles;

namespace ActorTrainer.Checkpoints;

/// <summary>Files of a store below a folder.</summary>
internal sealed class FolderFiles(FolderLayout layout) : IStoreFiles
{
    public int AtOnce => FolderStore.Parallelism;

    public TaskScheduler Threads => TaskScheduler.Default;

    public string PlaceOf(TaskId task) => layout.TaskFolder(task);

    public void RequireStore(CancellationToken cancellationToken) => layout.RequireStore();

    public void Prepare(TaskId task, bool mayCreateStore, CancellationToken cancellationToken) => layout.Prepare(task, mayCreateStore);

    /// <summary>Makes the store of a folder that has none; what is wrong with the folder is said by what is done in it later.</summary>
    public void TryCreateStore()
    {
        try
        {
            layout.PrepareStore(mayCreateStore: true);
        }
        catch (Exception e) when (StoreErrors.IsFromSystem(e))
        {
            // A save says it, with what it was for.
        }
    }

    public long? LengthOf(TaskId task, string file, CancellationToken cancellationToken)
    {
        FileInfo info = new(layout.FilePath(task, file));
        return info.Exists ? info.Length : null;
    }

    public IPackSink CreatePack(TaskId task, string pack, long atMost, CancellationToken cancellationToken) =>
        new Sink(layout.FilePath(task, pack));

    public void SyncPacks(TaskId task) => DirectorySync.Sync(layout.PackFolder(task));

    public IPackSource? OpenPack(TaskId task, string pack, CancellationToken cancellationToken)
    {
        string path = layout.FilePath(task, pack);
        try
        {
            // No share mode: packs are never written again, and an unlink of a condemned one may come at any time.
            return new Source(File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete));
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }

    public byte[]? ReadManifest(TaskId task, string file, CancellationToken cancellationToken)
    {
        try
        {
            return File.ReadAllBytes(layout.FilePath(task, file));
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }

    public void WriteManifest(TaskId task, string file, byte[] bytes, Action<SaveStep>? probe, CancellationToken cancellationToken)
    {
        string path = layout.FilePath(task, file);
        string temporary = path + FolderLayout.TemporarySuffix;
        string? written = null;
        try
        {
            DurableFile.Write(temporary, bytes);
            written = temporary;
            probe?.Invoke(SaveStep.ManifestWritten);
            File.Move(temporary, path);
            written = path;
            probe?.Invoke(SaveStep.ManifestRenamed);
            DirectorySync.Sync(layout.ManifestFolder(task));
            probe?.Invoke(SaveStep.ManifestFolderSynced);
        }
        catch
        {
            TryRemove(written);
            throw;
        }
    }

    public IReadOnlyList<string> List(TaskId task, CancellationToken cancellationToken)
    {
        List<string> files = [];
        foreach (string folder in (string[])[layout.PackFolder(task), layout.ManifestFolder(task)])
        {
            try
            {
                string prefix = Path.GetFileName(folder) + "/";
                files.AddRange(Directory.EnumerateFiles(folder).Select(path => prefix + Path.GetFileName(path)));
            }
            catch (DirectoryNotFoundException)
            {
                // Nothing was saved yet, or the disk is away: either way there is nothing to be condemned.
            }
            catch (Exception e) when (StoreErrors.IsFromSystem(e))
            {
                throw StoreErrors.Describe($"The files of {task} could not be listed", folder, e);
            }
        }

        return files;
    }

    public void Delete(TaskId task, string file, CancellationToken cancellationToken)
    {
        string path = layout.FilePath(task, file);
        try
        {
            File.Delete(path);
        }
        catch (DirectoryNotFoundException)
        {
            // Gone with its folder.
        }
        catch (Exception e) when (StoreErrors.IsFromSystem(e))
        {
            throw StoreErrors.Describe($"Files of {task} could not be removed", path, e);
        }
    }

    public long? Share(TaskId from, string pack, TaskId to, string name, CancellationToken cancellationToken)
    {
        string source = layout.FilePath(from, pack);
        string target = layout.FilePath(to, name);
        if (HardLink.TryCreate(source, target))
        {
            return 0;
        }

        try
        {
            using FileStream read = new(source, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            using FileStream write = new(target, FileMode.CreateNew, FileAccess.Write, FileShare.Read);
            read.CopyTo(write);
            write.Flush(flushToDisk: true);
            return write.Length;
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }

    /// <summary>Puts a file in the place of one that was lost or has other bytes; whole, or not at all.</summary>
    /// <param name="task">The task.</param>
    /// <param name="file">Its name.</param>
    /// <param name="write">Writes it and gives its length.</param>
    public void Replace(TaskId task, string file, Func<IPackSink, long> write)
    {
        string path = layout.FilePath(task, file);
        string temporary = Path.ChangeExtension(path, ".json" + FolderLayout.TemporarySuffix);
        try
        {
            File.Delete(temporary);
            using (Sink sink = new(temporary))
            {
                sink.Finish(write(sink));
            }

            File.Move(temporary, path, overwrite: true);
            DirectorySync.Sync(Path.GetDirectoryName(path)!);
        }
        catch (Exception e) when (StoreErrors.IsFromSystem(e))
        {
            TryRemove(temporary);
            throw StoreErrors.Describe($"A file of {task} could not be fetched", path, e);
        }
        catch
        {
            TryRemove(temporary);
            throw;
        }
    }

    private static void TryRemove(string? path)
    {
        try
        {
            if (path is not null)
            {
                File.Delete(path);
            }
        }
        catch (Exception e) when (StoreErrors.IsFromSystem(e))
        {
            // What stays is garbage without a name; the next activation condemns it. The error that brought us here matters more.
        }
    }

    private sealed class Sink : IPackSink
    {
        // Often enough that the disk is never idle, seldom enough that it gets large pieces.
        private const int WritebackEvery = 16 * 1024 * 1024;

        private readonly SafeFileHandle _handle;
        private long _length;
        private long _writtenBack;

        // Names are never used again: a file that is there already is somebody else's.
        public Sink(string path) => _handle = File.OpenHandle(path, FileMode.CreateNew, FileAccess.Write, FileShare.Read);

        public void Append(ReadOnlySpan<byte> bytes)
        {
            RandomAccess.Write(_handle, bytes, _length);
            _length += bytes.Length;
            if (_length - _writtenBack >= WritebackEvery)
            {
                // Otherwise all of it would wait for the sync at the end, and the disk would do nothing until then.
                Writeback.Start(_handle, _writtenBack, _length - _writtenBack);
                _writtenBack = _length;
            }
        }

        public void Finish(long length)
        {
            RandomAccess.FlushToDisk(_handle);
            long actual = RandomAccess.GetLength(_handle);
            if (actual != length)
            {
                throw new IOException($"it has {actual} bytes after writing {length}");
            }

            _handle.Dispose();
        }

        public void Dispose() => _handle.Dispose();
    }

    private sealed class Source(SafeFileHandle handle) : IPackSource
    {
        public int Read(long offset, Memory<byte> target, CancellationToken cancellationToken) =>
            RandomAccess.Read(handle, target.Span, offset);

        public void Dispose() => handle.Dispose();
    }
}
