using System.Text.RegularExpressions;
using ActorTrainer.Runtime.Workers.Files.Saves;

namespace ActorTrainer.Runtime.Workers.Files.Layouts;

/// <summary>
/// A folder of <c>torch.distributed.checkpoint</c>. Every rank writes <c>__RANK_NUMBER.distcp</c>; when all have reported that they are
/// done, the coordinator renames <c>.metadata</c> in. Lightning's sharded checkpoints, folders named <c>*.ckpt</c>, have <c>meta.pt</c>
/// behind it. Sources: pytorch <c>torch/distributed/checkpoint/filesystem.py</c> (<c>FileSystemWriter.finish</c>), Lightning
/// <c>strategies/fsdp.py</c> (<c>save_checkpoint</c>).
/// <para>
/// Scripts save parts of a state so, too (a model here, an optimizer there): only the watched folder itself, or a folder whose name counts
/// saves, with nothing beside it, is one save.
/// </para>
/// </summary>
internal sealed partial class TorchDistributedLayout : ILayout
{
    private const string Metadata = ".metadata";

    public string Name => "torch distributed checkpoint";

    public LayoutAnswer? Of(string path, LayoutFiles files)
    {
        string folder = LayoutFiles.FolderOf(path);
        if (!LayoutFiles.IsOneSave(folder) || !files.NamesIn(folder).Any(name => name == Metadata || Shard().IsMatch(name)))
        {
            return null;
        }

        string last = folder.EndsWith(".ckpt", StringComparison.Ordinal) ? "meta.pt" : Metadata;
        return files.Beside(folder, notesMay: false) is not null ? new LayoutAnswer(folder, LayoutProgress.NotAlone)
            : files.IsLast(LayoutFiles.In(folder, last), folder) && files.IsNew(LayoutFiles.In(folder, Metadata))
                ? new LayoutAnswer(folder, LayoutProgress.Whole)
            : new LayoutAnswer(folder, LayoutProgress.Open, $"a '{last}' that is younger than its other files");
    }

    [GeneratedRegex(@"^__\d+_\d+\.distcp$")]
    private static partial Regex Shard();
}
