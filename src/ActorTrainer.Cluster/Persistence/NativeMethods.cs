using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace ActorTrainer.Cluster.Persistence;

/// <summary>
/// The calls of libc that .NET does not offer. Lock files are opened with open(2), not with FileStream: that takes a flock of
/// its own on every file it opens. The constants are Linux's.
/// </summary>
internal static partial class NativeMethods
{
    public const int LockShared = 1;
    public const int LockExclusive = 2;
    public const int LockNonBlocking = 4;
    public const int OpenReadWrite = 2;
    public const int OpenCreate = 0x40;
    public const int OpenCloseOnExec = 0x80000;
    public const int Interrupted = 4;
    public const int WouldBlock = 11;

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int OpenFile(string path, int flags, int mode);

    [LibraryImport("libc", EntryPoint = "flock", SetLastError = true)]
    private static partial int FlockFile(SafeFileHandle file, int operation);

    [LibraryImport("libc", EntryPoint = "statfs", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int StatFileSystem(string path, Span<byte> result);

    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Statx(int folder, string path, int flags, uint mask, Span<byte> result);

    /// <summary>Opens a file for reading and writing, not inherited by child processes. Null, and the error, when it fails.</summary>
    public static SafeFileHandle? Open(string path, bool create, out int error)
    {
        const int mode = 0x1A4; // rw-r--r--
        int descriptor = OpenFile(path, OpenReadWrite | OpenCloseOnExec | (create ? OpenCreate : 0), mode);
        error = descriptor < 0 ? Marshal.GetLastPInvokeError() : 0;
        return descriptor < 0 ? null : new SafeFileHandle(descriptor, ownsHandle: true);
    }

    /// <summary>flock(2); goes on after signals. Returns 0 or the error.</summary>
    public static int Flock(SafeFileHandle file, int operation)
    {
        while (FlockFile(file, operation) != 0)
        {
            int error = Marshal.GetLastPInvokeError();
            if (error != Interrupted)
            {
                return error;
            }
        }

        return 0;
    }

    /// <summary>The magic number of the file system that holds a path, or null.</summary>
    public static uint? FileSystemType(string path)
    {
        Span<byte> result = stackalloc byte[256];
        return StatFileSystem(path, result) == 0 ? MemoryMarshal.Read<uint>(result) : null;
    }

    /// <summary>What an error number means, in the system's words.</summary>
    public static string Describe(int error) => Marshal.GetPInvokeErrorMessage(error);
}
