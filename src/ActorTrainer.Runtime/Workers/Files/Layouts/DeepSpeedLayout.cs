using System.Text.RegularExpressions;
using ActorTrainer.Runtime.Workers.Files.Saves;

namespace ActorTrainer.Runtime.Workers.Files.Layouts;

/// <summary>
/// A folder for each tag (<c>global_step100</c>), and beside them <c>latest</c>, in which the first rank writes the tag when its own files
/// are written. No rank waits for the others before that: with ZeRO each one has a file of optimizer states, and all of them have to be
/// there as well. Without ZeRO and with several ranks nothing tells how many files there are, but the checkpoint before. Source: DeepSpeed
/// <c>deepspeed/runtime/engine.py</c> (<c>save_checkpoint</c>, <c>_save_zero_checkpoint</c>).
/// </summary>
internal sealed partial class DeepSpeedLayout : ILayout
{
    private const string Latest = "latest";
    private const string RecoveryScript = "zero_to_fp32.py";

    public string Name => "DeepSpeed checkpoint";

    public LayoutAnswer? Of(string path, LayoutFiles files)
    {
        string root = LayoutFiles.FolderOf(path);
        string folder;
        if (LayoutFiles.NameOf(path) == Latest)
        {
            folder = LayoutFiles.In(root, files.TextOf(path)?.Trim() ?? "");
        }
        else
        {
            folder = root;
            root = LayoutFiles.FolderOf(folder);
        }

        if (
            folder.Length == 0
            || folder == root
            || root.Split('/').Any(PathKeys.CountsSaves)
            || !files.NamesIn(folder).Any(name => States().IsMatch(name))
        )
        {
            return null;
        }

        string latest = LayoutFiles.In(root, Latest);
        string[] mayStand = [latest, LayoutFiles.In(root, RecoveryScript)];
        return files.Beside(folder, notesMay: false, mayStand) is not null ? new LayoutAnswer(folder, LayoutProgress.NotAlone)
            : files.IsNew(latest) && LayoutFiles.In(root, files.TextOf(latest)?.Trim() ?? "") == folder ? OfRanks(folder, latest, files)
            : new LayoutAnswer(folder, LayoutProgress.Open, $"a '{latest}' that names it");
    }

    private static LayoutAnswer OfRanks(string folder, string latest, LayoutFiles files)
    {
        string[] names = [.. files.NamesIn(folder).Where(name => files.IsNew(LayoutFiles.In(folder, name)))];
        int zero = names.Count(name => Zero().IsMatch(name));
        if (files.Ranks is { } ranks && (zero > 0 || ranks == 1))
        {
            return zero > 0 && zero != ranks
                    ? new LayoutAnswer(folder, LayoutProgress.Open, $"the optimizer states of every rank: {zero} of {ranks} are there")
                : zero > 0 || files.IsLast(latest, folder) ? new LayoutAnswer(folder, LayoutProgress.Whole)
                : new LayoutAnswer(folder, LayoutProgress.Open, $"a '{latest}' that is younger than its files");
        }

        return files.Previous.Count == 0
                ? new LayoutAnswer(
                    folder,
                    LayoutProgress.Unclear,
                    "the files of every rank, and how many there are is not known (no WORLD_SIZE in the environment of the run's processes)"
                )
            : files.Previous.Except(names).FirstOrDefault() is { } missing
                ? new LayoutAnswer(folder, LayoutProgress.Open, $"'{missing}', as the checkpoint before had it")
            : new LayoutAnswer(folder, LayoutProgress.Whole);
    }

    [GeneratedRegex(@"(model|optim)_states\.pt$")]
    private static partial Regex States();

    [GeneratedRegex(@"zero_pp_rank_\d+_mp_rank_\d+_?optim_states\.pt$")]
    private static partial Regex Zero();
}
