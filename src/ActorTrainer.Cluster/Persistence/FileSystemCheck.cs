namespace ActorTrainer.Cluster.Persistence;

/// <summary>
/// SQLite's WAL needs shared memory between the processes, and flock must be seen by all of them: neither holds on network file
/// systems, where two nodes would both think that they hold the lock.
/// </summary>
internal static class FileSystemCheck
{
    /// <summary>The name of the network file system with this magic number (linux/magic.h), or null when it is not one.</summary>
    internal static string? NetworkName(uint type) =>
        type switch
        {
            0x6969 => "NFS",
            0x517B => "SMB",
            0xFF534D42 => "CIFS",
            0xFE534D42 => "SMB2",
            0x01021997 => "9p",
            0x00C36400 => "Ceph",
            0x5346414F => "AFS",
            0x0BD00BD0 => "Lustre",
            _ => null,
        };

    /// <summary>Refuses a folder for an SQLite journal that lies on a network file system.</summary>
    /// <param name="folder">An existing folder.</param>
    /// <exception cref="JournalOpenException">The folder lies on a network file system.</exception>
    public static void RefuseNetwork(string folder)
    {
        if (NativeMethods.FileSystemType(folder) is { } type && NetworkName(type) is { } name)
        {
            throw new JournalOpenException(
                JournalOpenFailure.NetworkFileSystem,
                $"The folder {folder} lies on a network file system ({name}). The SQLite journal is for the nodes of one machine: "
                    + "set actortrainer.journal.path to a file on a local disk."
            );
        }
    }
}
