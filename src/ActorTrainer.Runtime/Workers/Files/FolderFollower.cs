using ActorTrainer.Core.Tasks;
using ActorTrainer.Runtime.Workers.Files.Layouts;
using ActorTrainer.Runtime.Workers.Files.Saves;

namespace ActorTrainer.Runtime.Workers.Files;

/// <summary>Turns what happens in a checkpoint folder into completed files, and keeps a version of each.</summary>
internal sealed class FolderFollower
{
    private readonly string _root;
    private readonly string? _doneFile;
    private readonly CheckpointCapture _mode;
    private readonly StatePaths _state;
    private readonly IReadOnlyList<string> _patterns;
    private readonly FolderVersions _versions;
    private readonly StateStager _stager;
    private readonly FolderWarnings _warnings;
    private readonly WaitingEvents _later;
    private int _completed;

    /// <summary>Files that stood already when their folder was seen: the end of their writing may be told again.</summary>
    private readonly HashSet<string> _found = new(StringComparer.Ordinal);

    /// <summary>Files that stand half written, as far as is known.</summary>
    private readonly SortedSet<string> _torn = new(StringComparer.Ordinal);

    /// <param name="root">The folder, without links in its path.</param>
    /// <param name="options">How it is captured.</param>
    /// <param name="learned">The order in which earlier runs saved.</param>
    /// <param name="versions">Keeps versions.</param>
    /// <param name="stager">Told of files that are begun and ended.</param>
    /// <param name="warnings">Told why something is no part of a checkpoint.</param>
    /// <param name="ranks">How many processes train together; null: not known.</param>
    /// <param name="later">What happened after the event that is taken in.</param>
    public FolderFollower(
        string root,
        FolderCaptureOptions options,
        IReadOnlyList<IReadOnlyList<string>> learned,
        FolderVersions versions,
        StateStager stager,
        FolderWarnings warnings,
        Func<int?> ranks,
        WaitingEvents later
    )
    {
        _root = root;
        _doneFile = options.DoneFile;
        _mode = options.Mode;
        _state = options.Paths;
        _patterns = options.State ?? [];
        _versions = versions;
        _stager = stager;
        _warnings = warnings;
        _later = later;
        Tracker = new SaveTracker<FileVersion>(options.Recognises, Standing(options.RestoreFolder), learned, new KnownLayouts(Open, ranks));
    }

    /// <summary>Finds saves among the files that were completed.</summary>
    public SaveTracker<FileVersion> Tracker { get; }

    /// <summary>A file that was closed and is not whole by its own format, as a sentence; null: the last one that tells is.</summary>
    public string? CutShort { get; private set; }

    /// <summary>Whether what was completed last was written to its end.</summary>
    public DoubtfulClose Doubt { get; } = new();

    /// <summary>A file that stands half written; null: none is known.</summary>
    public string? Torn => _torn.Min;

    /// <summary>How many paths were completed.</summary>
    public int Completed => Volatile.Read(ref _completed);

    /// <summary>A file as it was when it was completed.</summary>
    private FileStream? Open(string path)
    {
        string stored = Tracker.State.GetValueOrDefault(path)?.Stored ?? Path.Combine(_root, path);
        return File.Exists(stored) ? new FileStream(stored, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete) : null;
    }

    /// <summary>What stood here before the run; of restored files another copy stands elsewhere, which nobody writes.</summary>
    private Dictionary<string, FileVersion> Standing(string? restoreFolder)
    {
        Dictionary<string, FileVersion> standing = new(StringComparer.Ordinal);
        foreach (FileMark file in FolderFiles.Of(_root, _state).Files.Where(file => FolderCapture.IsWaitedFor(file.RelativePath)))
        {
            string? copy = restoreFolder is null ? null : Path.Combine(restoreFolder, file.RelativePath);
            FileVersion? version =
                file.Link is not null ? new FileVersion(null, file)
                : File.Exists(copy) ? new FileVersion(copy, file, IsCopy: true, Stood: true)
                : _versions.Take(file.RelativePath, mayLink: false) is { } taken ? taken with { Stood = true }
                : null;
            if (version is not null)
            {
                standing.Add(file.RelativePath, version);
            }
        }

        return standing;
    }

    /// <summary>Takes one event in.</summary>
    /// <param name="seen">What happened.</param>
    /// <param name="inPlaceIsWhole">
    /// Whether those that closed files did so by their own will; else only files whose format tells that they are whole are.
    /// </param>
    /// <param name="now">When, in milliseconds.</param>
    /// <exception cref="IOException">A version could not be kept.</exception>
    public void Apply(FolderEvent seen, bool inPlaceIsWhole, long now)
    {
        string path = seen.RelativePath;
        if (
            seen.Kind is not (FolderEventKind.FolderMovedIn or FolderEventKind.Removed or FolderEventKind.Lost)
            && !_state.Include(path)
            && path != _doneFile
        )
        {
            return;
        }

        switch (seen.Kind)
        {
            case FolderEventKind.Lost:
                Tracker.Break(SaveBreak.Void);
                break;
            case FolderEventKind.Removed:
                Remove(path);
                break;
            case FolderEventKind.FolderMovedIn when !FolderCapture.IsTemporary(path):
                OnFolder(path, seen.From, now);
                break;
            case FolderEventKind.MovedIn or FolderEventKind.FolderMovedIn when FolderCapture.IsTemporary(path):
                Remove(seen.From ?? path);
                break;
            case FolderEventKind.Activity:
                _stager.Begun(path, Completed);
                break;
            default:
                OnFile(seen, inPlaceIsWhole, now);
                break;
        }
    }

    private void OnFile(FolderEvent seen, bool inPlaceIsWhole, long now)
    {
        string path = seen.RelativePath;
        if (!FolderCapture.IsWaitedFor(path))
        {
            return;
        }

        bool renamed = seen.Kind == FolderEventKind.MovedIn;
        if ((seen.From ?? (renamed ? LinkedFrom(path) : null)) is { } from && Tracker.State.ContainsKey(from))
        {
            if (IsKeptAside(path, from, now))
            {
                Tracker.Move(from, path);
                _ = _stager.Ended(from);
                return;
            }

            Tracker.Forget(from);
        }

        bool written = _stager.Ended(path, Tracker.Due);
        FileMark? mark = FolderFiles.Look(_root, path);
        bool known = mark is not null && Tracker.State.GetValueOrDefault(path)?.Mark == mark;
        bool found = _found.Remove(path);
        if (known && (found || (seen.Kind == FolderEventKind.Written && !written)))
        {
            // Closed without a write.
            return;
        }

        FileVersion? version = mark is not null && Tracker.Keeps ? _versions.Take(path, mayLink: renamed) : null;
        bool isChanged = _later.HaveChanged(path);
        if ((isChanged ? seen.Kind == FolderEventKind.Found : mark is null) || (mark is null && !Tracker.State.ContainsKey(path)))
        {
            // Its end is told by an event of its own; or it is gone again, or was no part of any state under this name.
            return;
        }

        if (seen.Kind == FolderEventKind.Found)
        {
            _ = _found.Add(path);
        }

        FileFormat format = isChanged || mark?.Link is not null ? default : FormatOf(path, version);
        if (format.Problem is { } problem)
        {
            CutShort = $"'{path}' {problem}";
            _warnings.Say($"no checkpoint as long as '{path}' {problem}");
            Void(path);
            return;
        }

        bool tells = renamed || format.IsKnown;
        if (!tells && !inPlaceIsWhole)
        {
            Void(path);
            return;
        }

        _completed++;
        _ = _torn.Remove(path);
        Doubt.Closed(path, tells, now);
        CutShort = null;
        // What it was at that moment is lost when it was changed since: the save that it is part of is none.
        Tracker.Complete(path, isChanged ? null : version, now, renamed);
        if (IsDoneFile(path) && CommitAll() is { } nothing)
        {
            _warnings.Say($"no checkpoint: {nothing}");
        }
    }

    /// <summary>Whether a file got another name before the next one is written, and not the one that it was written for.</summary>
    private bool IsKeptAside(string path, string from, long now) =>
        !Tracker.IsJustCompleted(from, now)
        || RotatedNames.SaysSo(path)
        || (RotatedNames.MayBeOne(path, from) && _mode != CheckpointCapture.Rename);

    private void OnFolder(string folder, string? from, long now)
    {
        FileMark[] files = [.. FolderFiles.Of(_root, _state).Files.Where(file => PathKeys.IsAtOrBelow(file.RelativePath, folder))];
        if (files.Length == 0)
        {
            return;
        }

        foreach (FileMark file in files)
        {
            if (file.Link is null && FormatOf(file.RelativePath).Problem is { } problem)
            {
                CutShort = $"'{file.RelativePath}' {problem}";
                _warnings.Say($"no checkpoint as long as '{file.RelativePath}' {problem}");
                Void(file.RelativePath);
                return;
            }

            _ = _stager.Ended(file.RelativePath);
        }

        if (from is not null)
        {
            Tracker.Forget(from);
            _ = _stager.Ended(from);
        }

        _completed++;
        Doubt.Settle();
        Tracker.CompleteFolder(
            folder,
            [.. files.Select(file => KeyValuePair.Create(file.RelativePath, Tracker.Keeps ? TakeUnchanged(file.RelativePath) : null))],
            now
        );
    }

    /// <summary>As its version tells, which nobody renames; what has none as it stands, unless it is gone by now.</summary>
    private FileFormat FormatOf(string path, FileVersion? version = null)
    {
        try
        {
            return FileFormats.Of(version?.Stored ?? Path.Combine(_root, path), path);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return default;
        }
    }

    private FileVersion? TakeUnchanged(string path)
    {
        FileVersion? version = _versions.Take(path, mayLink: true);
        return _later.HaveChanged(path) ? null : version;
    }

    private void Void(string path)
    {
        _ = _torn.Add(path);
        Tracker.Break(SaveBreak.Void);
    }

    /// <summary>The name that a file had before it got another one by a link, if that is gone: it was renamed so.</summary>
    private string? LinkedFrom(string path) =>
        Tracker.LastPath is { } last
        && Tracker.State.GetValueOrDefault(last)?.Mark.Status is { } status
        && FolderFiles.Look(_root, path)?.Status == status
        && FolderFiles.Look(_root, last) is null
            ? last
            : null;

    private void Remove(string path)
    {
        _ = _torn.RemoveWhere(torn => PathKeys.IsAtOrBelow(torn, path));
        Tracker.Remove(path);
        _ = _stager.Ended(path);
    }

    /// <summary>Whether anything stands that was not seen to be completed, as what was written through a mapping.</summary>
    public bool HasUnseen() => Unseen().Any();

    private IEnumerable<FileMark> Unseen() =>
        FolderFiles
            .Of(_root, _state)
            .Files.Where(file =>
                FolderCapture.IsWaitedFor(file.RelativePath) && Tracker.State.GetValueOrDefault(file.RelativePath)?.Mark != file
            );

    /// <summary>The script says that a state is complete: all that stands is part of it.</summary>
    /// <returns>Why that is no state, as the end of a sentence; null: it is one.</returns>
    public string? CommitAll()
    {
        IReadOnlyDictionary<string, int> open = OpenWriters.Of(_root);
        FileMark[] unseen = [.. Unseen().Where(file => !open.ContainsKey(file.RelativePath) && !_later.HaveChanged(file.RelativePath))];
        foreach (FileMark file in unseen.Where(file => file.Link is null))
        {
            if (FormatOf(file.RelativePath).Problem is { } problem)
            {
                return $"'{file.RelativePath}' {problem}";
            }
        }

        foreach (FileMark file in unseen)
        {
            _ = _stager.Ended(file.RelativePath);
            Tracker.Keep(file.RelativePath, _versions.Take(file.RelativePath, mayLink: false));
        }

        if (Tracker.State.Keys.All(IsDoneFile))
        {
            return _state.All
                ? $"there is nothing to commit in '{_root}' ($ACTORTRAINER_CHECKPOINT_DIR)"
                : $"there is nothing to commit: no file is there that the task's state names ({string.Join(", ", _patterns)})";
        }

        if (Tracker.State.FirstOrDefault(file => file.Value is null) is { Key: { } lost })
        {
            return $"'{lost}' was written again, or removed, before it could be kept";
        }

        Doubt.Settle();
        Tracker.Commit();
        return null;
    }

    private bool IsDoneFile(string path) => _doneFile is not null && (_doneFile == path || _doneFile == Path.GetFileName(path));

    /// <summary>A file of what is due that was closed a moment ago and may be half written; null: none.</summary>
    public string? DoubtfulInDue(long now) =>
        Doubt.At(now) is { } path && Tracker.Due?.GetValueOrDefault(path) == Tracker.State.GetValueOrDefault(path) ? path : null;

    /// <summary>
    /// A process ended badly: a file that was closed a moment ago may be half written. What was saved with it is not taken, and the version
    /// before stands for it.
    /// </summary>
    public void DropDoubtful(long now)
    {
        if (Doubt.At(now) is not { } path)
        {
            return;
        }

        if (DoubtfulInDue(now) is not null)
        {
            Tracker.Taken();
        }

        string why = Doubt.IsBrokenOff ? "the run was asked to stop while it wrote" : "a process failed just after";
        _warnings.Say($"what was saved last is no checkpoint: {why} '{path}', perhaps in the middle of it");
        _ = _torn.Add(path);
        Tracker.Undo(path);
        Doubt.Settle();
    }
}
