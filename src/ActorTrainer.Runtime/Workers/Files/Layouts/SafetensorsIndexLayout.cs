using System.Text.Json;
using ActorTrainer.Runtime.Workers.Files.Saves;

namespace ActorTrainer.Runtime.Workers.Files.Layouts;

/// <summary>
/// Weights in several files, and <c>*.index.json</c> with a <c>weight_map</c> that names the file of each tensor
/// (<c>model.safetensors.index.json</c>, <c>pytorch_model.bin.index.json</c>). Which of them comes last has changed: all have to be there,
/// and nothing younger. Source: transformers <c>modeling_utils.py</c> (<c>save_pretrained</c>).
/// <para>
/// It is one save in the watched folder itself, or in a folder whose name counts saves with nothing beside it: as in a
/// <see cref="TorchDistributedLayout"/>.
/// </para>
/// </summary>
internal sealed class SafetensorsIndexLayout : ILayout
{
    private const string Ending = ".index.json";

    public string Name => "checkpoint with an index";

    public LayoutAnswer? Of(string path, LayoutFiles files)
    {
        string folder = LayoutFiles.FolderOf(path);
        if (
            !LayoutFiles.IsOneSave(folder)
            || files.NamesIn(folder).FirstOrDefault(name => name.EndsWith(Ending, StringComparison.Ordinal)) is not { } name
            || NamedIn(files.TextOf(LayoutFiles.In(folder, name))) is not { Count: > 0 } parts
        )
        {
            return null;
        }

        _ = parts.Add(name);
        int last = parts.Max(part => files.Number(LayoutFiles.In(folder, part)));
        return files.Beside(folder, notesMay: false) is not null ? new LayoutAnswer(folder, LayoutProgress.NotAlone)
            : parts.FirstOrDefault(part => !files.IsNew(LayoutFiles.In(folder, part))) is { } missing
                ? new LayoutAnswer(folder, LayoutProgress.Open, $"'{missing}'")
            : files.Below(folder).FirstOrDefault(other => files.Number(other) > last) is { } younger
                ? new LayoutAnswer(folder, LayoutProgress.Open, $"what follows: '{younger}' is younger than all that its index names")
            : new LayoutAnswer(folder, LayoutProgress.Whole);
    }

    /// <summary>The files that an index names; null: it is none.</summary>
    private static SortedSet<string>? NamedIn(string? text)
    {
        try
        {
            using JsonDocument json = JsonDocument.Parse(text ?? "");
            return json.RootElement.ValueKind != JsonValueKind.Object || !json.RootElement.TryGetProperty("weight_map", out JsonElement map)
                ? null
                : new SortedSet<string>(map.EnumerateObject().Select(tensor => tensor.Value.GetString()!), StringComparer.Ordinal);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return null;
        }
    }
}
