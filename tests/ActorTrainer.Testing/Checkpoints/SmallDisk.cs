using System.Diagnostics;

namespace ActorTrainer.Testing.Checkpoints;

/// <summary>A small file system in memory, for tests that fill it. Needs the right to mount.</summary>
public sealed class SmallDisk : IDisposable
{
    private readonly string _filler;

    private SmallDisk(string root)
    {
        Root = root;
        _filler = Path.Combine(root, "filler");
    }

    public string Root { get; }

    /// <summary>Mounts one, or gives null where that is not allowed.</summary>
    /// <param name="folder">Where.</param>
    /// <param name="size">How large, as mount writes it.</param>
    public static SmallDisk? TryMount(string folder, string size = "2m")
    {
        Directory.CreateDirectory(folder);
        return Run("mount", "-t", "tmpfs", "-o", $"size={size}", "tmpfs", folder) ? new SmallDisk(folder) : null;
    }

    public void Fill()
    {
        using FileStream filler = File.Create(_filler, bufferSize: 0);
        byte[] page = new byte[4096];
        try
        {
            while (true)
            {
                filler.Write(page);
            }
        }
        catch (IOException)
        {
            // Full.
        }
    }

    public void Free() => File.Delete(_filler);

    public void Dispose() => Run("umount", "-l", Root);

    private static bool Run(string command, params string[] arguments)
    {
        try
        {
            using Process process = Process.Start(new ProcessStartInfo(command, arguments) { RedirectStandardError = true })!;
            process.StandardError.ReadToEnd();
            process.WaitForExit();
            return process.ExitCode == 0;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return false;
        }
    }
}
