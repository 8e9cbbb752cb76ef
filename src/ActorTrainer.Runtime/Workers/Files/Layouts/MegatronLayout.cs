using System.Globalization;
using System.Text.RegularExpressions;
using ActorTrainer.Runtime.Workers.Files.Saves;

namespace ActorTrainer.Runtime.Workers.Files.Layouts;

/// <summary>
/// Folders <c>iter_0000100</c> of Megatron-LM, and beside them <c>latest_checkpointed_iteration.txt</c>, which the first rank writes
/// behind a barrier for all. verl writes the same file beside <c>global_step_100</c>. Source: Megatron-LM
/// <c>megatron/training/checkpointing.py</c> (<c>save_checkpoint</c>).
/// </summary>
internal sealed partial class MegatronLayout : ILayout
{
    private const string Tracker = "latest_checkpointed_iteration.txt";

    public string Name => "Megatron checkpoint";

    public LayoutAnswer? Of(string path, LayoutFiles files)
    {
        string root = "";
        string? folder = null;
        if (LayoutFiles.NameOf(path) == Tracker)
        {
            root = LayoutFiles.FolderOf(path);
            folder = Named(root, files);
        }
        else if (FolderName().Match(path) is { Success: true } match)
        {
            root = LayoutFiles.FolderOf(path[..(match.Index + match.Length)]);
            bool isOurs = match.Groups["iter"].Success || files.NamesIn(root).Contains(Tracker);
            folder = isOurs ? path[..(match.Index + match.Length)] : null;
        }

        if (folder is null)
        {
            return null;
        }

        string tracker = LayoutFiles.In(root, Tracker);
        return files.Beside(folder, notesMay: true) is not null ? new LayoutAnswer(folder, LayoutProgress.NotAlone)
            : files.IsLast(tracker, folder) && Named(root, files) == folder ? new LayoutAnswer(folder, LayoutProgress.Whole)
            : new LayoutAnswer(folder, LayoutProgress.Open, $"a '{tracker}' that names it and is younger than its files");
    }

    /// <summary>The folder that the tracker file names, if it stands.</summary>
    private static string? Named(string root, LayoutFiles files)
    {
        string name = files.TextOf(LayoutFiles.In(root, Tracker))?.Trim() ?? "";
        string[] folders = long.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out long iteration)
            ? [string.Create(CultureInfo.InvariantCulture, $"iter_{iteration:D7}"), $"global_step_{name}"]
            : [name];
        return folders.Select(folder => LayoutFiles.In(root, folder)).FirstOrDefault(folder => files.Below(folder).Any());
    }

    [GeneratedRegex(@"(?<=^|/)((?<iter>iter_\d{7})|global_step_\d+|release)(?=/)")]
    private static partial Regex FolderName();
}
