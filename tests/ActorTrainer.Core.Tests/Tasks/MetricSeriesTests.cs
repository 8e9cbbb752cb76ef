using ActorTrainer.Core.Tasks;

namespace ActorTrainer.Core.Tests.Tasks;

public sealed class MetricSeriesTests
{
    private static readonly DateTimeOffset Start = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public void With_FewPoints_KeepsThemAll() => Steps(Of(1, 2, 3, 10, 11)).ShouldBe([1, 2, 3, 10, 11]);

    [Fact]
    public void With_StepThatWasDoneBefore_ForgetsWhatDidNotGoOn()
    {
        MetricSeries series = Of(10, 20, 30, 40).With(Point(25, loss: 7));

        Steps(series).ShouldBe([10, 20, 25]);
        series.Points[^1].Metrics["loss"].ShouldBe(7);
    }

    [Fact]
    public void With_SameStepAgain_HasTheNewerValue() => Of(10, 20).With(Point(20, loss: 9)).Points[^1].Metrics["loss"].ShouldBe(9);

    [Fact]
    public void With_AMillionSteps_StaysBoundedEvenAndWhole()
    {
        MetricSeries series = MetricSeries.Empty;
        for (long step = 1; step <= 1_000_000; step += 10)
        {
            series = series.With(Point(step));
        }

        series.Points.Count.ShouldBeInRange(MetricSeries.MaxPoints / 3, MetricSeries.MaxPoints);
        series.Points[0].Step.ShouldBe(1);
        series.Points[^1].Step.ShouldBe(999_991);
        long[] gaps = [.. series.Points.Zip(series.Points.Skip(1), (a, b) => b.Step - a.Step).SkipLast(1)];
        gaps.Min().ShouldBeGreaterThanOrEqualTo(series.Stride);
        gaps.Max().ShouldBeLessThan(4 * series.Stride);
    }

    [Fact]
    public void With_ManyMetrics_KeepsTheFirstByName()
    {
        Dictionary<string, double> many = Enumerable.Range(0, 100).ToDictionary(i => $"m{i:000}", i => (double)i);

        MetricPoint kept = MetricSeries.Empty.With(new MetricPoint(1, 0, Start, many)).Points.ShouldHaveSingleItem();

        kept.Metrics.Count.ShouldBe(MetricSeries.MaxMetrics);
        kept.Metrics.ShouldContainKey("m031");
    }

    private static MetricSeries Of(params long[] steps) => steps.Aggregate(MetricSeries.Empty, (series, step) => series.With(Point(step)));

    private static IEnumerable<long> Steps(MetricSeries series) => series.Points.Select(p => p.Step);

    private static MetricPoint Point(long step, double loss = 1) =>
        new(step, 0, Start.AddSeconds(step), new Dictionary<string, double> { ["loss"] = loss });
}
