namespace ActorTrainer.Runtime.Workers.Files;

/// <summary>
/// Events by polling sizes and times of change, where there is no inotify. A file counts as written when it differs from the last look.
/// </summary>
internal sealed class PollingEvents : IFolderEvents
{
    private readonly string _root;
    private Dictionary<string, FileMark> _last;

    public PollingEvents(string root)
    {
        _root = root;
        _last = Poll();
    }

    public IReadOnlyList<FolderEvent> Drain()
    {
        Dictionary<string, FileMark> now = Poll();
        FolderEvent[] events =
        [
            .. now.Where(file => !_last.TryGetValue(file.Key, out FileMark? mark) || mark != file.Value)
                .Select(file => new FolderEvent(file.Key, FolderEventKind.Written)),
        ];
        _last = now;
        return events;
    }

    public void Dispose() { }

    private Dictionary<string, FileMark> Poll() => FolderFiles.Of(_root).Files.ToDictionary(file => file.RelativePath);
}
