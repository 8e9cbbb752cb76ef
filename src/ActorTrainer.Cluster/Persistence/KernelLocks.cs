using System.Globalization;
using System.Runtime.InteropServices;

namespace ActorTrainer.Cluster.Persistence;

/// <summary>Reads <c>/proc/locks</c>, for messages and last resorts: what it shows depends on namespaces and file systems.</summary>
internal static class KernelLocks
{
    /// <summary>The pid that holds a POSIX write lock on a byte of a file, or null when nobody does or it cannot be told.</summary>
    public static int? FindPosixWriter(string path, long at) =>
        Find(
            path,
            fields =>
                fields[1] == "POSIX"
                && fields[3] == "WRITE"
                && fields.Length >= 8
                && long.TryParse(fields[6], NumberStyles.None, CultureInfo.InvariantCulture, out long from)
                && from <= at
                && (
                    fields[7] == "EOF"
                    || (long.TryParse(fields[7], NumberStyles.None, CultureInfo.InvariantCulture, out long to) && at <= to)
                )
        );

    private static int? Find(string path, Func<string[], bool> isWanted)
    {
        try
        {
            if (InodeOf(path) is not { } inode)
            {
                return null;
            }

            string suffix = string.Create(CultureInfo.InvariantCulture, $":{inode}");
            foreach (string line in File.ReadLines("/proc/locks"))
            {
                // "1: FLOCK  ADVISORY  WRITE 1234 08:01:5678 0 EOF"; a waiter's line has "->" behind the number.
                string[] fields = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
                if (
                    fields.Length >= 6
                    && fields[5].EndsWith(suffix, StringComparison.Ordinal)
                    && isWanted(fields)
                    && int.TryParse(fields[4], NumberStyles.None, CultureInfo.InvariantCulture, out int pid)
                )
                {
                    return pid;
                }
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }

        return null;
    }

    private static ulong? InodeOf(string path)
    {
        // struct statx of linux/stat.h: stx_ino is the 64-bit field at byte 32.
        const int atFileSystemWorkingDirectory = -100;
        const uint wantInode = 0x100;
        Span<byte> result = stackalloc byte[256];
        return NativeMethods.Statx(atFileSystemWorkingDirectory, path, 0, wantInode, result) == 0
            ? MemoryMarshal.Read<ulong>(result[32..])
            : null;
    }
}
