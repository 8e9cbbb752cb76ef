using System.Runtime.InteropServices;

namespace ActorTrainer.Runtime.Workers.Guard;

/// <summary>The system calls that .NET has no face for. Numbers are those of Linux; macOS shares the ones used there.</summary>
internal static unsafe partial class Posix
{
    public const int SignalHangup = 1;
    public const int SignalInterrupt = 2;
    public const int SignalQuit = 3;
    public const int SignalKill = 9;
    public const int SignalTerminate = 15;

    public const int ErrorNoEntry = 2;
    public const int ErrorInterrupted = 4;
    public const int ErrorTooBig = 7;
    public const int ErrorNotExecutable = 8;
    public const int ErrorNoChild = 10;
    public const int ErrorAccess = 13;

    public static int SignalContinue => OperatingSystem.IsMacOS() ? 19 : 18;

    private const int PrSetChildSubreaper = 36;
    private const int OpenCloseOnExecLinux = 0x80000;
    private const int SetFileDescriptorFlags = 2;
    private const int CloseOnExec = 1;
    private const int SetPipeSize = 1031;
    private const int PipeBytes = 1 << 20;
    private const int ExecuteAccess = 1;
    private const int PriorityProcess = 0;
    private const int PriorityGroup = 1;
    private const short PollReadable = 1;

    /// <summary>Waits until a descriptor can be read, at most for so long.</summary>
    public static void WaitReadable(int descriptor, TimeSpan atMost)
    {
        PollEntry entry = new() { Descriptor = descriptor, Events = PollReadable };
        _ = Poll(&entry, 1, (int)atMost.TotalMilliseconds);
    }

    /// <summary>Makes this process the parent of every descendant whose own parent ends. Linux only.</summary>
    public static bool TrySetChildSubreaper() => OperatingSystem.IsLinux() && Prctl(PrSetChildSubreaper, 1, 0, 0, 0) == 0;

    /// <summary>A pipe that children started otherwise do not inherit.</summary>
    public static (int Read, int Write) CreatePipe()
    {
        int* ends = stackalloc int[2];
        int result = OperatingSystem.IsLinux() ? Pipe2(ends, OpenCloseOnExecLinux) : Pipe(ends);
        if (result != 0)
        {
            throw new IOException($"no pipe: {LastError()}");
        }

        if (OperatingSystem.IsLinux())
        {
            // Fewer switches between writer and reader on a machine that is busy. A refusal costs nothing.
            _ = Fcntl(ends[0], SetPipeSize, PipeBytes);
        }

        return (ends[0], ends[1]);
    }

    /// <summary>Keeps every descriptor but the standard three from processes that are started from now on.</summary>
    public static void KeepDescriptorsFromChildren()
    {
        if (!OperatingSystem.IsLinux())
        {
            return;
        }

        foreach (string entry in Directory.GetFileSystemEntries("/proc/self/fd"))
        {
            if (int.TryParse(Path.GetFileName(entry), out int descriptor) && descriptor > 2)
            {
                _ = Fcntl(descriptor, SetFileDescriptorFlags, CloseOnExec);
            }
        }
    }

    /// <summary>Reads and drops what a pipe holds now, without waiting for more.</summary>
    public static void DropWhatIsIn(int pipe)
    {
        byte* buffer = stackalloc byte[4096];
        PollEntry entry = new() { Descriptor = pipe, Events = PollReadable };
        while (Poll(&entry, 1, 0) > 0 && (entry.Returned & PollReadable) != 0 && Read(pipe, buffer, 4096) > 0) { }
    }

    public static bool IsExecutable(string path) => Access(path, ExecuteAccess) == 0;

    /// <summary>The path without links, or null when there is none.</summary>
    public static string? RealPath(string path)
    {
        byte* resolved = RealPathNative(path, null);
        if (resolved is null)
        {
            return null;
        }

        string? text = Marshal.PtrToStringUTF8((nint)resolved);
        NativeMemory.Free(resolved);
        return text;
    }

    /// <summary>Adds to the niceness that this process has, for every process and thread of a group.</summary>
    public static void AddNice(int group, int nice) =>
        _ = SetPriority(PriorityGroup, group, Math.Min(19, GetPriority(PriorityProcess, 0) + nice));

    public static string LastError() => Describe(Marshal.GetLastPInvokeError());

    public static string Describe(int error) => Marshal.GetPInvokeErrorMessage(error);

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    public static partial int Kill(int pid, int signal);

    [LibraryImport("libc", EntryPoint = "setsid", SetLastError = true)]
    public static partial int SetSession();

    [LibraryImport("libc", EntryPoint = "signal", SetLastError = true)]
    public static partial nint Signal(int signal, nint handler);

    [LibraryImport("libc", EntryPoint = "waitpid", SetLastError = true)]
    public static partial int WaitPid(int pid, out int status, int options);

    [LibraryImport("libc", EntryPoint = "close", SetLastError = true)]
    public static partial int Close(int descriptor);

    [LibraryImport("libc", EntryPoint = "_exit")]
    public static partial void ExitNow(int code);

    [LibraryImport("libc", EntryPoint = "prctl", SetLastError = true)]
    private static partial int Prctl(int option, nuint a, nuint b, nuint c, nuint d);

    [LibraryImport("libc", EntryPoint = "pipe2", SetLastError = true)]
    private static partial int Pipe2(int* ends, int flags);

    [LibraryImport("libc", EntryPoint = "pipe", SetLastError = true)]
    private static partial int Pipe(int* ends);

    [LibraryImport("libc", EntryPoint = "fcntl", SetLastError = true)]
    private static partial int Fcntl(int descriptor, int command, int argument);

    [LibraryImport("libc", EntryPoint = "poll", SetLastError = true)]
    private static partial int Poll(PollEntry* entries, nuint count, int timeoutMs);

    [LibraryImport("libc", EntryPoint = "read", SetLastError = true)]
    private static partial nint Read(int descriptor, byte* buffer, nuint count);

    [LibraryImport("libc", EntryPoint = "access", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Access(string path, int mode);

    [LibraryImport("libc", EntryPoint = "realpath", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial byte* RealPathNative(string path, byte* buffer);

    [LibraryImport("libc", EntryPoint = "setpriority", SetLastError = true)]
    private static partial int SetPriority(int which, int who, int priority);

    [LibraryImport("libc", EntryPoint = "getpriority", SetLastError = true)]
    private static partial int GetPriority(int which, int who);

    /// <summary>The C library's <c>pollfd</c>.</summary>
    private struct PollEntry
    {
        public int Descriptor;
        public short Events;
        public short Returned;
    }
}
