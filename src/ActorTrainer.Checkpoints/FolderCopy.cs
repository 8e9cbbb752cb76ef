using ActorTrainer.Core.Checkpoints;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Tasks;

namespace ActorTrainer.Checkpoints;

/// <summary>
/// Gives another task a checkpoint: links to the packs under names of its own, then a manifest of its own. As with a save nothing is
/// visible before the manifest's rename, and what is left of a copy that was cut off is garbage of term 0, which the task's next owner
/// condemns.
/// </summary>
internal sealed class FolderCopy(FolderLayout layout, TaskId from, CheckpointRef checkpoint, TaskId to, string name)
{
    private readonly string _manifestPath = layout.FilePath(to, CheckpointNames.ManifestFile(name));
    private readonly List<string> _made = [];

    /// <summary>The same manifest for the other task; its packs in the same order under its own names.</summary>
    public static Manifest Renamed(Manifest manifest, TaskId to, string name) =>
        manifest with
        {
            Name = name,
            Task = to.Value,
            Term = 0,
            Reason = CheckpointReasons.Copied,
            Packs = [.. manifest.Packs.Select((_, index) => CheckpointNames.PackFile(FormattableString.Invariant($"{name}{index}")))],
        };

    public static CheckpointRef Reference(CheckpointRef checkpoint, Manifest copy, long storedBytes, string sha256) =>
        checkpoint with
        {
            Name = copy.Name,
            Reason = copy.Reason,
            Packs = copy.Packs,
            StoredBytes = storedBytes,
            ManifestSha256 = sha256,
        };

    public CheckpointRef Execute(CancellationToken cancellationToken)
    {
        layout.RequireStore();
        Manifest manifest = FolderReader.ReadManifest(layout, from, checkpoint, out _);
        Manifest copy = Renamed(manifest, to, name);
        bool done = false;
        try
        {
            layout.Prepare(to, mayCreateStore: false);
            if (File.Exists(_manifestPath))
            {
                throw new CheckpointStoreException($"A checkpoint named {name} of {to} is in the store already; copy it under a new name.");
            }

            long stored = 0;
            for (int i = 0; i < copy.Packs.Count; i++)
            {
                cancellationToken.ThrowIfCancellationRequested();
                stored += Share(manifest.Packs[i], layout.FilePath(to, copy.Packs[i]));
            }

            DirectorySync.Sync(layout.PackFolder(to));
            byte[] bytes = ManifestFormat.Write(copy);
            string temporary = _manifestPath + FolderLayout.TemporarySuffix;
            _made.Add(temporary);
            DurableFile.Write(temporary, bytes);
            File.Move(temporary, _manifestPath);
            _made.Add(_manifestPath);
            DirectorySync.Sync(layout.ManifestFolder(to));
            done = true;
            return Reference(checkpoint, copy, stored + bytes.Length, ManifestFormat.HashOf(bytes));
        }
        catch (Exception e) when (StoreErrors.IsFromSystem(e))
        {
            throw StoreErrors.Describe($"Checkpoint {checkpoint.Name} of {from} could not be copied", layout.TaskFolder(to), e);
        }
        finally
        {
            if (!done)
            {
                RemoveRemains();
            }
        }
    }

    /// <summary>One pack; the bytes that this takes in the store.</summary>
    private long Share(string pack, string target)
    {
        string source = layout.FilePath(from, pack);
        _made.Add(target);
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
            throw new CheckpointDamagedException($"Checkpoint {checkpoint.Name} of {from}: {pack} is missing.", e);
        }
    }

    private void RemoveRemains()
    {
        // The manifest first: as long as it stands its packs have to.
        foreach (string path in Enumerable.Reverse(_made))
        {
            try
            {
                File.Delete(path);
            }
            catch (Exception e) when (StoreErrors.IsFromSystem(e))
            {
                // Garbage without a name; the error that brought us here matters more.
            }
        }
    }
}
