namespace ActorTrainer.Core.Checkpoints;

/// <summary>The relative paths of a checkpoint's entries.</summary>
public static class EntryPath
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

    /// <summary>
    /// Whether a link at a path leads to somewhere below the folder, whatever other links stand there: its way up is the beginning of its
    /// text, and no longer than its own place is deep.
    /// </summary>
    /// <param name="path">Where the link stands.</param>
    /// <param name="target">What it says.</param>
    public static bool LeadsInside(string path, string target)
    {
        if (target.Length == 0 || target[0] == '/' || target.Contains('\0', StringComparison.Ordinal))
        {
            return false;
        }

        if (OperatingSystem.IsWindows() && target.AsSpan().ContainsAny('\\', ':'))
        {
            return false;
        }

        int up = 0;
        bool down = false;
        foreach (Range range in target.AsSpan().Split('/'))
        {
            ReadOnlySpan<char> segment = target.AsSpan(range);
            if (segment is "..")
            {
                up++;
                if (down)
                {
                    return false;
                }
            }
            else if (segment is not ("" or "."))
            {
                down = true;
            }
        }

        return up <= path.AsSpan().Count('/');
    }
}
