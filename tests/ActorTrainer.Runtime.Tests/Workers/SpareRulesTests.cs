using ActorTrainer.Runtime.Workers;

namespace ActorTrainer.Runtime.Tests.Workers;

public sealed class SpareRulesTests
{
    private static readonly Dictionary<string, string> Spare = new()
    {
        ["PATH"] = "/bin",
        ["RUN"] = "spare-1",
        ["SPARE"] = "1",
    };

    [Fact]
    public void Difference_OfARun_IsWhatChangesIt()
    {
        Dictionary<string, string> run = new()
        {
            ["PATH"] = "/bin",
            ["RUN"] = "task/1-2",
            ["EMPTY"] = "",
        };
        SpareRules
            .Difference(Spare, run)
            .ShouldBe(
                new SortedDictionary<string, string?>
                {
                    ["EMPTY"] = "",
                    ["RUN"] = "task/1-2",
                    ["SPARE"] = null,
                }
            );
    }

    [Theory]
    [InlineData("DOTNET_gcServer")]
    [InlineData("COMPlus_TieredCompilation")]
    [InlineData("CORECLR_ENABLE_PROFILING")]
    [InlineData("LD_PRELOAD")]
    [InlineData("LD_LIBRARY_PATH")]
    [InlineData("DYLD_INSERT_LIBRARIES")]
    [InlineData("MALLOC_ARENA_MAX")]
    [InlineData("GLIBC_TUNABLES")]
    [InlineData("LC_ALL")]
    [InlineData("LANG")]
    [InlineData("TZ")]
    [InlineData("a=b")]
    [InlineData("")]
    public void Difference_InWhatIsReadAtTheStart_NeedsAStart(string name)
    {
        Dictionary<string, string> run = new(Spare) { [name] = "1" };
        SpareRules.Difference(Spare, run).ShouldBeNull();
        SpareRules.Difference(run, Spare).ShouldBeNull();
        Dictionary<string, string> alike = new(run) { ["RUN"] = "task/1-2" };
        SpareRules.Difference(run, alike).ShouldBe(new SortedDictionary<string, string?> { ["RUN"] = "task/1-2" });
    }

    [Fact]
    public void Difference_LongerThanAMessage_NeedsAStart() =>
        SpareRules.Difference(Spare, new Dictionary<string, string>(Spare) { ["LONG"] = new string('x', 300_000) }).ShouldBeNull();

    [Theory]
    [InlineData(0, 0)]
    [InlineData(1, 1)]
    [InlineData(2, 2)]
    [InlineData(3, 4)]
    [InlineData(7, 60)]
    [InlineData(1000, 60)]
    public void PauseAfter_FailuresInARow_GrowsToAMinute(int failures, double seconds) =>
        SpareRules.PauseAfter(failures).TotalSeconds.ShouldBe(seconds);

    [Fact]
    public void PauseBefore_NothingAgainstIt_IsNone() => SpareRules.PauseBefore(0, TimeSpan.FromHours(1), []).ShouldBe(TimeSpan.Zero);

    [Fact]
    public void PauseFor_ARunThatStarts_LeavesItTheProcessorForAWhile()
    {
        SpareRules.PauseFor(TimeSpan.FromSeconds(1), null).ShouldBe(TimeSpan.FromSeconds(4));
        SpareRules.PauseFor(TimeSpan.FromSeconds(9), null).ShouldBeLessThanOrEqualTo(TimeSpan.Zero);
    }

    [Fact]
    public void PauseFor_ARunThatHasBegun_LeavesThoseThatBeginWithItTheProcessor()
    {
        SpareRules.PauseFor(TimeSpan.FromHours(1), TimeSpan.FromMilliseconds(500)).ShouldBe(TimeSpan.FromSeconds(1.5));
        SpareRules.PauseFor(TimeSpan.FromSeconds(4), TimeSpan.FromSeconds(3)).ShouldBeLessThanOrEqualTo(TimeSpan.Zero);
    }

    [Fact]
    public void PauseBefore_SeveralRuns_IsTheLongest() =>
        SpareRules.PauseBefore(0, TimeSpan.Zero, [TimeSpan.FromSeconds(4), TimeSpan.FromSeconds(2)]).ShouldBe(TimeSpan.FromSeconds(4));

    [Fact]
    public void PauseBefore_AfterFailures_IsTheLongerOfBoth()
    {
        SpareRules.PauseBefore(4, TimeSpan.FromSeconds(1), [TimeSpan.FromSeconds(5)]).ShouldBe(TimeSpan.FromSeconds(7));
        SpareRules.PauseBefore(1, TimeSpan.FromSeconds(2), []).ShouldBeLessThanOrEqualTo(TimeSpan.Zero);
    }
}
