using System.Runtime.InteropServices;

namespace ActorTrainer.Checkpoints;

/// <summary>
/// Makes a folder's entries durable: a file that was created or renamed survives a power cut only once its folder is synced too.
/// </summary>
internal static partial class DirectorySync
{
    private const int CloseOnExec = 0x80000;
    private const int MacCloseOnExec = 0x1000000;
    private const int InvalidArgument = 22;
    private const int NotSupported = 95;

    /// <exception cref="IOException">The folder could not be synced.</exception>
    public static void Sync(string directory)
    {
        if (OperatingSystem.IsWindows())
        {
            // NTFS journals its entries; there is nothing to call.
            return;
        }

        int descriptor = Open(directory, OperatingSystem.IsMacOS() ? MacCloseOnExec : CloseOnExec);
        if (descriptor < 0)
        {
            throw Failed(directory, Marshal.GetLastPInvokeError());
        }

        try
        {
            if (Fsync(descriptor) != 0)
            {
                int error = Marshal.GetLastPInvokeError();
                if (error is not (InvalidArgument or NotSupported))
                {
                    // Some file systems cannot sync a folder and say so with one of these two; any other error is real.
                    throw Failed(directory, error);
                }
            }
        }
        finally
        {
            _ = Close(descriptor);
        }
    }

    private static IOException Failed(string directory, int error) =>
        new($"The folder '{directory}' could not be synced: {Marshal.GetPInvokeErrorMessage(error)}.", error);

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int Fsync(int descriptor);

    [LibraryImport("libc", EntryPoint = "close", SetLastError = true)]
    private static partial int Close(int descriptor);
}
