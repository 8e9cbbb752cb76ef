namespace ActorTrainer.Checkpoints;

/// <summary>Turns what the system says into what a user can do about it.</summary>
internal static class StoreErrors
{
    private const int WindowsDiskFull = unchecked((int)0x80070070);
    private const int NoSpace = 28;
    private const int ReadOnlyFileSystem = 30;
    private const int MacQuota = 69;
    private const int LinuxQuota = 122;

    /// <summary>Whether an exception comes from the file system and not from a mistake of ours.</summary>
    public static bool IsFromSystem(Exception e) => e is IOException or UnauthorizedAccessException;

    public static CheckpointStoreException Describe(string what, string path, Exception e)
    {
        (string why, string advice) = e switch
        {
            IOException { HResult: NoSpace or WindowsDiskFull } => (
                "no space is left on the device",
                "Free space there, lower checkpoint.keep-last, or set actortrainer.checkpoints.path to a larger disk"
            ),
            IOException { HResult: LinuxQuota or MacQuota } => (
                "the disk quota is used up",
                "Raise the quota or set actortrainer.checkpoints.path to another disk"
            ),
            IOException { HResult: ReadOnlyFileSystem } => (
                "the file system is read-only",
                "Mount it writable or set actortrainer.checkpoints.path to another disk"
            ),
            UnauthorizedAccessException => ("permission denied", "Give the node's user read and write permission there"),
            FileNotFoundException or DirectoryNotFoundException => (
                "it does not exist",
                "Check that the disk is mounted and actortrainer.checkpoints.path, or tiered.remote-path, is right"
            ),
            _ => (e.Message.TrimEnd('.'), "Check the disk and actortrainer.checkpoints.path, or tiered.remote-path"),
        };
        return new CheckpointStoreException($"{what}: {path}: {why}. {advice}.", e);
    }
}
