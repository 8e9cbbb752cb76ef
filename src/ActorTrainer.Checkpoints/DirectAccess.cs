using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace ActorTrainer.Checkpoints;

/// <summary>
/// Access to large files past what the system keeps in memory of files (Linux: <c>O_DIRECT</c>). Through that memory, every byte is copied
/// once more, into pages that have to be found first, and drives out what training reads.
/// </summary>
internal static unsafe partial class DirectAccess
{
    /// <summary>A smaller file costs little, and may soon be read again.</summary>
    public const long From = 16L << 20;

    private const int GetFlags = 3;
    private const int SetFlags = 4;
    private const nint AskCacheStatus = 451;
    private const long Ext4 = 0xEF53;
    private const long Xfs = 0x58465342;

    private static int Flag =>
        RuntimeInformation.ProcessArchitecture switch
        {
            Architecture.X64 => 0x4000,
            Architecture.Arm64 => 0x10000,
            _ => 0,
        };

    /// <summary>
    /// Turns it on for an open file. False: not here. On a network file system, for one, every access would wait for its answer.
    /// </summary>
    public static bool TryTurnOn(SafeFileHandle file)
    {
        if (!OperatingSystem.IsLinux() || Flag == 0)
        {
            return false;
        }

        // struct statfs, which begins with the type of the file system, has 120 bytes.
        long* status = stackalloc long[32];
        if (Status(file, status) != 0 || status[0] is not (Ext4 or Xfs))
        {
            return false;
        }

        int flags = Control(file, GetFlags, 0);
        return flags >= 0 && Control(file, SetFlags, flags | Flag) == 0;
    }

    /// <summary>Has a file be as any other again.</summary>
    public static void TurnOff(SafeFileHandle file) => _ = Control(file, SetFlags, Control(file, GetFlags, 0) & ~Flag);

    /// <summary>Whether the system has most of a file in memory, or does not say (before Linux 6.5).</summary>
    public static bool IsCached(SafeFileHandle file)
    {
        Range range = new() { Offset = 0, Length = (ulong)RandomAccess.GetLength(file) };
        CacheStatus status = default;
        return SystemCall(AskCacheStatus, file, &range, &status, 0) != 0
            || status.Cached * (ulong)Environment.SystemPageSize > range.Length / 2;
    }

    [LibraryImport("libc", EntryPoint = "fcntl")]
    private static partial int Control(SafeFileHandle file, int command, int argument);

    [LibraryImport("libc", EntryPoint = "fstatfs")]
    private static partial int Status(SafeFileHandle file, long* status);

    // The C library has no function for it yet.
    [LibraryImport("libc", EntryPoint = "syscall")]
    private static partial nint SystemCall(nint number, SafeFileHandle file, Range* range, CacheStatus* status, uint flags);

    [StructLayout(LayoutKind.Sequential)]
    private struct Range
    {
        public ulong Offset;
        public ulong Length;
    }

    /// <summary>In pages.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct CacheStatus
    {
        public ulong Cached;
        public ulong Dirty;
        public ulong Writeback;
        public ulong Evicted;
        public ulong RecentlyEvicted;
    }
}
