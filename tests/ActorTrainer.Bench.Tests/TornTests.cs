using ActorTrainer.Bench.Torn;

namespace ActorTrainer.Bench.Tests;

/// <summary>That the bench sees what it is to see.</summary>
public sealed class TornTests
{
    private const int Kills = 6;

    public static TheoryData<string> Patterns => [.. SavePattern.All.Select(pattern => pattern.Name)];

    [Theory]
    [MemberData(nameof(Patterns))]
    public void Measure_TheProduct_NothingIsMixedOrTorn(string pattern)
    {
        TornFigures figures = TornBench.Measure(Of(pattern), Kills, seed: 1, naive: false);

        (figures.Mixed, figures.Torn, figures.Starved, figures.Late).ShouldBe((0, 0, 0, 0), figures.Fault);
    }

    [Fact]
    public void Measure_ACaptureOfWhateverStands_IsMixedAndTorn()
    {
        TornFigures figures = TornBench.Measure(Of("two-files"), 4 * Kills, seed: 1, naive: true);

        figures.Mixed.ShouldBeGreaterThan(0);
        figures.Torn.ShouldBeGreaterThan(0);
    }

    private static SavePattern Of(string name) => SavePattern.All.Single(pattern => pattern.Name == name);
}
