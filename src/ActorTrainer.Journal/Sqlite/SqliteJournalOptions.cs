namespace ActorTrainer.Journal.Sqlite;

/// <summary>Settings of a SQLite journal.</summary>
internal sealed record SqliteJournalOptions(string Path, int NumberOfShards)
{
    /// <summary>How long a request waits before it is answered as failed.</summary>
    public TimeSpan Limit { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How long opening waits for the write lock.</summary>
    public TimeSpan OpenLimit { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>False only for tests: appends of any term are accepted.</summary>
    public bool Fencing { get; init; } = true;

    /// <summary>Called on each connection that is opened for writing, for tests that provoke its errors.</summary>
    public Action<JournalConnection>? OnWriterOpened { get; init; }

    /// <summary>Writes of this process between two WAL checkpoints; each leaves about 20 KB in the WAL.</summary>
    public int WritesPerCheckpoint { get; init; } = 256;

    /// <summary>From this size of the WAL on a checkpoint also truncates it; below it is overwritten in place, which syncs faster.</summary>
    public long TruncateWalBytes { get; init; } = 64L << 20;

    public string LockPath => System.IO.Path.ChangeExtension(Path, ".lock");

    public string LifeFolder => System.IO.Path.ChangeExtension(Path, ".life");

    public string WalPath => Path + "-wal";
}
