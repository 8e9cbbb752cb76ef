using ActorTrainer.Build.Benches;
using ActorTrainer.Build.Tests.Rules;

namespace ActorTrainer.Build.Tests.Benches;

public sealed class BenchBoundsTests
{
    private const string Json = """
        { "failover": [
            { "where": { "mode": "crash" }, "bounds": { "resume_ms_max": { "max": 2000 }, "kills": { "min": 50 } } },
            { "where": { "mode": "silent" }, "bounds": { "resume_ms_max": { "max": 6000.5 } } } ],
          "save": [ { "bounds": { "mb_per_s": { "min": 1, "max": 9 } } } ] }
        """;

    private const string Crash = "failover mode=crash kills=50 resume_ms_max=2000";
    private const string Silent = "failover mode=silent kills=3 resume_ms_max=6000.5";

    [Fact]
    public void Check_EveryBoundKept_FindsNothing() => Check("failover", "starting …", Crash, Silent, "").ShouldBeEmpty();

    [Fact]
    public void Check_WithoutWhere_HoldsForEveryLine() =>
        Check("save", "save mb_per_s=5", "save mb_per_s=10").ShouldBe(["mb_per_s=10 is above 9 in: save mb_per_s=10"]);

    [Theory]
    [InlineData("failover mode=crash kills=50 resume_ms_max=2000.1", "resume_ms_max=2000.1 is above 2000")]
    [InlineData("failover mode=crash kills=49 resume_ms_max=1", "kills=49 is below 50")]
    [InlineData("failover mode=crash kills=50", "'resume_ms_max' is missing")]
    [InlineData("failover mode=crash kills=50 resume_ms_max=n/a", "resume_ms_max=n/a is not a number")]
    [InlineData("failover mode=crash kills=50 resume_ms_max=NaN", "resume_ms_max=NaN is not a number")]
    [InlineData("failover mode=crash kills=50 resume_ms_max=2,000", "resume_ms_max=2,000 is not a number")]
    public void Check_FigureFallsShort_NamesIt(string crash, string expected) =>
        Check("failover", crash, Silent).ShouldHaveSingleItem().ShouldBe($"{expected} in: {crash}");

    [Fact]
    public void Check_LineMissing_NamesIt() => Check("failover", Crash).ShouldBe(["no result line 'failover mode=silent …' was printed"]);

    [Theory]
    [InlineData("postgresql", "failover database=postgresql x=2", "")]
    [InlineData("postgresql,sqlite", "failover database=sqlite x=2", "x=2 is above 1 in")]
    [InlineData("sqlite", "failover database=postgresql x=2", "no result line")]
    public void Check_BoundsOfWhatWasNotRun_ArePassedOver(string databases, string line, string expected)
    {
        BenchBounds bounds = BenchBounds.Parse(
            """{ "failover": [ { "where": { "database": "sqlite" }, "bounds": { "x": { "max": 1 } } } ] }"""
        );
        Dictionary<string, IReadOnlyCollection<string>> run = new() { ["database"] = databases.Split(',') };

        IReadOnlyList<string> failures = bounds.Check("failover", [line], run);

        failures.Count.ShouldBe(expected.Length == 0 ? 0 : 1);
        failures.ShouldAllBe(failure => failure.StartsWith(expected));
    }

    [Theory]
    [InlineData("failover --check", "sqlite")]
    [InlineData("failover --database postgresql --check", "postgresql")]
    [InlineData("failover --database sqlite --database sqlite,postgresql", "sqlite postgresql")]
    [InlineData("failover --database", "sqlite")]
    public void ValuesOf_AnOption_AreThoseGivenLast(string arguments, string expected) =>
        string.Join(' ', BenchOption.ValuesOf("--database", arguments.Split(' '), "sqlite")).ShouldBe(expected);

    [Fact]
    public void Check_NoBoundsForTheBench_IsAFailure() => Check("other", "other a=1").ShouldHaveSingleItem().ShouldContain("'other'");

    [Theory]
    [InlineData("{ \"a\": [ { \"bounds\": { \"x\": { } } } ] }", "neither min nor max")]
    [InlineData("{ \"a\": [ { \"bounds\": { \"x\": { \"maximum\": 1 } } } ] }", "maximum")]
    [InlineData("{ \"a\": [ { \"bounds\": { } } ] }", "without bounds")]
    [InlineData("{ \"a\": [] }", "without bounds")]
    [InlineData("{ \"a\": ", "")]
    [InlineData("null", "empty")]
    public void Parse_DamagedFile_SaysWhatIsWrong(string json, string expected) =>
        Should.Throw<FormatException>(() => BenchBounds.Parse(json)).Message.ShouldContain(expected);

    [Theory]
    [InlineData("failover", 7)]
    [InlineData("scale", 10)]
    public void Parse_TheFileOfTheRepository_Succeeds(string bench, int lines) =>
        BenchBounds.Parse(RepositoryFiles.Read("bench/bounds.json")).Check(bench, []).Count.ShouldBe(lines);

    [Theory]
    [InlineData("failover")]
    [InlineData("failover starts now")]
    [InlineData("failover a=1 b")]
    [InlineData("failover a=1 a=2")]
    [InlineData("failover =1")]
    [InlineData("failovers a=1")]
    public void ParseLine_SomethingElse_IsNull(string line) => ResultLine.Parse("failover", line).ShouldBeNull();

    private static IReadOnlyList<string> Check(string bench, params string[] output) => BenchBounds.Parse(Json).Check(bench, output);
}
