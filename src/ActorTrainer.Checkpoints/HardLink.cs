using System.Runtime.InteropServices;
using System.Runtime.InteropServices.Marshalling;

namespace ActorTrainer.Checkpoints;

/// <summary>A second name for a file's bytes.</summary>
internal static partial class HardLink
{
    /// <summary>
    /// Whether it was made, with the text of the new name as it stands; false where the file system or the system cannot, or the file is
    /// not there.
    /// </summary>
    public static bool TryCreate(string existing, string name) => !OperatingSystem.IsWindows() && Link(existing, name) == 0;

    [LibraryImport("libc", EntryPoint = "link", SetLastError = true)]
    private static partial int Link(
        [MarshalUsing(typeof(NativePathMarshaller))] string existing,
        [MarshalAs(UnmanagedType.LPUTF8Str)] string name
    );
}
