using System.Text.Json;
using System.Text.Json.Serialization;

namespace ActorTrainer.Bench.Torn;

/// <summary>What a script says outside of its folder, so that what it meant is known whatever becomes of it.</summary>
/// <param name="Leader">Of one that begins: the process of the run; 0: it writes a part of a save, and says so before it does.</param>
/// <param name="Pid">The process that saves.</param>
/// <param name="Save">The number of the save; of one that begins the newest it found, 0: none.</param>
/// <param name="Part">Which part of it, from 0.</param>
/// <param name="Paths">The paths of all parts of the save.</param>
/// <param name="Files">What stands in the folder: what it found, or what there is once the part is written.</param>
internal sealed record TornEntry(
    int Leader,
    int Pid,
    int Save,
    int Part,
    IReadOnlyList<string> Paths,
    IReadOnlyDictionary<string, int> Files
)
{
    /// <summary>Whether a script begins.</summary>
    public bool Begins => Leader > 0;
}

/// <summary>The file with what a script said, a line for each.</summary>
internal sealed class TornLog(string path)
{
    /// <summary>Adds what is said.</summary>
    public void Write(TornEntry entry) =>
        // A line that a kill has cut short stays alone.
        File.AppendAllText(path, "\n" + JsonSerializer.Serialize(entry, TornJson.Default.TornEntry));

    /// <summary>All that was said.</summary>
    public IReadOnlyList<TornEntry> Read()
    {
        if (!File.Exists(path))
        {
            return [];
        }

        using FileStream file = new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        using StreamReader reader = new(file);
        List<TornEntry> entries = [];
        while (reader.ReadLine() is { } line)
        {
            if (TryParse(line) is { } entry)
            {
                entries.Add(entry);
            }
        }

        return entries;
    }

    private static TornEntry? TryParse(string line)
    {
        try
        {
            return line.Length == 0 ? null : JsonSerializer.Deserialize(line, TornJson.Default.TornEntry);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}

/// <summary>JSON of what scripts say.</summary>
[JsonSerializable(typeof(TornEntry))]
internal sealed partial class TornJson : JsonSerializerContext;
