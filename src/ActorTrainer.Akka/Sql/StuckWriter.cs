using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using ActorTrainer.Akka.Members;
using ActorTrainer.Core.Membership;
using ActorTrainer.Journal;
using Microsoft.Extensions.Logging;

namespace ActorTrainer.Akka.Sql;

/// <summary>
/// A node's process that is stopped (SIGSTOP) in the middle of a transaction keeps SQLite's write lock, and with it every other node from
/// writing, the lease that could down it included. Once Akka finds it unreachable it is ended, if its process really is stopped and holds the lock.
/// </summary>
internal sealed partial class StuckWriter(AkkaDatabase database, string path, ILogger logger)
{
    /// <summary>Looks, and ends the process if all of that is so.</summary>
    public void Look(ClusterSight sight)
    {
        if (!database.IsSqlite || !OperatingSystem.IsLinux())
        {
            return;
        }

        foreach (MemberPlace place in sight.Places)
        {
            bool away = sight.View.Find(place.Row.Incarnation)?.State is MemberState.Suspect or MemberState.Down;
            if (away && place.Row.Pid != Environment.ProcessId && IsStopped(place.Row.Pid) && WalLock.FindWriter(path) == place.Row.Pid)
            {
                End(place.Row.Pid);
            }
        }
    }

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

    /// <summary>Whether a process is stopped by a signal: state T of <c>/proc/PID/stat</c>, behind the command's name in parentheses.</summary>
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

    [LoggerMessage(Level = LogLevel.Warning, Message = "process {Pid} is stopped and unreachable and holds the write lock of {Path}: it is ended, so that the others can go on")]
    private static partial void LogEnded(ILogger logger, int pid, string path);

    [LoggerMessage(Level = LogLevel.Warning, Message = "process {Pid} is stopped and holds the write lock of {Path}, and could not be ended: {Problem}")]
    private static partial void LogNotEnded(ILogger logger, int pid, string path, string problem);
}
