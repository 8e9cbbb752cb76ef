using System.Globalization;
using System.Text.Json;
using ActorTrainer.Core.Identity;

namespace ActorTrainer.Checkpoints.Tiered;

/// <summary>
/// What the remote store has not heard of yet, in order, as one file for each below a folder: it is there again after a restart. An entry
/// is on disk before what it tells of is done, so a crash leaves one too many and never one too few.
/// </summary>
internal sealed class SyncBacklog(string folder, IDisk disk)
{
    private const string Suffix = ".json";
    private const string KnownName = "remote-seen";

    private readonly SortedDictionary<long, SyncEntry> _entries = [];
    private readonly HashSet<long> _held = [];
    private readonly Lock _lock = new();
    private long _last;

    /// <summary>How many there are.</summary>
    public int Count
    {
        get
        {
            lock (_lock)
            {
                return _entries.Count;
            }
        }
    }

    /// <summary>The checkpoints that are to be copied, those that are being saved now not among them.</summary>
    public IReadOnlyList<(TaskId Task, string Checkpoint)> Waiting
    {
        get
        {
            lock (_lock)
            {
                return
                [
                    .. _entries
                        .Values.Where(entry => entry.Checkpoint is not null && !_held.Contains(entry.Number))
                        .Select(entry => (TaskId.Parse(entry.Task), entry.Checkpoint!)),
                ];
            }
        }
    }

    /// <summary>Whether the remote store has been written to before: if its marker is missing now, it is away.</summary>
    public bool RemoteSeen => File.Exists(Path.Combine(folder, KnownName));

    /// <summary>Takes up what the node's former life left.</summary>
    /// <exception cref="CheckpointStoreException">The folder cannot be read or written.</exception>
    public void Load() =>
        OrDescribe(() =>
        {
            MakeFolder();
            foreach (string path in Directory.EnumerateFiles(folder, "*" + FolderLayout.TemporarySuffix))
            {
                disk.Unlink(path);
            }

            foreach (string path in Directory.EnumerateFiles(folder, "*" + Suffix))
            {
                Load(path);
            }
        });

    /// <summary>Whether a bundle is still to be copied.</summary>
    public bool HasBundle(string hash)
    {
        lock (_lock)
        {
            return _entries.Values.Any(entry => entry.Bundle == hash);
        }
    }

    /// <summary>The one that came first of those that are not held; null: none.</summary>
    public SyncEntry? First()
    {
        lock (_lock)
        {
            return _entries.FirstOrDefault(entry => !_held.Contains(entry.Key)).Value;
        }
    }

    /// <summary>The files of a task that are still to be removed there.</summary>
    public IReadOnlySet<string> Condemned(TaskId task)
    {
        lock (_lock)
        {
            return _entries
                .Values.Where(entry => entry.Task == task.Value)
                .SelectMany(entry => entry.Files)
                .ToHashSet(StringComparer.Ordinal);
        }
    }

    /// <summary>Adds one, durably.</summary>
    /// <param name="entry">What is to be done there.</param>
    /// <param name="held">Whether it waits for <see cref="Release"/>, or for the next start: what it tells of is not done here yet.</param>
    /// <exception cref="CheckpointStoreException">It could not be written.</exception>
    public SyncEntry Add(SyncEntry entry, bool held)
    {
        lock (_lock)
        {
            // A number whose writing fails is not used again: something of it may be left.
            SyncEntry numbered = entry with
            {
                Number = ++_last,
            };
            OrDescribe(() =>
                WriteDurably(NameOf(numbered.Number), JsonSerializer.SerializeToUtf8Bytes(numbered, SyncJsonContext.Default.SyncEntry))
            );
            _entries.Add(numbered.Number, numbered);
            if (held)
            {
                _held.Add(numbered.Number);
            }

            return numbered;
        }
    }

    /// <summary>Lets a held one have its turn.</summary>
    public void Release(SyncEntry entry)
    {
        lock (_lock)
        {
            _held.Remove(entry.Number);
        }
    }

    /// <summary>Removes one. If that is lost in a crash it is done again.</summary>
    public void Remove(SyncEntry entry)
    {
        lock (_lock)
        {
            _entries.Remove(entry.Number);
            _held.Remove(entry.Number);
            OrDescribe(() => disk.Unlink(Path.Combine(folder, NameOf(entry.Number))));
        }
    }

    /// <summary>Notes that the remote store has been written to.</summary>
    public void NoteRemoteSeen()
    {
        lock (_lock)
        {
            if (!RemoteSeen)
            {
                OrDescribe(() => WriteDurably(KnownName, []));
            }
        }
    }

    private static string NameOf(long number) => number.ToString("D18", CultureInfo.InvariantCulture) + Suffix;

    private void MakeFolder()
    {
        if (!Directory.Exists(folder))
        {
            disk.MakeFolder(folder);
        }

        // Once in a process, and not only by the one that makes it: that one may have ended before it came to this.
        disk.SyncFolder(Path.GetDirectoryName(Path.GetFullPath(folder))!);
        disk.SyncFolder(folder);
    }

    private void WriteDurably(string name, ReadOnlySpan<byte> bytes)
    {
        string path = Path.Combine(folder, name);
        string written = path + FolderLayout.TemporarySuffix;
        if (File.Exists(written))
        {
            // Of an attempt that failed and could not take it away.
            disk.Unlink(written);
        }

        DurableFile.Write(disk, written, bytes);
        try
        {
            disk.Rename(written, path, overwrite: false);
            written = path;
            disk.SyncFolder(folder);
        }
        catch
        {
            DurableFile.TryUnlink(disk, written);
            throw;
        }
    }

    private void Load(string path)
    {
        if (!long.TryParse(Path.GetFileNameWithoutExtension(path), NumberStyles.None, CultureInfo.InvariantCulture, out long number))
        {
            return;
        }

        _last = Math.Max(_last, number);
        try
        {
            SyncEntry entry =
                JsonSerializer.Deserialize(File.ReadAllBytes(path), SyncJsonContext.Default.SyncEntry)
                ?? throw new JsonException("it is null");
            _entries.Add(number, entry with { Number = number });
        }
        catch (JsonException e)
        {
            throw new CheckpointStoreException(
                $"What is still to be copied cannot be read: {path}: {e.Message.TrimEnd('.')}. Look at the disk; without the file the node "
                    + "starts, and what it told of is copied with the task's next checkpoint.",
                e
            );
        }
    }

    private void OrDescribe(Action work)
    {
        try
        {
            work();
        }
        catch (Exception e) when (StoreErrors.IsFromSystem(e))
        {
            throw new CheckpointStoreException(
                $"What is still to be copied could not be noted: {folder}: {e.Message.TrimEnd('.')}. "
                    + "Check the disk of actortrainer.node.data-dir.",
                e
            );
        }
    }
}
