using ActorTrainer.Runtime.Workers.Files.Saves;

namespace ActorTrainer.Runtime.Workers.Files;

/// <summary>What was seen of a file or a folder.</summary>
internal enum FolderEventKind
{
    /// <summary>Something goes on with a file.</summary>
    Activity,

    /// <summary>A file was written in place and closed.</summary>
    Written,

    /// <summary>A file stands that nobody was seen to write: it may be open still.</summary>
    Found,

    /// <summary>A file or a link is complete at once: it was renamed in or linked.</summary>
    MovedIn,

    /// <summary>A folder was renamed in with all that is in it.</summary>
    FolderMovedIn,

    /// <summary>A file, a link or a folder was removed or renamed out.</summary>
    Removed,

    /// <summary>Events were lost: anything may have happened.</summary>
    Lost,
}

/// <summary>Something that happened below the watched folder.</summary>
/// <param name="RelativePath">Where.</param>
/// <param name="Kind">What.</param>
/// <param name="From">What it was called before, of something that was renamed inside the folder; else null.</param>
internal readonly record struct FolderEvent(string RelativePath, FolderEventKind Kind, string? From = null)
{
    /// <summary>
    /// Whether another file, or the same with other content, may stand at a path since. One that is closed is not changed by that.
    /// </summary>
    public bool Changes(string path) =>
        Kind == FolderEventKind.Lost
        || (Kind is not (FolderEventKind.Written or FolderEventKind.Found) && IsAtOrAbove(RelativePath, path))
        || (From is { } from && IsAtOrAbove(from, path));

    private static bool IsAtOrAbove(string changed, string path) => PathKeys.IsAtOrBelow(path, changed);
}

/// <summary>Tells what happened below a folder since it was last asked, in the order in which it happened.</summary>
internal interface IFolderEvents : IDisposable
{
    IReadOnlyList<FolderEvent> Drain();

    /// <summary>Waits until there is something to drain, at most for so long.</summary>
    void Wait(TimeSpan atMost, CancellationToken cancellationToken);
}
