namespace ActorTrainer.Checkpoints;

/// <summary>A file to be stored.</summary>
/// <param name="Path">Its relative path with <c>/</c>.</param>
/// <param name="FullPath">Where it stands.</param>
/// <param name="Status">How it was when the folder was listed.</param>
internal sealed record SourceFile(string Path, string FullPath, FileStatus Status);

/// <summary>Lists what a save stores.</summary>
internal static class SourceTree
{
    private static readonly EnumerationOptions Everything = new() { AttributesToSkip = 0, IgnoreInaccessible = false };

    /// <summary>All files below the folder, sorted by path. Empty folders are dropped.</summary>
    /// <exception cref="CheckpointStoreException">The folder is missing, or holds a link or a special file.</exception>
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
                case FileKind.Link:
                    throw new CheckpointStoreException(
                        $"'{info.FullName}' is a link; a checkpoint holds plain files only. "
                            + "Write the file itself into the checkpoint folder."
                    );
                default:
                    throw new CheckpointStoreException(
                        $"'{info.FullName}' is a pipe, socket or device; a checkpoint holds plain files only. Put it elsewhere."
                    );
            }
        }
    }
}
