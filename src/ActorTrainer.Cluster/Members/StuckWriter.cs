using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using ActorTrainer.Cluster.Persistence;
using ActorTrainer.Core.Membership;
using Microsoft.Extensions.Logging;

namespace ActorTrainer.Cluster.Members;

/// <summary>
/// A node's process that is stopped (SIGSTOP) in the middle of a transaction keeps SQLite's write lock, and with it every other node from
/// writing, the record of who is down included. Once Akka finds it unreachable it is ended, if two checks in a row find it stopped with the
/// lock in its hands. A process that is just being continued is not such a one, although it may have been stopped a moment ago and write
/// now.
/// </summary>
internal sealed partial class StuckWriter(JournalDatabase database, string path, ILogger logger)
{
    private int _stuckBefore;

    /// <summary>Checks, and ends the process if all of that is so. Called now and then, by one caller at a time.</summary>
    public void Check(ClusterView view)
    {
        if (!database.IsSqlite || !OperatingSystem.IsLinux())
        {
            return;
        }

        int stuck = view
            .Members.Where(m => m.State is MemberState.Suspect or MemberState.Down && m.Pid != Environment.ProcessId)
            .Select(m => m.Pid)
            .FirstOrDefault(IsStuck);
        if (stuck != 0 && stuck == _stuckBefore)
        {
            End(stuck);
        }

        _stuckBefore = stuck;
    }

    /// <summary>Stopped before and after it was seen with the lock: it holds it while it is stopped.</summary>
    private bool IsStuck(int pid) => IsStopped(pid) && WalLock.FindWriter(path) == pid && IsStopped(pid);

    private void End(int pid)
    {
        try
        {
            using Process process = Process.GetProcessById(pid);
            LogEnded(logger, pid, path);
            process.Kill();
        }
        catch (Exception e) when (e is ArgumentException or InvalidOperationException or Win32Exception)
        {
            LogNotEnded(logger, pid, path, e.Message);
        }
    }

    /// <summary>
    /// Whether a process is stopped by a signal: state T of <c>/proc/PID/stat</c>, behind the command's name in parentheses.
    /// </summary>
    private static bool IsStopped(int pid)
    {
        try
        {
            string stat = File.ReadAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/stat"));
            return stat.AsSpan(stat.LastIndexOf(')') + 1).TrimStart().StartsWith("T");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "process {Pid} is stopped and unreachable and holds the write lock of {Path}: it is ended, so that the others can go on"
    )]
    private static partial void LogEnded(ILogger logger, int pid, string path);

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "process {Pid} is stopped and holds the write lock of {Path}, and could not be ended: {Problem}"
    )]
    private static partial void LogNotEnded(ILogger logger, int pid, string path, string problem);
}
