using ActorTrainer.Core.Identity;

namespace ActorTrainer.Checkpoints;

/// <summary>Files of a store below a folder.</summary>
internal sealed class FolderFiles(FolderLayout layout) : IStoreFiles
{
    private const int PieceBytes = 4 << 20;

    /// <summary>What they are changed through.</summary>
    public IDisk Disk => layout.Disk;

    // While one waits for the disk, another hashes.
    public int AtOnce => FolderStore.Parallelism * 2;

    public TaskScheduler Threads => OwnThreads.Instance;

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
        new Sink(Disk.Create(layout.FilePath(task, pack), atMost));

    public void SyncPacks(TaskId task) => Disk.SyncFolder(layout.PackFolder(task));

    public void PutPack(TaskId task, string pack, long atMost, Func<IPackSink, long> write, CancellationToken cancellationToken) =>
        Replace(task, pack, atMost, write);

    public void PutManifest(TaskId task, string file, byte[] bytes, CancellationToken cancellationToken) =>
        Replace(
            task,
            file,
            bytes.Length,
            sink =>
            {
                sink.Append(bytes);
                return bytes.Length;
            }
        );

    public void SyncManifests(TaskId task) => Disk.SyncFolder(layout.ManifestFolder(task));

    public IPackSource? OpenPack(TaskId task, string pack, CancellationToken cancellationToken)
    {
        string path = layout.FilePath(task, pack);
        try
        {
            return FolderPack.Open(path);
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

    public void WriteManifest(TaskId task, string file, byte[] bytes, CancellationToken cancellationToken)
    {
        string path = layout.FilePath(task, file);
        string temporary = path + FolderLayout.TemporarySuffix;
        string? written = null;
        try
        {
            DurableFile.Write(Disk, temporary, bytes);
            written = temporary;
            Disk.Rename(temporary, path, overwrite: false);
            written = path;
            Disk.SyncFolder(layout.ManifestFolder(task));
        }
        catch
        {
            if (written is not null)
            {
                DurableFile.TryUnlink(Disk, written);
            }

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
            Disk.Unlink(path);
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
        if (Disk.TryLink(source, target))
        {
            return 0;
        }

        try
        {
            using FileStream read = new(source, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            using Sink sink = new(Disk.Create(target, read.Length));
            byte[] piece = GC.AllocateUninitializedArray<byte>(PieceBytes);
            long length = 0;
            while (read.Read(piece) is > 0 and int count)
            {
                cancellationToken.ThrowIfCancellationRequested();
                sink.Append(piece.AsSpan(0, count));
                length += count;
            }

            sink.Finish(length);
            return length;
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }

    /// <summary>Puts a file in the place of one that was lost or has other bytes; whole, or not at all.</summary>
    /// <param name="task">The task.</param>
    /// <param name="file">Its name.</param>
    /// <param name="atMost">More bytes than this are not written.</param>
    /// <param name="write">Writes it and gives its length.</param>
    private void Replace(TaskId task, string file, long atMost, Func<IPackSink, long> write)
    {
        string path = layout.FilePath(task, file);
        string temporary = Path.ChangeExtension(path, ".json" + FolderLayout.TemporarySuffix);
        try
        {
            Disk.Unlink(temporary);
            using (Sink sink = new(Disk.Create(temporary, atMost)))
            {
                sink.Finish(write(sink));
            }

            Disk.Rename(temporary, path, overwrite: true);
            Disk.SyncFolder(Path.GetDirectoryName(path)!);
        }
        catch (Exception e) when (StoreErrors.IsFromSystem(e))
        {
            DurableFile.TryUnlink(Disk, temporary);
            throw StoreErrors.Describe($"A file of {task} could not be copied", path, e);
        }
        catch
        {
            DurableFile.TryUnlink(Disk, temporary);
            throw;
        }
    }

    private sealed class Sink(IDiskFile file) : IPackSink
    {
        public void Append(ReadOnlySpan<byte> bytes) => file.Append(bytes);

        public void Finish(long length)
        {
            file.Sync();
            long actual = file.Length;
            if (actual != length)
            {
                throw new IOException($"it has {actual} bytes after writing {length}");
            }
        }

        public void Dispose() => file.Dispose();
    }
}
