using System.IO.Compression;
using ActorTrainer.Runtime.Workers.Files.Saves;

namespace ActorTrainer.Runtime.Workers.Files.Layouts;

/// <summary>
/// A single file <c>*.ckpt</c> of Lightning, in which everything is: a zip archive with the key <c>pytorch-lightning_version</c>. Newer
/// versions rename it in, older ones write it in place, some file systems copy it: it is whole when the archive is. With
/// <c>save_last</c> a <c>last.ckpt</c> follows the others, and the save is over with it. Source: Lightning
/// <c>fabric/utilities/cloud_io.py</c> (<c>_atomic_save</c>), <c>callbacks/model_checkpoint.py</c>.
/// </summary>
internal sealed class LightningLayout : ILayout
{
    private const string Ending = ".ckpt";
    private const int HeadBytes = 16 << 10;

    public string Name => "Lightning checkpoint";

    public LayoutAnswer? Of(string path, LayoutFiles files)
    {
        if (!path.EndsWith(Ending, StringComparison.Ordinal) || !files.Standing.Contains(path) || !IsLightning(path, files))
        {
            return null;
        }

        string folder = LayoutFiles.FolderOf(path);
        string[] all = [.. files.Below(folder).Where(other => other.EndsWith(Ending, StringComparison.Ordinal))];
        string? last = all.LastOrDefault(IsLast);
        return files.Beside(path, notesMay: true, all) is not null ? new LayoutAnswer(path, LayoutProgress.NotAlone)
            : last is null || IsLast(path) ? new LayoutAnswer(path, LayoutProgress.Whole)
            : new LayoutAnswer(path, LayoutProgress.Open, $"'{last}', which is older");
    }

    private static bool IsLast(string path) => LayoutFiles.NameOf(path).StartsWith("last", StringComparison.Ordinal);

    private static bool IsLightning(string path, LayoutFiles files)
    {
        try
        {
            using Stream? content = files.Open(path);
            if (content is null)
            {
                return false;
            }

            using ZipArchive archive = new(content, ZipArchiveMode.Read);
            if (archive.Entries.FirstOrDefault(entry => entry.Name == "data.pkl") is not { } entry)
            {
                return false;
            }

            using Stream pickled = entry.Open();
            byte[] head = new byte[HeadBytes];
            int read = pickled.ReadAtLeast(head, head.Length, throwOnEndOfStream: false);
            return head.AsSpan(0, read).IndexOf("pytorch-lightning_version"u8) >= 0;
        }
        catch (Exception e) when (e is IOException or InvalidDataException)
        {
            return false;
        }
    }
}
