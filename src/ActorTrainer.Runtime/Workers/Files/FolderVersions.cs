using System.Globalization;
using ActorTrainer.Checkpoints;

namespace ActorTrainer.Runtime.Workers.Files;

/// <summary>A file of the checkpoint folder as it stood at a moment, kept aside.</summary>
/// <param name="Stored">Where it is kept; null for a link.</param>
/// <param name="Mark">What it was.</param>
/// <param name="IsCopy">Whether nobody else can write it.</param>
/// <param name="Stood">Whether it stood there before the run.</param>
internal sealed record FileVersion(string? Stored, FileMark Mark, bool IsCopy = false, bool Stood = false)
{
    /// <summary>Whether somebody wrote into the file since, by its other name.</summary>
    public bool IsSpoiled => Stored is not null && !IsCopy && FileStatus.Read(Stored) != Mark.Status;
}

/// <summary>
/// Keeps versions of the files of a checkpoint folder, and makes staged folders of them. A version is a second name of its
/// file where that is not written again, else a copy.
/// </summary>
/// <param name="root">The folder, without links in its path.</param>
/// <param name="folder">Where versions are kept: on the same file system.</param>
internal sealed class FolderVersions(string root, string folder)
{
    private readonly HashSet<string> _kept = new(StringComparer.Ordinal);
    private int _number;

    /// <summary>The file as it stands; null when it is gone, is no file, or was changed while it was taken.</summary>
    /// <param name="path">Below the folder.</param>
    /// <param name="mayLink">Whether it is never written in place again.</param>
    /// <exception cref="IOException">It could not be kept.</exception>
    public FileVersion? Take(string path, bool mayLink)
    {
        string from = Path.Combine(root, path);
        if (FolderFiles.Look(root, path) is not { } mark)
        {
            return null;
        }

        if (mark.Link is not null)
        {
            return new FileVersion(null, mark);
        }

        _ = Directory.CreateDirectory(folder);
        string to = Path.Combine(folder, (++_number).ToString(CultureInfo.InvariantCulture));
        bool isCopy;
        try
        {
            isCopy = !mayLink || !HardLink.TryCreate(from, to);
            if (isCopy)
            {
                NativeFiles.Copy(from, to, asText: true);
            }
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }

        if (FolderFiles.Look(root, path) != mark)
        {
            File.Delete(to);
            return null;
        }

        _ = _kept.Add(to);
        return new FileVersion(to, mark, isCopy);
    }

    /// <summary>Deletes every version that is not among these.</summary>
    public void KeepOnly(IEnumerable<FileVersion?> needed)
    {
        HashSet<string> stored = [.. needed.Select(version => version?.Stored).OfType<string>()];
        foreach (string old in _kept.Where(kept => !stored.Contains(kept)).ToArray())
        {
            _ = _kept.Remove(old);
            File.Delete(old);
        }
    }

    /// <summary>Makes a staged folder of versions and, beside them, of files as they stand now.</summary>
    /// <param name="target">The folder to make. It appears complete.</param>
    /// <param name="versions">Each path with its version.</param>
    /// <param name="asTheyStand">Files that are copied whatever happens to them meanwhile, as logs are.</param>
    /// <exception cref="IOException">It could not be written. Nothing is left of it.</exception>
    public void Stage(string target, IEnumerable<KeyValuePair<string, FileVersion>> versions, IEnumerable<FileMark> asTheyStand)
    {
        string temporary = Path.Combine(Path.GetDirectoryName(target)!, "." + Path.GetFileName(target));
        RunDirectories.DeleteFolder(temporary);
        try
        {
            _ = Directory.CreateDirectory(temporary);
            foreach ((string path, FileVersion version) in versions)
            {
                string to = Below(temporary, path);
                if (version.Mark.Link is { } link)
                {
                    _ = File.CreateSymbolicLink(to, link);
                }
                else if (!HardLink.TryCreate(version.Stored!, to))
                {
                    File.Copy(version.Stored!, to);
                }
            }

            foreach (FileMark file in asTheyStand)
            {
                CopyAsItStands(Path.Combine(root, file.RelativePath), Below(temporary, file.RelativePath));
            }

            Directory.Move(temporary, target);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            RunDirectories.DeleteFolder(temporary);
            throw;
        }
    }

    private static void CopyAsItStands(string from, string to)
    {
        try
        {
            NativeFiles.Copy(from, to, asText: true);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            // It went away meanwhile.
        }
    }

    private static string Below(string folder, string path)
    {
        string full = Path.Combine(folder, path);
        _ = Directory.CreateDirectory(Path.GetDirectoryName(full)!);
        return full;
    }
}
