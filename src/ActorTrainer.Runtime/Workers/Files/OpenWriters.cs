using System.Globalization;

namespace ActorTrainer.Runtime.Workers.Files;

/// <summary>Whether a process has a file below a folder open for writing. Linux only; never elsewhere.</summary>
internal static class OpenWriters
{
    /// <param name="root">The folder, without links in its path.</param>
    public static bool Any(string root)
    {
        if (!OperatingSystem.IsLinux())
        {
            return false;
        }

        string prefix = root + "/";
        foreach (string process in Directory.EnumerateDirectories("/proc"))
        {
            if (
                int.TryParse(Path.GetFileName(process.AsSpan()), NumberStyles.None, CultureInfo.InvariantCulture, out int pid)
                && HasWriter(process, prefix)
            )
            {
                return true;
            }
        }

        return false;
    }

    private static bool HasWriter(string process, string prefix)
    {
        try
        {
            foreach (string descriptor in Directory.EnumerateFileSystemEntries(process + "/fd"))
            {
                string? target = new FileInfo(descriptor).LinkTarget;
                if (
                    target is not null
                    && target.StartsWith(prefix, StringComparison.Ordinal)
                    && FolderCapture.IsWaitedFor(target[prefix.Length..])
                    && IsWriting(process, Path.GetFileName(descriptor))
                )
                {
                    return true;
                }
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Another user's, or gone.
        }

        return false;
    }

    private static bool IsWriting(string process, string descriptor)
    {
        string? flags = File.ReadLines($"{process}/fdinfo/{descriptor}")
            .FirstOrDefault(line => line.StartsWith("flags:", StringComparison.Ordinal));
        const long accessMode = 3;
        return flags is not null && (Convert.ToInt64(flags[6..].Trim(), 8) & accessMode) != 0;
    }
}
