using System.Runtime.InteropServices;

namespace ActorTrainer.Runtime.Workers.Files;

/// <summary>Takes the files of a checkpoint folder over into a staged folder.</summary>
internal static partial class FolderCapture
{
    /// <summary>
    /// Logs are captured with the rest, but neither make a checkpoint nor hold one up: their writers keep them open for the whole run.
    /// </summary>
    public static bool IsWaitedFor(string relativePath) =>
        !relativePath.Split('/').Any(TemporaryNames.IsTemporary)
        && !relativePath.EndsWith(".log", StringComparison.Ordinal)
        && !Path.GetFileName(relativePath).StartsWith("events.out.tfevents", StringComparison.Ordinal);

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
                if (file.Link is { } link)
                {
                    File.CreateSymbolicLink(to, link);
                }
                else if (!mayLink(file.RelativePath) || Link(from, to) != 0)
                {
                    File.Copy(from, to, overwrite: false);
                }
            }

            if (FolderFiles.Of(root).Files.SequenceEqual(files))
            {
                Directory.Move(temporary, target);
                return true;
            }
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            // Removed meanwhile, which is a change like any other.
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
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
        foreach (FileMark file in FolderFiles.Of(from).Files)
        {
            string target = Path.Combine(to, file.RelativePath);
            _ = Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            if (file.Link is { } link)
            {
                File.CreateSymbolicLink(target, link);
            }
            else
            {
                File.Copy(Path.Combine(from, file.RelativePath), target, overwrite: true);
            }
        }
    }

    [LibraryImport("libc", EntryPoint = "link", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Link(string from, string to);
}
