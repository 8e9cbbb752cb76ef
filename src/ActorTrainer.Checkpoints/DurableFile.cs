namespace ActorTrainer.Checkpoints;

/// <summary>Writes small files so that they are whole or absent after a power cut.</summary>
internal static class DurableFile
{
    /// <summary>
    /// Creates the file and syncs its bytes; the folder is the caller's to sync. A file that could not be completed is removed.
    /// </summary>
    /// <param name="disk">Where.</param>
    /// <param name="path">The file.</param>
    /// <param name="bytes">Its content.</param>
    /// <exception cref="IOException">It exists already or could not be written.</exception>
    public static void Write(IDisk disk, string path, ReadOnlySpan<byte> bytes)
    {
        bool made = false;
        try
        {
            using IDiskFile file = disk.Create(path);
            made = true;
            file.Append(bytes);
            file.Sync();
        }
        catch
        {
            if (made)
            {
                TryUnlink(disk, path);
            }

            throw;
        }
    }

    /// <summary>Removes what is left of a file that was not completed, as far as the disk lets it.</summary>
    public static void TryUnlink(IDisk disk, string path)
    {
        try
        {
            disk.Unlink(path);
        }
        catch (Exception e) when (StoreErrors.IsFromSystem(e))
        {
            // What stays is garbage without a name; the next activation condemns it. The error that brought us here matters more.
        }
    }
}
