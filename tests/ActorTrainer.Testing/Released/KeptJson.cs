using System.Text.Json;
using Shouldly;

namespace ActorTrainer.Testing.Released;

/// <summary>
/// Compares JSON that an earlier version wrote with what this one makes of it when it reads and writes it. Fields may have been added; one
/// that is gone, or says something else, was renamed or is not read any more.
/// </summary>
public static class KeptJson
{
    /// <summary>Checks that everything that was written is written again.</summary>
    /// <param name="kept">What an earlier version wrote.</param>
    /// <param name="again">What this version writes after it has read that.</param>
    /// <param name="where">What it is, for the message.</param>
    public static void ShouldBeIn(string kept, string again, string where)
    {
        using JsonDocument before = JsonDocument.Parse(kept);
        using JsonDocument after = JsonDocument.Parse(again);
        Missing(before.RootElement, after.RootElement, "").ShouldBeEmpty($"{where}\nkept:  {kept}\nagain: {again}");
    }

    /// <summary>The paths at which something of a value is not in another.</summary>
    private static IEnumerable<string> Missing(JsonElement kept, JsonElement again, string path)
    {
        if (kept.ValueKind != again.ValueKind)
        {
            return [path];
        }

        return kept.ValueKind switch
        {
            JsonValueKind.Object => kept.EnumerateObject()
                .SelectMany(property =>
                    again.TryGetProperty(property.Name, out JsonElement there)
                        ? Missing(property.Value, there, $"{path}/{property.Name}")
                        : [$"{path}/{property.Name}"]
                ),
            JsonValueKind.Array when kept.GetArrayLength() == again.GetArrayLength() => kept.EnumerateArray()
                .SelectMany((item, i) => Missing(item, again[i], $"{path}/{i}")),
            JsonValueKind.Array => [path],
            _ => kept.GetRawText() == again.GetRawText() ? [] : [path],
        };
    }
}
