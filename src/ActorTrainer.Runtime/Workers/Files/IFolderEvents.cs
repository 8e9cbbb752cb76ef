namespace ActorTrainer.Runtime.Workers.Files;

/// <summary>What was seen of a file.</summary>
internal enum FolderEventKind
{
    /// <summary>Something goes on: no reason for a capture, but for waiting with one.</summary>
    Activity,

    /// <summary>It was written in place and closed.</summary>
    Written,

    /// <summary>It was renamed in, complete.</summary>
    MovedIn,
}

/// <summary>Something that happened to a file below the watched folder.</summary>
internal readonly record struct FolderEvent(string RelativePath, FolderEventKind Kind);

/// <summary>Tells what happened below a folder since it was last asked.</summary>
internal interface IFolderEvents : IDisposable
{
    IReadOnlyList<FolderEvent> Drain();
}
