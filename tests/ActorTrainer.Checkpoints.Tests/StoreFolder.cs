using ActorTrainer.Core.Identity;

namespace ActorTrainer.Checkpoints.Tests;

internal static class StoreFolder
{
    /// <summary>Changes a stored file's bytes behind the store's back; null removes it.</summary>
    public static void Damage(string root, TaskId task, string file, Func<byte[], byte[]?> change)
    {
        string path = Path.Combine(root, task.Value, file);
        if (change(File.ReadAllBytes(path)) is { } bytes)
        {
            File.WriteAllBytes(path, bytes);
        }
        else
        {
            File.Delete(path);
        }
    }

    /// <summary>Copies a store as a crash at this moment would leave it.</summary>
    public static void Copy(string source, string target)
    {
        Directory.CreateDirectory(target);
        foreach (string folder in Directory.EnumerateDirectories(source, "*", SearchOption.AllDirectories))
        {
            Directory.CreateDirectory(Path.Combine(target, Path.GetRelativePath(source, folder)));
        }

        foreach (string file in Directory.EnumerateFiles(source, "*", SearchOption.AllDirectories))
        {
            File.Copy(file, Path.Combine(target, Path.GetRelativePath(source, file)));
        }
    }
}
