using System.Globalization;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace ActorTrainer.Checkpoints;

/// <summary>
/// Memory without a name in any file system, which other processes of the same user open by a path. It can grow and never shrinks, so that
/// nobody who has it mapped can be ended by another's cut. Linux only.
/// </summary>
internal sealed partial class SharedMemory : IDisposable
{
    private const uint CloseOnExecAndSealable = 1 | 2;
    private const int AddSeals = 1033;
    private const int SealAgainstSeals = 1;
    private const int SealAgainstShrinking = 2;

    private SharedMemory(SafeFileHandle file) => File = file;

    public SafeFileHandle File { get; }

    /// <summary>Where another process opens it as long as it is not disposed of.</summary>
    public string Path => string.Create(CultureInfo.InvariantCulture, $"/proc/{Environment.ProcessId}/fd/{File.DangerousGetHandle()}");

    /// <summary>In bytes.</summary>
    public long Length => RandomAccess.GetLength(File);

    /// <summary>Makes one without any byte; null where the system has none to give.</summary>
    public static SharedMemory? TryCreate()
    {
        if (!OperatingSystem.IsLinux())
        {
            return null;
        }

        int descriptor = Create("actortrainer-state", CloseOnExecAndSealable);
        if (descriptor < 0)
        {
            return null;
        }

        SharedMemory memory = new(new SafeFileHandle(descriptor, ownsHandle: true));
        if (Control(memory.File, AddSeals, SealAgainstShrinking | SealAgainstSeals) != 0)
        {
            memory.Dispose();
            return null;
        }

        return memory;
    }

    public void Dispose() => File.Dispose();

    [LibraryImport("libc", EntryPoint = "memfd_create", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Create(string name, uint flags);

    [LibraryImport("libc", EntryPoint = "fcntl")]
    private static partial int Control(SafeFileHandle file, int command, int argument);
}
