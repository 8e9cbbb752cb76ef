using System.Globalization;
using System.Text.Json;

namespace ActorTrainer.Training;

/// <summary>
/// Reads a task's <c>trainer.settings</c> value by value: <c>settings.Number("hidden", 512)</c>. A value may be written as a number or
/// as text that is one. It needs no serializer, which keeps the start of a worker short.
/// </summary>
public sealed class TrainerSettings
{
    private readonly JsonElement? _json;
    private readonly SortedSet<string> _known = new(StringComparer.Ordinal);

    internal TrainerSettings(JsonElement? json)
    {
        if (json is { ValueKind: not JsonValueKind.Object } other)
        {
            throw new TrainerSettingsException($"trainer.settings is {other.GetRawText()}; write an object such as {{ seed = 1 }}.");
        }

        _json = json;
    }

    /// <summary>A whole number.</summary>
    /// <param name="name">The setting's name.</param>
    /// <param name="fallback">What holds when it is not set.</param>
    /// <param name="least">The least that is allowed. Default: any.</param>
    /// <exception cref="TrainerSettingsException">It is no whole number, or below the least.</exception>
    public long Number(string name, long fallback, long least = long.MinValue)
    {
        if (Find(name) is not { } value)
        {
            return fallback;
        }

        if (!long.TryParse(Text(value), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long number) || number < least)
        {
            throw Wrong(name, value, least == long.MinValue ? "a whole number" : $"a whole number, at least {least}");
        }

        return number;
    }

    /// <summary>A number with a fraction.</summary>
    /// <param name="name">The setting's name.</param>
    /// <param name="fallback">What holds when it is not set.</param>
    /// <param name="least">The least that is allowed. Default: any.</param>
    /// <param name="below">What it has to stay below. Default: no bound.</param>
    /// <exception cref="TrainerSettingsException">It is no number, or out of its range.</exception>
    public double Fraction(string name, double fallback, double least = double.NegativeInfinity, double below = double.PositiveInfinity)
    {
        if (Find(name) is not { } value)
        {
            return fallback;
        }

        if (
            !double.TryParse(Text(value), NumberStyles.Float, CultureInfo.InvariantCulture, out double number)
            || !(number >= least && number < below)
        )
        {
            throw Wrong(
                name,
                value,
                double.IsInfinity(least) && double.IsInfinity(below)
                    ? "a number"
                    : string.Create(CultureInfo.InvariantCulture, $"a number, at least {least} and below {below}")
            );
        }

        return number;
    }

    /// <summary>True or false.</summary>
    /// <param name="name">The setting's name.</param>
    /// <param name="fallback">What holds when it is not set.</param>
    /// <exception cref="TrainerSettingsException">It is neither.</exception>
    public bool Flag(string name, bool fallback) =>
        Find(name) is not { } value
            ? fallback
            : Text(value) switch
            {
                "true" => true,
                "false" => false,
                _ => throw Wrong(name, value, "true or false"),
            };

    /// <summary>Text.</summary>
    /// <param name="name">The setting's name.</param>
    /// <param name="fallback">What holds when it is not set.</param>
    /// <exception cref="TrainerSettingsException">It is an object or an array.</exception>
    public string Text(string name, string fallback) =>
        Find(name) is { } value ? Text(value) ?? throw Wrong(name, value, "text") : fallback;

    /// <summary>To be called when everything was read: refuses settings that nobody asked for, which are usually misspelt.</summary>
    /// <exception cref="TrainerSettingsException">There is one; the message lists the names that exist.</exception>
    public void RefuseOthers()
    {
        if (_json is { } json)
        {
            foreach (JsonProperty property in json.EnumerateObject())
            {
                if (!_known.Contains(property.Name))
                {
                    throw new TrainerSettingsException(
                        $"trainer.settings.{property.Name} is not known; the settings are: {string.Join(", ", _known)}."
                    );
                }
            }
        }
    }

    private JsonElement? Find(string name)
    {
        _known.Add(name);
        return _json is { } json && json.TryGetProperty(name, out JsonElement value) && value.ValueKind != JsonValueKind.Null
            ? value
            : null;
    }

    private static string? Text(JsonElement value) =>
        value.ValueKind switch
        {
            JsonValueKind.String => value.GetString(),
            JsonValueKind.Object or JsonValueKind.Array => null,
            _ => value.GetRawText(),
        };

    private static TrainerSettingsException Wrong(string name, JsonElement value, string rule) =>
        new($"trainer.settings.{name} is {value.GetRawText()}; it has to be {rule}.");
}
