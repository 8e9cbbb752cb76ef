using System.Globalization;
using Microsoft.Win32.SafeHandles;

namespace ActorTrainer.Cluster.Persistence;

/// <summary>
/// One file per incarnation in a folder beside the database, under a flock that dies with the process. The files stay: they are
/// empty, and an old one still says that its process is gone.
/// </summary>
/// <param name="folder">Made when it is not there.</param>
internal sealed class LifeLocks(string folder) : IDisposable
{
    private readonly Lock _gate = new();
    private readonly List<SafeFileHandle> _held = [];

    /// <summary>Takes the lock of this process's incarnation.</summary>
    /// <exception cref="IOException">The file cannot be made or locked.</exception>
    public void Hold(long incarnation)
    {
        Directory.CreateDirectory(folder);
        string path = PathOf(incarnation);

        // Locked under another name and then renamed: nobody ever sees the file of a living incarnation without its lock.
        string temporary = string.Create(CultureInfo.InvariantCulture, $"{path}.{Environment.ProcessId}.new");
        SafeFileHandle file =
            NativeMethods.Open(temporary, create: true, out int error)
            ?? throw new IOException($"The life lock {temporary} cannot be made: {NativeMethods.Describe(error)}.");
        error = NativeMethods.Flock(file, NativeMethods.LockExclusive | NativeMethods.LockNonBlocking);
        if (error != 0)
        {
            file.Dispose();
            throw new IOException($"The life lock {temporary} cannot be taken: {NativeMethods.Describe(error)}.");
        }

        File.Move(temporary, path, overwrite: true);
        lock (_gate)
        {
            _held.Add(file);
        }
    }

    /// <summary>Whether the lock is free; null when there is no file, or it cannot be opened.</summary>
    public bool? IsFree(long incarnation)
    {
        using SafeFileHandle? file = NativeMethods.Open(PathOf(incarnation), create: false, out _);
        return file is null
            ? null
            : NativeMethods.Flock(file, NativeMethods.LockShared | NativeMethods.LockNonBlocking) switch // askers do not see each other
            {
                0 => true,
                NativeMethods.WouldBlock => false,
                _ => null,
            };
    }

    /// <summary>Frees the locks taken here.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            foreach (SafeFileHandle file in _held)
            {
                file.Dispose();
            }

            _held.Clear();
        }
    }

    private string PathOf(long incarnation) => Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"{incarnation}.lock"));
}
