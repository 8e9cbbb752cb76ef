using ActorTrainer.Core.Checkpoints;

namespace ActorTrainer.Checkpoints;

/// <summary>A file to be stored.</summary>
/// <param name="Path">Its relative path with <c>/</c>.</param>
/// <param name="FullPath">Where it stands.</param>
/// <param name="Status">How it was when the folder was listed.</param>
/// <param name="Link">For a symbolic link where it leads, which is below the same folder; else null.</param>
internal sealed record SourceFile(string Path, string FullPath, FileStatus Status, string? Link = null)
{
    /// <summary>Bytes to be stored.</summary>
    public long Length => Link is null ? Status.Length : 0;
}

/// <summary>Lists what a save stores.</summary>
internal static class SourceTree
{
    private static readonly EnumerationOptions Everything = new() { AttributesToSkip = 0, IgnoreInaccessible = false };

    /// <summary>All files below the folder, sorted by path. Empty folders are dropped.</summary>
    /// <exception cref="CheckpointStoreException">The folder is missing, or holds a link that leads out of it or a special
    /// file.</exception>
    public static List<SourceFile> List(string folder)
    {
        string root = Path.GetFullPath(folder);
        if (!Directory.Exists(root))
        {
            throw new CheckpointStoreException(
                $"The folder to be saved, {root}, does not exist. The trainer has to leave it alone until it is released."
            );
        }

        List<SourceFile> files = [];
        Collect(new DirectoryInfo(root), "", files);
        files.Sort((a, b) => string.CompareOrdinal(a.Path, b.Path));
        return files;
    }

    private static void Collect(DirectoryInfo folder, string prefix, List<SourceFile> files)
    {
        foreach (FileSystemInfo info in folder.EnumerateFileSystemInfos("*", Everything))
        {
            string path = prefix + info.Name;
            FileStatus status = FileStatus.Read(info.FullName);
            switch (status.Kind)
            {
                case FileKind.Directory:
                    Collect(new DirectoryInfo(info.FullName), path + "/", files);
                    break;
                case FileKind.File when EntryPath.IsSafe(path):
                    files.Add(new SourceFile(path, info.FullName, status));
                    break;
                case FileKind.File:
                    throw new CheckpointStoreException($"'{info.FullName}' has a name that cannot be stored. Rename it.");
                case FileKind.Link when EntryPath.IsSafe(path) && info.LinkTarget is { } target && EntryPath.LeadsInside(path, target):
                    files.Add(new SourceFile(path, info.FullName, status, target));
                    break;
                case FileKind.Link:
                    throw new CheckpointStoreException(
                        $"'{info.FullName}' is a link to '{info.LinkTarget}', which is not below the checkpoint folder by a relative path. "
                            + "Write the file itself into the checkpoint folder."
                    );
                default:
                    throw new CheckpointStoreException(
                        $"'{info.FullName}' is a pipe, socket or device; a checkpoint holds files and links among them. Put it elsewhere."
                    );
            }
        }
    }
}
