using System.Text;

namespace ActorTrainer.Checkpoints;

/// <summary>
/// Files and folders whose names may not be UTF-8, as <see cref="NativeNames"/> writes them: .NET's own functions do not find them.
/// </summary>
internal static partial class NativeFiles
{
    /// <summary>The names in a folder, in no order.</summary>
    /// <exception cref="DirectoryNotFoundException">There is none.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be read.</exception>
    public static IReadOnlyList<string> In(string folder)
    {
        if (!NativeNames.IsNative(folder))
        {
            string[] names = [.. new DirectoryInfo(folder).EnumerateFileSystemInfos().Select(info => info.Name)];
            if (!OperatingSystem.IsLinux() || !names.Any(NativeNames.MayBeNative))
            {
                return names;
            }
        }

        return Linux.Names(folder);
    }

    /// <summary>Where a symbolic link leads; null when it is none.</summary>
    public static string? LinkTarget(string path) => OperatingSystem.IsLinux() ? Linux.LinkTarget(path) : new FileInfo(path).LinkTarget;

    /// <summary>Whether a file may be read by this process.</summary>
    public static bool MayRead(string path) => !OperatingSystem.IsLinux() || Linux.MayRead(path);

    /// <summary>Opens a file to read it, whatever others do with it.</summary>
    /// <exception cref="FileNotFoundException">There is none.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    public static FileStream OpenRead(string path) =>
        NativeNames.IsNative(path)
            ? new FileStream(Linux.Open(path, Linux.ReadOnly), FileAccess.Read)
            : new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);

    /// <summary>Makes a folder, and those above it, unless they are there.</summary>
    /// <exception cref="IOException">It cannot be made.</exception>
    public static void CreateFolder(string path)
    {
        if (!NativeNames.IsNative(path))
        {
            _ = Directory.CreateDirectory(path);
        }
        else
        {
            CreateFolder(Path.GetDirectoryName(path)!);
            Linux.MakeFolder(path);
        }
    }

    /// <summary>Copies a file with its mode and time; one that stands at the target is replaced.</summary>
    /// <param name="from">The file.</param>
    /// <param name="to">The copy.</param>
    /// <param name="asText">Whether the copy has the text as its name, for <see cref="PutBack"/> to mend.</param>
    /// <exception cref="FileNotFoundException">There is none.</exception>
    /// <exception cref="IOException">It cannot be read, or the copy cannot be written.</exception>
    public static void Copy(string from, string to, bool asText = false)
    {
        if (OperatingSystem.IsWindows() || (!NativeNames.IsNative(from) && (asText || !NativeNames.IsNative(to))))
        {
            File.Copy(from, to, overwrite: true);
            return;
        }

        using FileStream source = OpenRead(from);
        using FileStream target = asText
            ? new FileStream(to, FileMode.Create, FileAccess.Write)
            : new FileStream(Linux.Open(to, Linux.CreateForWriting), FileAccess.Write);
        source.CopyTo(target);
        target.Flush();
        File.SetUnixFileMode(target.SafeFileHandle, File.GetUnixFileMode(source.SafeFileHandle));
        File.SetLastWriteTimeUtc(target.SafeFileHandle, File.GetLastWriteTimeUtc(source.SafeFileHandle));
    }

    /// <summary>
    /// Gives files and folders below a folder back the names that they had, where those are not UTF-8. Links are not followed.
    /// </summary>
    /// <param name="folder">Its own name stays.</param>
    public static void PutBack(string folder)
    {
        if (!OperatingSystem.IsLinux())
        {
            return;
        }

        foreach (FileSystemInfo info in new DirectoryInfo(folder).GetFileSystemInfos())
        {
            if (info is DirectoryInfo { LinkTarget: null })
            {
                PutBack(info.FullName);
            }

            if (NativeNames.IsNative(info.Name))
            {
                byte[] above = Encoding.UTF8.GetBytes(Path.GetDirectoryName(info.FullName)! + "/");
                Linux.Rename(Encoding.UTF8.GetBytes(info.FullName), [.. above, .. NativeNames.ToBytes(info.Name)], info.FullName);
            }
        }
    }

    /// <summary>Deletes a folder with all that is in it, whatever its names are.</summary>
    /// <exception cref="IOException">Something in it cannot be deleted.</exception>
    /// <exception cref="UnauthorizedAccessException">Something in it may not be deleted.</exception>
    public static void DeleteFolder(string folder)
    {
        try
        {
            Directory.Delete(folder, recursive: true);
        }
        catch (IOException) when (OperatingSystem.IsLinux() && Directory.Exists(folder) && RenameNative(folder))
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>Gives what has a name that is not UTF-8 another one. False: there was none.</summary>
    private static bool RenameNative(string folder)
    {
        bool any = false;
        foreach (string name in In(folder))
        {
            string path = Path.Combine(folder, name);
            if (NativeNames.IsNative(name))
            {
                path = Path.Combine(folder, Path.GetRandomFileName());
                Linux.Rename(NativeNames.ToBytes(Path.Combine(folder, name)), NativeNames.ToBytes(path), path);
                any = true;
            }

            if (FileStatus.ReadNative(path).Kind == FileKind.Directory)
            {
                any |= RenameNative(path);
            }
        }

        return any;
    }
}
