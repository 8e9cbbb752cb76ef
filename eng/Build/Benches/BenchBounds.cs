using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace ActorTrainer.Build.Benches;

/// <summary>What a figure must keep; at least one of the two is given.</summary>
/// <param name="Min">The least that is accepted; null: none.</param>
/// <param name="Max">The most that is accepted; null: none.</param>
internal sealed record Bound(double? Min = null, double? Max = null);

/// <summary>Bounds for the result lines of a bench that show certain values.</summary>
/// <param name="Where">What a line must show for the bounds to apply, for example mode: crash; null: every line.</param>
/// <param name="Bounds">The bound of each figure.</param>
internal sealed record BoundSet(IReadOnlyDictionary<string, string>? Where, IReadOnlyDictionary<string, Bound> Bounds);

/// <summary>The contents of <c>bench/bounds.json</c>: bounds by the bench's name.</summary>
internal sealed class BenchBounds
{
    private readonly IReadOnlyDictionary<string, IReadOnlyList<BoundSet>> _byBench;

    private BenchBounds(IReadOnlyDictionary<string, IReadOnlyList<BoundSet>> byBench) => _byBench = byBench;

    /// <summary>Parses the file's text.</summary>
    /// <exception cref="FormatException">It is not JSON of the form wanted, or says nothing about a figure it names.</exception>
    public static BenchBounds Parse(string json)
    {
        Dictionary<string, IReadOnlyList<BoundSet>>? byBench;
        try
        {
            byBench = JsonSerializer.Deserialize(json, BoundsJsonContext.Default.DictionaryStringIReadOnlyListBoundSet);
        }
        catch (JsonException e)
        {
            throw new FormatException(e.Message, e);
        }

        foreach ((string bench, IReadOnlyList<BoundSet> sets) in byBench ?? [])
        {
            if (sets is not { Count: > 0 } || sets.Any(set => set?.Bounds is not { Count: > 0 }))
            {
                throw new FormatException($"'{bench}' has an entry without bounds.");
            }

            foreach ((string figure, Bound bound) in sets.SelectMany(set => set.Bounds))
            {
                if (bound is null or { Min: null, Max: null })
                {
                    throw new FormatException($"'{bench}': '{figure}' has neither min nor max.");
                }
            }
        }

        return new BenchBounds(byBench ?? throw new FormatException("it is empty."));
    }

    /// <summary>Holds what a bench printed against its bounds.</summary>
    /// <param name="bench">Its name.</param>
    /// <param name="output">The lines that it printed.</param>
    /// <param name="run">
    /// What it ran of databases (<c>database</c>); bounds whose <c>where</c> names another are passed over. Null: any.
    /// </param>
    /// <returns>What falls short or is missing; empty when every bound is kept.</returns>
    public IReadOnlyList<string> Check(
        string bench,
        IEnumerable<string> output,
        IReadOnlyDictionary<string, IReadOnlyCollection<string>>? run = null
    )
    {
        if (!_byBench.TryGetValue(bench, out IReadOnlyList<BoundSet>? sets))
        {
            return [$"there are no bounds for '{bench}' in bench/bounds.json"];
        }

        ResultLine[] lines = [.. output.Select(line => ResultLine.Parse(bench, line)).OfType<ResultLine>()];
        List<string> failures = [];
        foreach (
            BoundSet set in sets.Where(set =>
                run is null || run.All(choice => set.Where?.GetValueOrDefault(choice.Key) is not { } value || choice.Value.Contains(value))
            )
        )
        {
            ResultLine[] matching = [.. lines.Where(line => Applies(set, line))];
            if (matching.Length == 0)
            {
                string where = string.Join(' ', (set.Where ?? new Dictionary<string, string>()).Select(pair => $"{pair.Key}={pair.Value}"));
                failures.Add($"no result line '{$"{bench} {where}".TrimEnd()} …' was printed");
            }

            failures.AddRange(matching.SelectMany(line => Check(set, line)));
        }

        return failures;
    }

    private static bool Applies(BoundSet set, ResultLine line) =>
        set.Where is null || set.Where.All(pair => line.Figures.TryGetValue(pair.Key, out string? value) && value == pair.Value);

    private static IEnumerable<string> Check(BoundSet set, ResultLine line)
    {
        foreach ((string figure, Bound bound) in set.Bounds)
        {
            if (!line.Figures.TryGetValue(figure, out string? text))
            {
                yield return $"'{figure}' is missing in: {line.Text}";
            }
            else if (!double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double value) || !double.IsFinite(value))
            {
                yield return $"{figure}={text} is not a number in: {line.Text}";
            }
            else if (value > bound.Max)
            {
                yield return Invariant($"{figure}={text} is above {bound.Max} in: {line.Text}");
            }
            else if (value < bound.Min)
            {
                yield return Invariant($"{figure}={text} is below {bound.Min} in: {line.Text}");
            }
        }
    }

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow
)]
[JsonSerializable(typeof(Dictionary<string, IReadOnlyList<BoundSet>>))]
internal sealed partial class BoundsJsonContext : JsonSerializerContext;
