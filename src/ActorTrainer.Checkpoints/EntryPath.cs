namespace ActorTrainer.Checkpoints;

/// <summary>The relative paths of a checkpoint's entries.</summary>
internal static class EntryPath
{
    /// <summary>Whether the path stays below the folder that it is put under, on this system.</summary>
    public static bool IsSafe(string path)
    {
        if (path.Length == 0 || path.Contains('\0', StringComparison.Ordinal))
        {
            return false;
        }

        if (OperatingSystem.IsWindows() && path.AsSpan().ContainsAny('\\', ':'))
        {
            return false;
        }

        foreach (Range range in path.AsSpan().Split('/'))
        {
            if (path.AsSpan(range) is "" or "." or "..")
            {
                return false;
            }
        }

        return true;
    }
}
