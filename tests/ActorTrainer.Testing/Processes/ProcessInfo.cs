using System.Globalization;

namespace ActorTrainer.Testing.Processes;

/// <summary>A process of this machine as <c>/proc</c> shows it.</summary>
/// <param name="Pid">Its id.</param>
/// <param name="Parent">Its parent's id.</param>
/// <param name="CommandLine">Its arguments, joined by spaces.</param>
public sealed record ProcessInfo(int Pid, int Parent, string CommandLine)
{
    /// <summary>Whether a signal or a debugger keeps it from doing anything.</summary>
    public bool IsStopped { get; init; }

    /// <summary>When it started, in clock ticks since boot: with the id it names a process for ever.</summary>
    public long StartTicks { get; init; }

    /// <summary>All processes that this user may look at and that are no zombies.</summary>
    public static IEnumerable<ProcessInfo> All()
    {
        foreach (string folder in Directory.EnumerateDirectories("/proc"))
        {
            if (
                int.TryParse(Path.GetFileName(folder), NumberStyles.None, CultureInfo.InvariantCulture, out int pid)
                && Read(pid) is { } process
            )
            {
                yield return process;
            }
        }
    }

    /// <summary>A process, or null when there is none or only its zombie.</summary>
    public static ProcessInfo? Read(int pid)
    {
        if (ReadFile(pid, "stat") is not { Length: > 0 } stat || ReadFile(pid, "cmdline") is not { } command)
        {
            return null;
        }

        // The name, in parentheses, may hold blanks and parentheses.
        string[] fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
        return fields[0] is "Z" or "X"
            ? null
            : new ProcessInfo(pid, int.Parse(fields[1], CultureInfo.InvariantCulture), command.TrimEnd('\0').Replace('\0', ' '))
            {
                IsStopped = fields[0] is "T" or "t",
                StartTicks = long.Parse(fields[19], CultureInfo.InvariantCulture),
            };
    }

    /// <summary>A variable of the environment that it was started with, or null.</summary>
    public string? Variable(string name)
    {
        string prefix = name + "=";
        return ReadFile(Pid, "environ")?.Split('\0').FirstOrDefault(v => v.StartsWith(prefix, StringComparison.Ordinal))?[prefix.Length..];
    }

    /// <summary>Memory that a process has resident, in bytes; of its own, without what it shares with files.</summary>
    public static long ResidentBytes(int pid)
    {
        string line = File.ReadLines($"/proc/{pid}/status").First(l => l.StartsWith("RssAnon:", StringComparison.Ordinal));
        return long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) * 1024;
    }

    /// <summary>Processor time that a process has used since it began, in steps of a hundredth of a second.</summary>
    /// <exception cref="InvalidOperationException">There is no such process.</exception>
    public static TimeSpan CpuTime(int pid)
    {
        string stat = ReadFile(pid, "stat") ?? throw new InvalidOperationException($"there is no process {pid}");
        string[] fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
        return TimeSpan.FromMilliseconds(
            10 * (long.Parse(fields[11], CultureInfo.InvariantCulture) + long.Parse(fields[12], CultureInfo.InvariantCulture))
        );
    }

    private static string? ReadFile(int pid, string file)
    {
        try
        {
            return File.ReadAllText($"/proc/{pid}/{file}");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
