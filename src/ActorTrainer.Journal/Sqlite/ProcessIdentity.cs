using System.Globalization;

namespace ActorTrainer.Journal.Sqlite;

/// <summary>
/// Names one process beyond the reuse of its number: the pid, when it started (in clock ticks since boot, field 22 of
/// <c>/proc/PID/stat</c>), and the pid namespace in which the number means something.
/// </summary>
internal readonly record struct ProcessIdentity(int Pid, ulong StartTime, string Namespace)
{
    /// <summary>This process.</summary>
    public static ProcessIdentity Current { get; } =
        new(Environment.ProcessId, StartTimeOf(Environment.ProcessId) ?? 0, ReadNamespace());

    /// <summary>Whether this very process still exists and can be seen from here.</summary>
    public bool IsRunning => StartTime != 0 && Namespace == Current.Namespace && StartTimeOf(Pid) == StartTime;

    /// <summary>When a process started, or null when there is none of that number.</summary>
    public static ulong? StartTimeOf(int pid)
    {
        try
        {
            string stat = File.ReadAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/stat"));

            // The second field is the command's name in parentheses and may contain anything, so fields are counted from its end.
            string[] fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
            return ulong.Parse(fields[19], CultureInfo.InvariantCulture);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or IndexOutOfRangeException or FormatException)
        {
            return null;
        }
    }

    private static string ReadNamespace()
    {
        try
        {
            return new FileInfo("/proc/self/ns/pid").LinkTarget ?? "-";
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "-";
        }
    }
}
