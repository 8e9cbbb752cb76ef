using System.Runtime.InteropServices;
using ActorTrainer.Testing.Checkpoints;

namespace ActorTrainer.Checkpoints.Tests;

/// <summary>A file system of its own, small or read-only; there is one when the test runs as root and may mount.</summary>
internal sealed partial class TinyDisk : IDisposable
{
    private const ulong ReadOnlyFlag = 1;
    private const ulong RemountFlag = 32;
    private const int DetachFlag = 2;

    private readonly TemporaryFolder _folder = new();

    private TinyDisk() => Root = Directory.CreateDirectory(_folder["disk"]).FullName;

    public string Root { get; }

    /// <summary>Null when mounting is not allowed here.</summary>
    public static TinyDisk? TryMount(int kibibytes)
    {
        TinyDisk disk = new();
        if (OperatingSystem.IsLinux() && Mount("tmpfs", disk.Root, "tmpfs", 0, $"size={kibibytes}k") == 0)
        {
            return disk;
        }

        disk._folder.Dispose();
        return null;
    }

    public void MakeReadOnly() => Mount("tmpfs", Root, "tmpfs", ReadOnlyFlag | RemountFlag, null).ShouldBe(0);

    public void Dispose()
    {
        Unmount(Root, DetachFlag).ShouldBe(0);
        _folder.Dispose();
    }

    [LibraryImport("libc", EntryPoint = "mount", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Mount(string source, string target, string type, ulong flags, string? data);

    [LibraryImport("libc", EntryPoint = "umount2", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Unmount(string target, int flags);
}
