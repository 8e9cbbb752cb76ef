using ActorTrainer.Core.Tasks;
using ActorTrainer.Runtime.Workers.Files.Saves;

namespace ActorTrainer.Runtime.Workers.Files;

/// <summary>Finds out what keeps a checkpoint folder from being captured.</summary>
/// <param name="root">The folder, without links in its path.</param>
/// <param name="options">How it is captured.</param>
/// <param name="follower">What it knows of the files.</param>
internal sealed class HoldUp(string root, FolderCaptureOptions options, FolderFollower follower)
{
    private const string SayIt = "let the script say when a save is complete (actortrainer commit, or checkpoint.done-file)";

    private SaveTracker<FileVersion> Tracker => follower.Tracker;

    /// <summary>As the end of a sentence: what it is, and what to do.</summary>
    /// <param name="problem">What the last attempt to keep or to stage files met with; null: it went well.</param>
    /// <param name="waiting">How many captured states wait to be stored.</param>
    public string Reason(string? problem, int waiting)
    {
        try
        {
            return Gone()
                ?? problem
                ?? (
                    waiting >= CheckpointFolder.MaxUnreleased
                        ? $"{waiting} captured states wait to be stored: see whether the checkpoint store takes them"
                        : null
                )
                ?? Unsaid()
                ?? (follower.CutShort is { } cut ? $"{cut}; whatever writes it was stopped, or failed" : null)
                ?? HeldOpen()
                ?? Tracker.Waits
                ?? (Tracker.Unclear is { } unclear ? $"{unclear}; {SayIt}" : null)
                ?? Renamed()
                ?? OpenSave()
                ?? Nothing();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return $"'{root}' cannot be read: {e.Message}";
        }
    }

    private string? Gone() =>
        Directory.Exists(root) ? null : $"the checkpoint folder '{root}' is gone; the script may change what is in it, not the folder";

    private string? Unsaid() =>
        (options.Recognises != CheckpointCapture.Commit && !Tracker.HadSaid) || Tracker.HasSaid ? null
        : options.DoneFile is { } done ? $"the script has not written '{done}' (checkpoint.done-file)"
        : "the script has not said that a state is complete (actortrainer commit), and nothing else makes one "
            + (
                Tracker.HadSaid
                    ? "where an earlier run has said it"
                    : "(checkpoint.capture = commit, or the order of files cannot be seen here)"
            );

    private string? HeldOpen()
    {
        foreach ((string path, int pid) in OpenWriters.Of(root).OrderBy(file => file.Key, StringComparer.Ordinal))
        {
            if (FolderCapture.IsWaitedFor(path) && options.Paths.Include(path))
            {
                return $"'{path}' is open for writing by {NameOf(pid)} (process {pid}), and a file counts when it is closed";
            }
        }

        return null;
    }

    private string? Renamed() =>
        Tracker.MovedAway is { } moved
            ? $"'{moved}' was renamed as if to keep a former save, and is not written again yet; if each save is renamed in, "
                + "set checkpoint.capture = rename"
            : null;

    private string? OpenSave() =>
        Tracker is { HasOpen: true, LastPath: { } last }
            ? $"'{last}' was saved last, and no earlier save shows that the save is over with it; save again, or {SayIt}"
            : null;

    private string Nothing()
    {
        string[] all =
        [
            .. Directory.EnumerateFiles(root, "*", SearchOption.AllDirectories).Select(file => Path.GetRelativePath(root, file)),
        ];
        (IReadOnlyList<FileMark> files, IReadOnlyList<string> leftOut) = FolderFiles.Of(root, options.Paths);
        string what = options.Paths.All ? $"'{root}' ($ACTORTRAINER_CHECKPOINT_DIR)" : $"{string.Join(", ", options.State!)} (state)";
        return files.Any(file => FolderCapture.IsWaitedFor(file.RelativePath)) ? $"nothing was saved in {what} since the run began"
            : leftOut.Count > 0 ? leftOut[0]
            : all.FirstOrDefault(path => FolderCapture.IsTemporary(path) && options.Paths.Include(path)) is { } temporary
                ? $"only files with temporary names are there ('{temporary}'); they count when they are renamed"
            : $"nothing was saved in {what}";
    }

    private static string NameOf(int pid)
    {
        try
        {
            return File.ReadAllText($"/proc/{pid}/comm").TrimEnd();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "a process";
        }
    }
}
