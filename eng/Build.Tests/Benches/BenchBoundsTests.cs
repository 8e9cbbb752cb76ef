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
    public void Check_LineMissing_NamesIt() =>
        Check("failover", Crash).ShouldBe(["no result line 'failover mode=silent …' was printed"]);

    [Fact]
    public void Check_BoundsOfAnEngineThatWasNotRun_ArePassedOver()
    {
        BenchBounds bounds = BenchBounds.Parse("""{ "failover": [ { "where": { "engine": "embedded" }, "bounds": { "x": { "max": 1 } } } ] }""");

        bounds.Check("failover", ["failover engine=akka x=2"], ["akka"]).ShouldBeEmpty();
        bounds.Check("failover", ["failover engine=embedded x=2"], ["akka", "embedded"]).ShouldHaveSingleItem();
        bounds.Check("failover", ["failover engine=akka x=2"], ["embedded"]).ShouldHaveSingleItem().ShouldStartWith("no result line");
    }

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

    [Fact]
    public void Parse_TheFileOfTheRepository_Succeeds() =>
        BenchBounds.Parse(RepositoryFiles.Read("bench/bounds.json")).Check("failover", []).Count.ShouldBe(4, "two modes of two engines");

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
