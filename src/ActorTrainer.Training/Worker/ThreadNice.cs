using System.Runtime.InteropServices;

namespace ActorTrainer.Training.Worker;

/// <summary>How much of the processor a thread takes from others. .NET's own thread priorities do nothing on Linux.</summary>
internal static partial class ThreadNice
{
    private const int ThisThread = 0;
    private const int Lowest = 19;

    /// <summary>This thread runs when others leave a processor, and takes little of it otherwise (Linux). It cannot be undone.</summary>
    public static void SetLowest()
    {
        if (OperatingSystem.IsLinux())
        {
            // What POSIX calls a process is a thread here.
            _ = SetPriority(0, ThisThread, Lowest);
        }
    }

    [LibraryImport("libc", EntryPoint = "setpriority")]
    private static partial int SetPriority(int which, int who, int nice);
}
