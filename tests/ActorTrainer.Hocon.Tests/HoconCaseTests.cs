using System.Text.Json;
using ActorTrainer.Core.Configuration;

namespace ActorTrainer.Hocon.Tests;

/// <summary>
/// Texts that were once read otherwise than the reference implementation reads them, with its results. Three are test files of its own
/// (lightbend/config, Apache 2.0). Where this reader differs on purpose, the result is in <see cref="Deviations"/> instead.
/// </summary>
public sealed class HoconCaseTests
{
    private static readonly IReadOnlyDictionary<string, HoconCase> Cases = JsonSerializer
        .Deserialize<HoconCase[]>(
            File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Cases", "cases.json")),
            JsonSerializerOptions.Web
        )!
        .ToDictionary(c => c.Name);

    /// <summary>What this reader makes of a case instead, and the words by which docs/formats/configuration.md declares it.</summary>
    private static readonly Dictionary<string, (string Result, string Declared)> Deviations = new()
    {
        ["env-number-string"] = ("""{"a": 42}""", "Texts from the environment count as unquoted"),
        ["env-index"] = ("1:3", "variables of the environment with numbers at their end"),
        ["inc-classpath"] = ("1:9", "`include url(…)` and `classpath(…)`"),
        ["inc-properties-noext"] = ("{}", "`.properties` files"),
        ["reference/equiv03"] = (
            """{"letters": {"numbers": {"1": 1}, "a": "ok", "b": 507, "c": {"fromConf": 89}}, "root": "this gets included at the root"}""",
            "`.properties` files"
        ),
        ["numobj-concat"] = ("1:24", "objects with numbers as keys in place of arrays"),
        ["numobj-plus"] = ("1:14", "objects with numbers as keys in place of arrays"),
        ["path-space-dot"] = ("""{"a": {"b": 1}}""", "White space around the dots of a key is dropped"),
        ["path-space-dot2"] = ("""{"a": {"b": 1}}""", "White space around the dots of a key is dropped"),
    };

    private static readonly Dictionary<string, string> Environment = new()
    {
        ["HOC_N"] = "42",
        ["HOC_IDX.0"] = "zero",
        ["HOC_IDX.1"] = "one",
    };

    public static TheoryData<string> Names() => [.. Cases.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void ReadFile_Case_HasItsResult(string name)
    {
        HoconCase item = Cases[name];

        string result = Read(item);

        if (Deviations.TryGetValue(name, out (string Result, string Declared) deviation))
        {
            IsSame(result, deviation.Result).ShouldBeTrue($"{name} is {result}, not {deviation.Result}");
            Matches(item, result).ShouldBeFalse($"{name} is no deviation any more");
        }
        else
        {
            Matches(item, result).ShouldBeTrue($"{name} is {result}");
        }
    }

    [Fact]
    public void Deviations_AreCasesAndDeclared()
    {
        string document = File.ReadAllText(Path.Combine(TestFolder.Repository(), "docs", "formats", "configuration.md"))
            .ReplaceLineEndings(" ");
        while (document.Contains("  ", StringComparison.Ordinal))
        {
            document = document.Replace("  ", " ", StringComparison.Ordinal);
        }

        Cases.Count.ShouldBe(46);
        Deviations.Keys.Except(Cases.Keys).ShouldBeEmpty();
        Deviations.Values.Select(d => d.Declared).Where(words => !document.Contains(words, StringComparison.Ordinal)).ShouldBeEmpty();
    }

    /// <summary>The values as JSON, or line and column of the mistake.</summary>
    private static string Read(HoconCase item)
    {
        using TestFolder folder = new();
        foreach ((string file, string text) in item.Files)
        {
            folder.Write(file, text);
        }

        try
        {
            return ConfigJson.ToJson(HoconReader.ReadFile(Path.Combine(folder.Path, "in.conf"), Environment)).GetRawText();
        }
        catch (ConfigException e)
        {
            return Position(e.Origin.Line, e.Origin.Column);
        }
    }

    private static bool Matches(HoconCase item, string result) =>
        item.Expected is { } values ? IsSame(result, values.GetRawText())
        : item.Error is { Line: { } line, Column: { } column } ? result == Position(line, column)
        : !result.StartsWith('{');

    private static string Position(int line, int column) => FormattableString.Invariant($"{line}:{column}");

    private static bool IsSame(string left, string right)
    {
        if (!left.StartsWith('{') || !right.StartsWith('{'))
        {
            return left == right;
        }

        using JsonDocument one = JsonDocument.Parse(left);
        using JsonDocument other = JsonDocument.Parse(right);
        return JsonElement.DeepEquals(one.RootElement, other.RootElement);
    }

    private sealed record HoconCase(string Name, Dictionary<string, string> Files, JsonElement? Expected, CasePosition? Error);

    /// <summary>A mistake; without a place where the reference implementation names none.</summary>
    private sealed record CasePosition(int? Line, int? Column);
}
