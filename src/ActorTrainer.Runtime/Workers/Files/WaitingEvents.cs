namespace ActorTrainer.Runtime.Workers.Files;

/// <summary>What happened in a checkpoint folder and was not taken in yet, in its order.</summary>
/// <param name="events">Tells what happens.</param>
/// <param name="root">The folder.</param>
internal sealed class WaitingEvents(IFolderEvents events, string root)
{
    private readonly Queue<FolderEvent> _waiting = new();

    public int Count => _waiting.Count;

    /// <summary>Whether anything was completed among it.</summary>
    public bool TellOfMore =>
        _waiting.Any(seen => seen.Kind is FolderEventKind.Written or FolderEventKind.MovedIn or FolderEventKind.FolderMovedIn);

    /// <summary>Whether some of it was read by <see cref="HaveChanged"/> only: nothing else tells of that.</summary>
    public bool AreReadAhead { get; private set; }

    /// <summary>Reads what has happened since.</summary>
    public void Drain()
    {
        Read();
        AreReadAhead = false;
    }

    private void Read()
    {
        IReadOnlyList<FolderEvent> all = events.Drain();
        // Before it is asked whether a process ends: one that is not ending then was not when it had closed what it wrote.
        IReadOnlyDictionary<string, int>? open = all.Any(seen => seen.Kind == FolderEventKind.Found) ? OpenWriters.Of(root) : null;
        foreach (FolderEvent seen in all)
        {
            bool isOpen = seen.Kind == FolderEventKind.Found && open!.ContainsKey(seen.RelativePath);
            _waiting.Enqueue(isOpen ? seen with { Kind = FolderEventKind.Activity } : seen);
        }
    }

    public FolderEvent Dequeue() => _waiting.Dequeue();

    /// <summary>
    /// Whether something happened to a path after the event that was taken last: what stands there may not be what that told of, and a
    /// version that was had of it until now may be another one.
    /// </summary>
    public bool HaveChanged(string path)
    {
        if (events is not PollingEvents)
        {
            int before = _waiting.Count;
            Read();
            AreReadAhead |= _waiting.Count > before;
        }

        return _waiting.Any(later => later.Changes(path));
    }
}
