namespace ActorTrainer.Checkpoints;

/// <summary>Writes small files so that they are whole or absent after a power cut.</summary>
internal static class DurableFile
{
    /// <summary>
    /// Creates the file and syncs its bytes; the folder is the caller's to sync. A file that could not be completed is removed.
    /// </summary>
    /// <exception cref="IOException">It exists already or could not be written.</exception>
    public static void Write(string path, ReadOnlySpan<byte> bytes)
    {
        using FileStream file = new(path, FileMode.CreateNew, FileAccess.Write, FileShare.Read, bufferSize: 0);
        try
        {
            file.Write(bytes);
            file.Flush(flushToDisk: true);
        }
        catch
        {
            File.Delete(path);
            throw;
        }
    }
}
