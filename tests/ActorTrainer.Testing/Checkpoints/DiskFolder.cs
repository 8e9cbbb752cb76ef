using ActorTrainer.Checkpoints;

namespace ActorTrainer.Testing.Checkpoints;

/// <summary>A folder's files as a dictionary from relative path (with <c>/</c>) to bytes.</summary>
public static class DiskFolder
{
    /// <summary>Reads all files below the folder.</summary>
    public static IReadOnlyDictionary<string, byte[]> Read(string folder) =>
        SourceTree.List(folder).ToDictionary(file => file.Path, file => File.ReadAllBytes(file.FullPath), StringComparer.Ordinal);

    /// <summary>Replaces the folder with these files.</summary>
    public static void Write(string folder, IReadOnlyDictionary<string, byte[]> files)
    {
        if (Directory.Exists(folder))
        {
            Directory.Delete(folder, recursive: true);
        }

        Directory.CreateDirectory(folder);
        foreach ((string path, byte[] bytes) in files)
        {
            string full = Path.Combine(folder, path);
            Directory.CreateDirectory(Path.GetDirectoryName(full)!);
            File.WriteAllBytes(full, bytes);
        }
    }
}
