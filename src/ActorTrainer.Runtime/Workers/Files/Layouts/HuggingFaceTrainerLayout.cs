using System.Globalization;
using System.Text.RegularExpressions;
using ActorTrainer.Runtime.Workers.Files.Saves;

namespace ActorTrainer.Runtime.Workers.Files.Layouts;

/// <summary>
/// A folder <c>checkpoint-STEP</c> of the Hugging Face <c>Trainer</c>. Every rank writes its part of model and optimizer and after them its
/// <c>rng_state_RANK.pth</c>, a single process <c>rng_state.pth</c>; the first one writes <c>trainer_state.json</c>, before its
/// <c>rng_state</c> or after it. Ranks do not wait for each other, so all of these together show that it is whole. Source: transformers
/// <c>trainer.py</c> (<c>_save_checkpoint</c>, <c>_save_rng_state</c>).
/// <para>
/// How many ranks there are is in no file: <c>WORLD_SIZE</c> of their environment tells, or the checkpoint before.
/// </para>
/// </summary>
internal sealed partial class HuggingFaceTrainerLayout : ILayout
{
    private const string State = "trainer_state.json";
    private const string SingleRng = "rng_state.pth";

    public string Name => "Hugging Face Trainer checkpoint";

    /// <summary>Callbacks may add files to it.</summary>
    public bool MayGoOn => true;

    public LayoutAnswer? Of(string path, LayoutFiles files)
    {
        if (FolderName().Match(path) is not { Success: true } match)
        {
            return null;
        }

        string folder = path[..(match.Index + match.Length)];
        string[] names = [.. files.NamesIn(folder)];
        if (!names.Any(name => name is State or "training_args.bin" || Rng().IsMatch(name)))
        {
            return null;
        }

        if (files.Beside(folder, notesMay: true) is not null)
        {
            return new LayoutAnswer(folder, LayoutProgress.NotAlone);
        }

        string[] needed = [State, .. RngFiles(names, files)];
        return needed.FirstOrDefault(name => !files.IsNew(LayoutFiles.In(folder, name))) is { } missing
                ? new LayoutAnswer(folder, LayoutProgress.Open, $"'{missing}'")
            : needed.Length == 1
                ? new LayoutAnswer(
                    folder,
                    LayoutProgress.Unclear,
                    "the rng_state of every rank, and how many there are is not known (no WORLD_SIZE in the environment of its processes)"
                )
            : new LayoutAnswer(folder, LayoutProgress.Whole);
    }

    /// <summary>Those that all ranks write; none: it is not known how many there are.</summary>
    private static IEnumerable<string> RngFiles(string[] names, LayoutFiles files) =>
        names.Contains(SingleRng) ? [SingleRng]
        : files.Ranks is not { } ranks ? files.Previous.Where(name => Rng().IsMatch(name))
        : ranks == 1 ? [SingleRng]
        : Enumerable.Range(0, ranks).Select(rank => string.Create(CultureInfo.InvariantCulture, $"rng_state_{rank}.pth"));

    [GeneratedRegex(@"(?<=^|/)checkpoint-\d+(?=/|$)")]
    private static partial Regex FolderName();

    [GeneratedRegex(@"^rng_state(_\d+)?\.pth$")]
    private static partial Regex Rng();
}
