using ActorTrainer.Runtime.Workers.Files.Saves;

namespace ActorTrainer.Runtime.Workers.Files.Layouts;

/// <summary>
/// A folder of Orbax: written under a name with <c>.orbax-checkpoint-tmp</c> and renamed, or, where a file system cannot do that, written
/// in place with <c>commit_success.txt</c> as its last file. Source: orbax <c>checkpoint/_src/path/atomicity.py</c>
/// (<c>AtomicRenameTemporaryPath</c>, <c>CommitFileTemporaryPath</c>).
/// </summary>
internal sealed class OrbaxLayout : ILayout
{
    private const string Success = "commit_success.txt";
    private static readonly string[] Marks = ["_CHECKPOINT_METADATA", "_METADATA", Success];

    public string Name => "Orbax checkpoint";

    public LayoutAnswer? Of(string path, LayoutFiles files)
    {
        // A folder that was renamed in is told by its own path.
        string folder = files.Standing.Contains(path) ? LayoutFiles.FolderOf(path) : path;
        string[] names = [.. files.NamesIn(folder)];
        if (!LayoutFiles.IsOneSave(folder) || !names.Any(Marks.Contains))
        {
            return null;
        }

        bool renamed = folder == path;
        return files.Beside(folder, notesMay: true) is not null ? new LayoutAnswer(folder, LayoutProgress.NotAlone)
            : renamed || files.IsLast(LayoutFiles.In(folder, Success), folder) ? new LayoutAnswer(folder, LayoutProgress.Whole)
            : new LayoutAnswer(folder, LayoutProgress.Open, $"'{Success}', or to be renamed in");
    }
}
