using System.Globalization;

namespace ActorTrainer.Testing.Processes;

/// <summary>A process of this machine as <c>/proc</c> shows it.</summary>
/// <param name="Pid">Its id.</param>
/// <param name="Parent">Its parent's id.</param>
/// <param name="CommandLine">Its arguments, joined by spaces.</param>
public sealed record ProcessInfo(int Pid, int Parent, string CommandLine)
{
    /// <summary>All processes that this user may look at and that are no zombies.</summary>
    public static IEnumerable<ProcessInfo> All()
    {
        foreach (string folder in Directory.EnumerateDirectories("/proc"))
        {
            if (int.TryParse(Path.GetFileName(folder), NumberStyles.None, CultureInfo.InvariantCulture, out int pid) && Read(pid) is { } process)
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
        return fields[0] is "Z" or "X" ? null : new ProcessInfo(pid, int.Parse(fields[1], CultureInfo.InvariantCulture), command.TrimEnd('\0').Replace('\0', ' '));
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
