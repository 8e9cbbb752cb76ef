using System.Globalization;
using ActorTrainer.Checkpoints;

namespace ActorTrainer.Runtime.Workers.Files;

/// <summary>Which files processes have open for writing. Linux only; none elsewhere.</summary>
internal static class OpenWriters
{
    /// <summary>The files below a folder that any of the processes that may be looked at has open for writing.</summary>
    /// <param name="root">The folder, without links in its path.</param>
    /// <returns>Paths below the folder, each with the id of one of the processes.</returns>
    public static IReadOnlyDictionary<string, int> Of(string root)
    {
        Dictionary<string, int> open = new(StringComparer.Ordinal);
        if (!OperatingSystem.IsLinux())
        {
            return open;
        }

        string prefix = root + "/";
        foreach (string process in Directory.EnumerateDirectories("/proc"))
        {
            if (int.TryParse(Path.GetFileName(process.AsSpan()), NumberStyles.None, CultureInfo.InvariantCulture, out int pid))
            {
                Collect(process, pid, prefix, open);
            }
        }

        return open;
    }

    private static void Collect(string process, int pid, string prefix, Dictionary<string, int> open)
    {
        try
        {
            foreach (string descriptor in Directory.EnumerateFileSystemEntries(process + "/fd"))
            {
                string? target = NativeFiles.LinkTarget(descriptor);
                if (
                    target is not null
                    && target.StartsWith(prefix, StringComparison.Ordinal)
                    && IsWriting(process, Path.GetFileName(descriptor))
                )
                {
                    open[target[prefix.Length..]] = pid;
                }
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Another user's, or gone.
        }
    }

    private static bool IsWriting(string process, string descriptor)
    {
        string? flags = File.ReadLines($"{process}/fdinfo/{descriptor}")
            .FirstOrDefault(line => line.StartsWith("flags:", StringComparison.Ordinal));
        const long accessMode = 3;
        return flags is not null && (Convert.ToInt64(flags[6..].Trim(), 8) & accessMode) != 0;
    }
}
