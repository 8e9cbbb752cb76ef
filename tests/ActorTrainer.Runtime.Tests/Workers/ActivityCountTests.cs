using ActorTrainer.Runtime.Workers.Guard;

namespace ActorTrainer.Runtime.Tests.Workers;

public sealed class ActivityCountTests
{
    private readonly ActivityCount _activity = new();
    private long _printed;

    [Theory]
    [InlineData(10, 9, false)]
    [InlineData(10, 10, true)]
    [InlineData(1, 1, false)] // one tick is what the clock may give to anybody
    [InlineData(1, 2, true)]
    [InlineData(0.1, 2, true)]
    public void Look_ProcessorTime_CountsFromOnePercentOfACoreOn(double seconds, long ticks, bool active) =>
        Look(seconds, (7, ticks)).ShouldBe(active);

    [Fact]
    public void Look_LittleForLong_AddsUpToNothing()
    {
        Look(10, (7, 10)).ShouldBeTrue();
        for (long look = 1; look <= 100; look++)
        {
            // 30 ms each 10 s
            Look(10, (7, 10 + (3 * look))).ShouldBeFalse();
        }
    }

    [Fact]
    public void Look_AfterWork_CountsFromThere()
    {
        Look(10, (7, 500)).ShouldBeTrue();
        Look(10, (7, 500)).ShouldBeFalse();
        Look(10, (7, 520)).ShouldBeTrue();
    }

    [Fact]
    public void Look_SeveralProcesses_AreAddedAndThoseThatEndedTakeNothingAway()
    {
        Look(10, (7, 6), (8, 6)).ShouldBeTrue();
        Look(10, (7, 6), (9, 10)).ShouldBeTrue();
        Look(10, (7, 6)).ShouldBeFalse();
    }

    [Fact]
    public void Look_Output_IsWork()
    {
        _printed = 1;
        Look(10, (7, 0)).ShouldBeTrue();
        Look(10, (7, 0)).ShouldBeFalse();
    }

    private bool Look(double seconds, params (int Pid, long Ticks)[] processes) =>
        _activity.Look(TimeSpan.FromSeconds(seconds), _printed, processes.ToDictionary(p => (p.Pid, 1L), p => p.Ticks));
}
