using System.Runtime.InteropServices;
using ActorTrainer.Checkpoints;

namespace ActorTrainer.Runtime.Workers.Files;

/// <summary>A file as it stood when it was looked at.</summary>
internal sealed record FileMark(string RelativePath, long Length, DateTime ChangedUtc);

/// <summary>Takes the files of a checkpoint folder over into a staged folder.</summary>
internal static partial class FolderCapture
{
    /// <summary>Names of files in the making are not part of a checkpoint.</summary>
    public static bool IsIgnored(string relativePath) =>
        relativePath.Split('/').Any(part => part.StartsWith('.'))
        || relativePath.EndsWith(".tmp", StringComparison.Ordinal)
        || relativePath.EndsWith(".part", StringComparison.Ordinal);

    /// <summary>
    /// Logs are captured with the rest, but neither make a checkpoint nor hold one up: their writers keep them open for the whole run.
    /// </summary>
    public static bool IsWaitedFor(string relativePath) =>
        !IsIgnored(relativePath)
        && !relativePath.EndsWith(".log", StringComparison.Ordinal)
        && !Path.GetFileName(relativePath).StartsWith("events.out.tfevents", StringComparison.Ordinal);

    /// <summary>
    /// The files of a folder, sorted by path. A link counts as the file that it leads to when that stands in the folder as well. Pipes,
    /// sockets and devices are no files: opening one may block for ever.
    /// </summary>
    public static IReadOnlyList<FileMark> FilesOf(string root)
    {
        List<FileMark> files = [];
        EnumerationOptions options = new()
        {
            RecurseSubdirectories = true,
            AttributesToSkip = 0,
            MaxRecursionDepth = 8,
        };
        foreach (FileInfo file in new DirectoryInfo(root).EnumerateFiles("*", options))
        {
            string relative = Path.GetRelativePath(root, file.FullName);
            if (IsIgnored(relative))
            {
                continue;
            }

            FileSystemInfo? target = file.LinkTarget is null ? file : file.ResolveLinkTarget(returnFinalTarget: true);
            if (
                target is FileInfo { Exists: true } real
                && real.FullName.StartsWith(root + "/", StringComparison.Ordinal)
                && IsFile(real.FullName)
            )
            {
                files.Add(new FileMark(relative, real.Length, real.LastWriteTimeUtc));
            }
        }

        return [.. files.OrderBy(file => file.RelativePath, StringComparer.Ordinal)];
    }

    private static bool IsFile(string path)
    {
        try
        {
            return FileStatus.Read(path).Kind == FileKind.File;
        }
        catch (IOException)
        {
            // Gone meanwhile.
            return false;
        }
    }

    /// <summary>
    /// Captures the folder's files, by hard link where <paramref name="mayLink"/> says that a file is never written again, else by copy.
    /// </summary>
    /// <returns>False when a file changed meanwhile: nothing is kept then, and the caller tries again later.</returns>
    /// <exception cref="IOException">It could not be written.</exception>
    public static bool TryCapture(string root, string target, IReadOnlyList<FileMark> files, Predicate<string> mayLink)
    {
        string temporary = Path.Combine(Path.GetDirectoryName(target)!, "." + Path.GetFileName(target));
        RunDirectories.DeleteFolder(temporary);
        try
        {
            foreach (FileMark file in files)
            {
                string from = Path.Combine(root, file.RelativePath);
                string to = Path.Combine(temporary, file.RelativePath);
                _ = Directory.CreateDirectory(Path.GetDirectoryName(to)!);
                if (!mayLink(file.RelativePath) || new FileInfo(from).LinkTarget is not null || Link(from, to) != 0)
                {
                    File.Copy(from, to, overwrite: false);
                }
            }

            if (FilesOf(root).SequenceEqual(files))
            {
                Directory.Move(temporary, target);
                return true;
            }
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            // Removed meanwhile, which is a change like any other.
        }
        catch (IOException)
        {
            RunDirectories.DeleteFolder(temporary);
            throw;
        }

        RunDirectories.DeleteFolder(temporary);
        return false;
    }

    /// <summary>Copies a restored checkpoint to where the command looks for its own files.</summary>
    public static void CopyFolder(string from, string to)
    {
        foreach (FileMark file in FilesOf(from))
        {
            string target = Path.Combine(to, file.RelativePath);
            _ = Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(Path.Combine(from, file.RelativePath), target, overwrite: true);
        }
    }

    [LibraryImport("libc", EntryPoint = "link", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Link(string from, string to);
}
