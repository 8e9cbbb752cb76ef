namespace ActorTrainer.Runtime.Workers.Files;

/// <summary>
/// Events by polling sizes and times of change, where there is no inotify. A file counts as written when it is the same in two looks.
/// </summary>
internal sealed class PollingEvents : IFolderEvents
{
    private readonly string _root;
    private readonly HashSet<string> _changing = new(StringComparer.Ordinal);
    private Dictionary<string, FileMark> _last;

    public PollingEvents(string root)
    {
        _root = root;
        _last = Poll();
    }

    public IReadOnlyList<FolderEvent> Drain()
    {
        Dictionary<string, FileMark> now = Poll();
        List<FolderEvent> events = [.. _last.Keys.Except(now.Keys).Select(path => new FolderEvent(path, FolderEventKind.Removed))];
        foreach (FileMark file in now.Values.OrderBy(file => file.Status.ModifiedNanoseconds))
        {
            bool same = _last.TryGetValue(file.RelativePath, out FileMark? mark) && mark == file;
            if (!same)
            {
                _ = _changing.Add(file.RelativePath);
                events.Add(new FolderEvent(file.RelativePath, FolderEventKind.Activity));
            }
            else if (_changing.Remove(file.RelativePath))
            {
                events.Add(new FolderEvent(file.RelativePath, FolderEventKind.Written));
            }
        }

        _last = now;
        return events;
    }

    public void Wait(TimeSpan atMost, CancellationToken cancellationToken) => _ = cancellationToken.WaitHandle.WaitOne(atMost);

    public void Dispose() { }

    private Dictionary<string, FileMark> Poll() => FolderFiles.Of(_root).Files.ToDictionary(file => file.RelativePath);
}
