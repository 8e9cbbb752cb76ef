using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace ActorTrainer.Runtime.Workers.Guard;

/// <summary>A living process as <c>/proc</c> shows it.</summary>
/// <param name="Pid">Process id.</param>
/// <param name="Parent">Its parent's id.</param>
/// <param name="Group">Its process group.</param>
/// <param name="StartTicks">When it started, in clock ticks since boot: with the id it names a process for ever.</param>
internal readonly record struct ProcessEntry(int Pid, int Parent, int Group, long StartTicks);

/// <summary>Reads the processes of this machine. Linux only; empty elsewhere.</summary>
internal static class ProcessTable
{
    private static readonly TimeSpan LongestExec = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan SeemsEmpty = TimeSpan.FromMilliseconds(100);

    /// <summary>All processes that live; those that only wait to be collected by their parent are left out.</summary>
    public static Dictionary<int, ProcessEntry> Read()
    {
        Dictionary<int, ProcessEntry> table = [];
        if (!OperatingSystem.IsLinux())
        {
            return table;
        }

        foreach (string directory in Directory.EnumerateDirectories("/proc"))
        {
            if (
                int.TryParse(Path.GetFileName(directory.AsSpan()), NumberStyles.None, CultureInfo.InvariantCulture, out int pid)
                && ReadOne(pid) is { } entry
            )
            {
                table[pid] = entry;
            }
        }

        return table;
    }

    /// <summary>One process, or null when it is gone or only waits to be collected.</summary>
    public static ProcessEntry? ReadOne(int pid) =>
        ReadFields(pid) is { } fields && !IsDead(fields)
            ? new ProcessEntry(pid, Number(fields[1]), Number(fields[2]), long.Parse(fields[19], CultureInfo.InvariantCulture))
            : null;

    /// <summary>The children of a process, with those that only wait to be collected; null where the kernel does not list them.</summary>
    public static IReadOnlyList<int>? ChildrenOf(int pid)
    {
        List<int> children = [];
        try
        {
            foreach (string thread in Directory.EnumerateDirectories($"/proc/{pid}/task"))
            {
                string text = File.ReadAllText(Path.Combine(thread, "children"));
                children.AddRange(
                    text.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(child => int.Parse(child, CultureInfo.InvariantCulture))
                );
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }

        return children;
    }

    private static bool IsDead(string[] fields) => fields[0] is "Z" or "X" or "x";

    /// <summary>The fields of <c>/proc/PID/stat</c> from the third, the state, on.</summary>
    private static string[]? ReadFields(int pid)
    {
        string text;
        try
        {
            text = File.ReadAllText($"/proc/{pid}/stat");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }

        // The name may hold blanks and parentheses; the last closing one ends it.
        int end = text.LastIndexOf(')');
        string[] fields = end < 0 ? [] : text[(end + 2)..].Split(' ');
        return fields.Length < 20 ? null : fields;
    }

    /// <summary>
    /// Whether a process has begun to end, or is gone. The kernel marks it before it closes the process's files: a file that was closed
    /// while its writer is not ending was closed by the writer's own will.
    /// </summary>
    /// <param name="pid">Its id.</param>
    /// <param name="startTicks">When it started: the id may be a stranger's by now.</param>
    public static bool IsEnding(int pid, long startTicks)
    {
        const uint exiting = 0x4;
        return ReadFields(pid) is not { } fields
            || IsDead(fields)
            || (uint.Parse(fields[6], CultureInfo.InvariantCulture) & exiting) != 0
            || long.Parse(fields[19], CultureInfo.InvariantCulture) != startTicks;
    }

    /// <summary>Now, on the clock of <see cref="ProcessEntry.StartTicks"/>; 0 where there is no such clock.</summary>
    public static long NowTicks()
    {
        // Linux tells times to programs in hundredths of a second, whatever its kernel counts in.
        const double ticksPerSecond = 100;
        return OperatingSystem.IsLinux()
            ? (long)(double.Parse(File.ReadAllText("/proc/uptime").Split(' ')[0], CultureInfo.InvariantCulture) * ticksPerSecond)
            : 0;
    }

    /// <summary>The memory that a process holds, in bytes; null when that is not known.</summary>
    public static long? MemoryOf(int pid)
    {
        const string field = "VmRSS:";
        try
        {
            string? line = File.ReadLines($"/proc/{pid}/status").FirstOrDefault(text => text.StartsWith(field, StringComparison.Ordinal));
            return line is null
                ? null
                : long.Parse(line[field.Length..].Replace("kB", "", StringComparison.Ordinal), CultureInfo.InvariantCulture) * 1024;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or FormatException)
        {
            return null;
        }
    }

    /// <summary>
    /// The processor time of a process and of those of its children that it has waited for, in clock ticks (hundredths of a second); 0 when
    /// it is gone.
    /// </summary>
    public static long ProcessorTicksOf(int pid) =>
        ReadFields(pid) is { } fields ? fields[11..15].Sum(field => long.Parse(field, CultureInfo.InvariantCulture)) : 0;

    /// <summary>The name of a process, at most 15 characters; null when it is gone.</summary>
    public static string? NameOf(int pid)
    {
        try
        {
            return File.ReadAllText($"/proc/{pid}/comm").Trim();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>All processes whose chain of parents leads to <paramref name="root"/>, without it.</summary>
    public static List<ProcessEntry> DescendantsOf(int root, Dictionary<int, ProcessEntry> table)
    {
        ILookup<int, ProcessEntry> children = table.Values.ToLookup(entry => entry.Parent);
        List<ProcessEntry> found = [];
        Queue<int> open = new([root]);
        HashSet<int> seen = [root];
        while (open.TryDequeue(out int parent))
        {
            foreach (ProcessEntry child in children[parent].Where(child => seen.Add(child.Pid)))
            {
                found.Add(child);
                open.Enqueue(child.Pid);
            }
        }

        return found;
    }

    /// <summary>What there is of an environment at this moment; null when it is nobody's business here.</summary>
    private static byte[]? ReadEnvironment(int pid)
    {
        try
        {
            return File.ReadAllBytes($"/proc/{pid}/environ");
        }
        catch (IOException)
        {
            return [];
        }
        catch (UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>
    /// The bytes of the environment of a process; null: it has none, as threads of the kernel and those that end, and never will; -1: it
    /// will have one. A process that has given its program up for the next (<c>exec</c>) has none yet: on a busy machine until that is read
    /// from the disk.
    /// </summary>
    private static long? EnvironmentSizeOf(int pid)
    {
        const uint ofTheKernelOrEnding = 0x00200000 | 0x4;
        const int from = 47;
        const int to = 48;
        if (
            ReadFields(pid) is not { Length: > to } fields
            || IsDead(fields)
            || (uint.Parse(fields[6], CultureInfo.InvariantCulture) & ofTheKernelOrEnding) != 0
        )
        {
            return null;
        }

        ulong end = ulong.Parse(fields[to], CultureInfo.InvariantCulture);
        return end == 0 ? -1 : (long)(end - ulong.Parse(fields[from], CultureInfo.InvariantCulture));
    }

    /// <summary>
    /// The value of a variable in the environment that a process was started with; null when it has none or may not be read.
    /// </summary>
    public static string? EnvironmentOf(int pid, string variable)
    {
        byte[] prefix = Encoding.UTF8.GetBytes(variable + "=");
        long began = Stopwatch.GetTimestamp();
        while (ReadEnvironment(pid) is { } bytes)
        {
            if (Find(bytes, prefix) is { } value)
            {
                return value;
            }

            // What was read breaks off where another program was begun meanwhile, of which the environment seems to be empty for a moment.
            if (
                EnvironmentSizeOf(pid) is not { } size
                || (size > 0 && size == bytes.Length)
                || Stopwatch.GetElapsedTime(began) > (size == 0 ? SeemsEmpty : LongestExec)
            )
            {
                return null;
            }

            _ = Thread.Yield();
        }

        return null;
    }

    private static string? Find(ReadOnlySpan<byte> environment, ReadOnlySpan<byte> prefix)
    {
        while (!environment.IsEmpty)
        {
            int end = environment.IndexOf((byte)0);
            ReadOnlySpan<byte> item = end < 0 ? environment : environment[..end];
            if (item.StartsWith(prefix))
            {
                return Encoding.UTF8.GetString(item[prefix.Length..]);
            }

            environment = end < 0 ? default : environment[(end + 1)..];
        }

        return null;
    }

    private static int Number(string field) => int.Parse(field, CultureInfo.InvariantCulture);
}
