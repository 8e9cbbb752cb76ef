using System.ComponentModel;
using System.Runtime.InteropServices;

namespace ActorTrainer.Testing.Processes;

/// <summary>Sends POSIX signals.</summary>
public static partial class Signals
{
    /// <summary>SIGKILL.</summary>
    public const int Kill = 9;

    /// <summary>SIGTERM.</summary>
    public const int Terminate = 15;

    /// <summary>SIGCONT on Linux.</summary>
    public const int Continue = 18;

    /// <summary>SIGSTOP on Linux.</summary>
    public const int Stop = 19;

    /// <summary>Sends a signal to a process that the caller started.</summary>
    /// <exception cref="Win32Exception">There is no such process.</exception>
    public static void Send(int pid, int signal)
    {
        if (SendCore(pid, signal) != 0)
        {
            throw new Win32Exception(Marshal.GetLastPInvokeError(), $"signal {signal} could not be sent to process {pid}");
        }
    }

    /// <summary>Sends a signal to a process that may have gone.</summary>
    /// <returns>Whether there was such a process.</returns>
    public static bool TrySend(int pid, int signal) => SendCore(pid, signal) == 0;

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int SendCore(int pid, int signal);
}
