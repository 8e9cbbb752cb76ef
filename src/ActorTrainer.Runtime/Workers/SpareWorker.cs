namespace ActorTrainer.Runtime.Workers;

/// <summary>
/// A worker process that waits for a run: .NET is loaded, the worker's code is compiled, nothing of any task is in it. Touched by the
/// host's loop only.
/// </summary>
internal sealed class SpareWorker(
    string name,
    GuardLink guard,
    IReadOnlyDictionary<string, string> environment,
    string folder,
    long startedAt
)
{
    /// <summary>What guard and worker call it as long as it has no run; no run's name, since it has no slash.</summary>
    public string Name { get; } = name;

    public GuardLink Guard { get; } = guard;

    /// <summary>What it was started with.</summary>
    public IReadOnlyDictionary<string, string> Environment { get; } = environment;

    /// <summary>Where it works until it has a run; removed after that.</summary>
    public string Folder { get; } = folder;

    /// <summary>As a time stamp.</summary>
    public long StartedAt { get; } = startedAt;

    /// <summary>0 until it stands.</summary>
    public int Pid { get; set; }

    /// <summary>Its connection, once it said hello.</summary>
    public WorkerConnection? Connection { get; set; }

    /// <summary>When it said hello, as a time stamp.</summary>
    public long ReadyAt { get; set; }

    /// <summary>Whether a run can have it.</summary>
    public bool IsReady => Connection is { Ended.IsCompleted: false };
}
