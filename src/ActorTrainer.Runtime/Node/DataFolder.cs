namespace ActorTrainer.Runtime.Node;

/// <summary>A node's data directory.</summary>
internal static class DataFolder
{
    /// <summary>
    /// Makes it where it is missing, and takes it for this process: two nodes on one data directory would end each other's workers as
    /// orphans.
    /// </summary>
    /// <exception cref="IOException">It cannot be made, written or had alone; says which directory, why, and what to do.</exception>
    public static FileStream Lock(string directory)
    {
        string file = Path.Combine(directory, "node.lock");
        try
        {
            Directory.CreateDirectory(directory);
            return new FileStream(file, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException e) when (File.Exists(file))
        {
            throw new IOException(
                $"the data directory {directory} belongs to another node that runs: "
                    + "give each node its own (--data-dir, or actortrainer.node.data-dir)",
                e
            );
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new IOException(
                $"the data directory {directory} cannot be used: {Reason(directory, e)}. It has to be a folder that this user can write, "
                    + "or that can be made: mend that, or name another one (--data-dir, or actortrainer.node.data-dir)",
                e
            );
        }
    }

    /// <summary>The system's words name what it tripped over, and seldom why.</summary>
    private static string Reason(string directory, Exception error)
    {
        for (string? path = directory; path is not null; path = Path.GetDirectoryName(path))
        {
            if (File.Exists(path))
            {
                return $"{path} is a file";
            }
        }

        return Directory.Exists(directory)
            ? $"no file can be made in it ({error.Message.TrimEnd('.')})"
            : $"it cannot be made ({error.Message.TrimEnd('.')})";
    }
}
