using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace ActorTrainer.Checkpoints;

/// <summary>Starts to bring written bytes to the disk, without waiting for them and without any promise.</summary>
internal static partial class Writeback
{
    private const uint StartWriting = 2;

    /// <summary>Starts it where the system can (Linux); elsewhere, and when it fails, the sync at the end does all the work.</summary>
    public static void Start(SafeFileHandle file, long offset, long length)
    {
        if (OperatingSystem.IsLinux())
        {
            _ = SyncRange(file, offset, length, StartWriting);
        }
    }

    [LibraryImport("libc", EntryPoint = "sync_file_range")]
    private static partial int SyncRange(SafeFileHandle file, long offset, long length, uint flags);
}
