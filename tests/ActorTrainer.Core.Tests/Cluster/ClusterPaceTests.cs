using ActorTrainer.Core.Cluster;

namespace ActorTrainer.Core.Tests.Cluster;

public sealed class ClusterPaceTests
{
    [Theory]
    [InlineData(0, 50)]
    [InlineData(1, 50)]
    [InlineData(10, 50)]
    [InlineData(11, 55)]
    [InlineData(100, 500)]
    [InlineData(200, 1000)]
    [InlineData(1000, 1000)]
    [InlineData(int.MaxValue, 1000)]
    public void IntervalFor_NumberOfNodes_GrowsWithThem(int nodes, int milliseconds) =>
        ClusterPace.IntervalFor(nodes).ShouldBe(TimeSpan.FromMilliseconds(milliseconds));

    [Theory]
    [InlineData(1, 200)]
    [InlineData(40, 200)]
    [InlineData(100, 500)]
    public void ReaperIntervalFor_NumberOfNodes_IsNotBelowWhatAnIdleNodeMayCost(int nodes, int milliseconds) =>
        ClusterPace.ReaperIntervalFor(nodes).ShouldBe(TimeSpan.FromMilliseconds(milliseconds));

    [Fact]
    public void At_AcrossAGap_CountsNoMoreThanOneStep()
    {
        OwnTime time = new(TimeSpan.FromMilliseconds(500));
        time.At(TimeSpan.FromSeconds(10)).ShouldBe(TimeSpan.Zero);
        time.At(TimeSpan.FromSeconds(10.3)).ShouldBe(TimeSpan.FromSeconds(0.3));
        time.PausedUntil.ShouldBeNull();

        time.At(TimeSpan.FromSeconds(40)).ShouldBe(TimeSpan.FromSeconds(0.8));

        time.PausedUntil.ShouldBe(TimeSpan.FromSeconds(40));
    }
}
