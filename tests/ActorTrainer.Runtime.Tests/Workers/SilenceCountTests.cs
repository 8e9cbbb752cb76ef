using ActorTrainer.Runtime.Workers.Guard;

namespace ActorTrainer.Runtime.Tests.Workers;

public sealed class SilenceCountTests
{
    private readonly SilenceCount _count = new();
    private TimeSpan _now;
    private TimeSpan _looked;
    private TimeSpan _heard;

    [Fact]
    public void Look_NodeIsSilent_CountsTheTimeSinceItWasHeard()
    {
        Look(0.25, heard: true);
        Look(0.25);
        Look(0.25);

        Look(0.25).ShouldBe(TimeSpan.FromSeconds(0.75));
    }

    [Fact]
    public void Look_NodeIsHeard_BeginsAnew()
    {
        Look(0.25);
        Look(0.25);

        Look(0.25, heard: true).ShouldBe(TimeSpan.Zero);
    }

    [Fact]
    public void Look_GuardStoodStill_CountsASecondOfThatAtMost()
    {
        Look(0.25);

        Look(20).ShouldBe(TimeSpan.FromSeconds(1.25));
        Look(0.25).ShouldBe(TimeSpan.FromSeconds(1.5));
    }

    [Fact]
    public void Look_EachLate_CountsAllOfTheTime()
    {
        for (int i = 0; i < 10; i++)
        {
            Look(0.9);
        }

        Look(0.9).ShouldBe(TimeSpan.FromSeconds(9.9));
    }

    private TimeSpan Look(double seconds, bool heard = false)
    {
        _now += TimeSpan.FromSeconds(seconds);
        _heard = heard ? _now : _heard;
        TimeSpan silence = _count.Look(_now - _looked, _now - _heard);
        _looked = _now;
        return silence;
    }
}
