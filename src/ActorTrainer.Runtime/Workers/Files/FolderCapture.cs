using ActorTrainer.Checkpoints;

namespace ActorTrainer.Runtime.Workers.Files;

/// <summary>What of a checkpoint folder is captured, and how it is put back.</summary>
internal static class FolderCapture
{
    /// <summary>In a checkpoint, beside the script's files: the order in which it saves them. Scripts never see it.</summary>
    public const string OrderFile = Manifest.SavesFile;

    /// <summary>
    /// Logs are captured with the rest, but neither make a checkpoint nor hold one up: their writers keep them open for the whole run.
    /// </summary>
    public static bool IsWaitedFor(string relativePath) =>
        !IsTemporary(relativePath)
        && !relativePath.EndsWith(".log", StringComparison.Ordinal)
        && !Path.GetFileName(relativePath).StartsWith("events.out.tfevents", StringComparison.Ordinal);

    /// <summary>Whether it, or a folder that it is in, is in the making.</summary>
    public static bool IsTemporary(string relativePath) => relativePath.Split('/').Any(TemporaryNames.IsTemporary);

    /// <summary>Copies a restored checkpoint to where the command looks for its own files.</summary>
    public static void CopyFolder(string from, string to)
    {
        foreach (FileMark file in FolderFiles.Of(from).Files)
        {
            string target = Path.Combine(to, file.RelativePath);
            NativeFiles.CreateFolder(Path.GetDirectoryName(target)!);
            if (file.Link is { } link)
            {
                File.CreateSymbolicLink(target, link);
            }
            else
            {
                NativeFiles.Copy(Path.Combine(from, file.RelativePath), target);
            }
        }
    }
}
