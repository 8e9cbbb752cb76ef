namespace ActorTrainer.Cluster.Persistence;

/// <summary>Reads the locks of an SQLite database in write-ahead mode from outside.</summary>
internal static class WalLock
{
    /// <summary>Byte of the <c>-shm</c> file that the one writer locks: WAL_WRITE_LOCK, sqlite.org/walformat.html, section 2.3.</summary>
    private const long WriteLockByte = 120;

    /// <summary>The pid of the process that writes to the database at this moment, or null when nobody does or it cannot be told.</summary>
    /// <param name="path">The database's file.</param>
    public static int? FindWriter(string path) => KernelLocks.FindPosixWriter(path + "-shm", WriteLockByte);
}
