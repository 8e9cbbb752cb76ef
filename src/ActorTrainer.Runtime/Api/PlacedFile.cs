namespace ActorTrainer.Runtime.Api;

/// <summary>A file of a run's output with its place in all that the run printed.</summary>
/// <param name="Path">The file.</param>
/// <param name="Start">The place of its first byte.</param>
/// <param name="Length">Its bytes now; 0: it is not there.</param>
internal readonly record struct PlacedFile(string Path, long Start, long Length)
{
    public long End => Start + Length;

    /// <summary>Finds the places of a run's files.</summary>
    /// <param name="files">All that are kept, oldest first.</param>
    public static IReadOnlyList<PlacedFile> Of(IEnumerable<OutputFile> files)
    {
        List<PlacedFile> placed = [];
        foreach (OutputFile file in files)
        {
            long start = file.Start ?? (placed.Count > 0 ? placed[^1].End : 0);
            FileInfo info = new(file.Path);
            placed.Add(new PlacedFile(file.Path, start, info.Exists ? info.Length : 0));
        }

        return placed;
    }

    /// <summary>Opens the file to read what is being written to it; null: it is gone, or not there yet.</summary>
    public FileStream? TryOpen()
    {
        try
        {
            return new FileStream(
                Path,
                FileMode.Open,
                FileAccess.Read,
                FileShare.ReadWrite | FileShare.Delete,
                4096,
                FileOptions.Asynchronous
            );
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }
}
