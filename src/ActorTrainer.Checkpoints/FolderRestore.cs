using ActorTrainer.Core.Checkpoints;
using Microsoft.Win32.SafeHandles;

namespace ActorTrainer.Checkpoints;

/// <summary>
/// Writes a checkpoint's files into a sibling of the target and renames it into place at the end: whoever looks at the target sees all
/// of the checkpoint or none of it. Nothing is synced: after a crash a restore is done again.
/// </summary>
internal sealed class FolderRestore(FolderReader reader, BufferPool pool, string target)
{
    private readonly string _target = Path.TrimEndingDirectorySeparator(Path.GetFullPath(target));

    public void Execute(CancellationToken cancellationToken)
    {
        string partial = _target + ".partial";
        string replaced = _target + ".replaced";
        try
        {
            Remove(partial);
            Remove(replaced);
            Directory.CreateDirectory(partial);
            WriteEntries(partial, cancellationToken);

            if (Directory.Exists(_target))
            {
                Directory.Move(_target, replaced);
            }

            Directory.Move(partial, _target);
            Remove(replaced);
        }
        catch (Exception e) when (StoreErrors.IsFromSystem(e))
        {
            throw new CheckpointStoreException(
                $"Checkpoint {reader.Manifest.Name} of {reader.Manifest.Task} could not be restored: {_target}: "
                    + $"{e.Message.TrimEnd('.')}. Check the disk of actortrainer.node.data-dir.",
                e
            );
        }
        finally
        {
            TryRemove(partial);
        }
    }

    /// <summary>Small files side by side, the chunks of large ones side by side.</summary>
    private void WriteEntries(string folder, CancellationToken cancellationToken)
    {
        ManifestEntry[] small = [.. reader.Manifest.Entries.Where(entry => entry.Chunks.Count <= 1)];
        FolderSave.Concurrently(
            small.Length,
            index => WriteEntry(folder, small[index], cancellationToken),
            reader.Files,
            cancellationToken
        );
        foreach (ManifestEntry entry in reader.Manifest.Entries.Where(entry => entry.Chunks.Count > 1))
        {
            cancellationToken.ThrowIfCancellationRequested();
            WriteEntry(folder, entry, cancellationToken);
        }
    }

    private void WriteEntry(string folder, ManifestEntry entry, CancellationToken cancellationToken)
    {
        string path = Path.Combine(folder, entry.Path);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        if (entry.Link is { } link)
        {
            File.CreateSymbolicLink(path, link);
            return;
        }

        using SafeFileHandle file = File.OpenHandle(path, FileMode.CreateNew, FileAccess.Write, FileShare.None);
        FolderSave.Concurrently(
            entry.Chunks.Count,
            index =>
            {
                byte[] raw = pool.Rent(reader.LengthOf(entry, index));
                try
                {
                    reader.ReadChunk(entry, index, raw);
                    RandomAccess.Write(file, raw.AsSpan(0, reader.LengthOf(entry, index)), (long)index * reader.Manifest.ChunkSize);
                }
                finally
                {
                    pool.Return(raw);
                }
            },
            reader.Files,
            cancellationToken
        );
        if (entry.Modified is { } modified)
        {
            File.SetLastWriteTimeUtc(file, modified.UtcDateTime);
        }

        if (!OperatingSystem.IsWindows() && EntryMode.TryParse(entry.Mode, out int mode))
        {
            File.SetUnixFileMode(file, (UnixFileMode)mode);
        }
    }

    private static void Remove(string folder)
    {
        if (Directory.Exists(folder))
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    internal static void TryRemove(string folder)
    {
        try
        {
            Remove(folder);
        }
        catch (Exception e) when (StoreErrors.IsFromSystem(e))
        {
            // Only scratch: the next use removes it before it begins.
        }
    }
}
