namespace ActorTrainer.Cluster.Persistence;

/// <summary>Why a journal could not be opened.</summary>
public enum JournalOpenFailure
{
    /// <summary>The file system, the disk or the permissions do not allow it.</summary>
    Unusable,

    /// <summary>The file is there and is not a journal.</summary>
    NotAJournal,

    /// <summary>The journal was made by a version with another schema.</summary>
    UnknownSchema,

    /// <summary>The journal has another number of shards.</summary>
    OtherNumberOfShards,

    /// <summary>The file lies on a network file system.</summary>
    NetworkFileSystem,

    /// <summary>Another process kept the write lock for too long.</summary>
    Locked,

    /// <summary>This operating system is not supported by the SQLite journal.</summary>
    UnsupportedPlatform,

    /// <summary>The file at the path became another journal while it was in use.</summary>
    OtherIdentity,
}

/// <summary>A journal could not be opened; the message says what is wrong, where, and what to do.</summary>
public sealed class JournalOpenException : Exception
{
    /// <summary>Makes the exception.</summary>
    public JournalOpenException(JournalOpenFailure failure, string message, Exception? innerException = null)
        : base(message, innerException) => Failure = failure;

    /// <summary>The kind of failure.</summary>
    public JournalOpenFailure Failure { get; }
}
