using System.Globalization;

namespace ActorTrainer.Runtime.Workers.Memory;

/// <summary>The memory of the machine.</summary>
internal static class MachineMemory
{
    private const string File = "/proc/meminfo";
    private const int OneOf = 10;

    /// <summary>Whether less than a tenth of it can still be given to anybody; false where that is not known (it is on Linux).</summary>
    public static bool IsShort()
    {
        try
        {
            return OperatingSystem.IsLinux() && IsShortBy(System.IO.File.ReadAllLines(File));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    /// <summary>The same by the lines of <c>/proc/meminfo</c>.</summary>
    internal static bool IsShortBy(IReadOnlyList<string> lines) =>
        Find(lines, "MemTotal:") is { } total && Find(lines, "MemAvailable:") is { } available && available < total / OneOf;

    private static long? Find(IReadOnlyList<string> lines, string name) =>
        lines.FirstOrDefault(line => line.StartsWith(name, StringComparison.Ordinal)) is { } line
        && long.TryParse(
            line[name.Length..].Replace("kB", "", StringComparison.Ordinal).Trim(),
            NumberStyles.None,
            CultureInfo.InvariantCulture,
            out long value
        )
            ? value
            : null;
}
