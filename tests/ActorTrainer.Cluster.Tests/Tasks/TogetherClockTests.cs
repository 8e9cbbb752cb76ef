using ActorTrainer.Cluster.Tasks;

namespace ActorTrainer.Cluster.Tests.Tasks;

public sealed class TogetherClockTests
{
    private readonly TogetherClock _clock = new();
    private double _now;

    [Fact]
    public void Until_WhileAllAreWithinReach_IsNow()
    {
        LookFor(10);

        _clock.Until.ShouldBe(TimeSpan.FromSeconds(10));
    }

    [Fact]
    public void Until_OfANodeWithoutOthers_StandsStillAndGoesOnWhenTheyAreBack()
    {
        LookFor(10);
        LookFor(8, alone: true);
        _clock.Until.ShouldBe(TimeSpan.FromSeconds(10));

        LookFor(1);
        _clock.Until.ShouldBe(TimeSpan.FromSeconds(19));
    }

    [Fact]
    public void Until_OfANodeThatWasStopped_IsWhenItWasStopped()
    {
        LookFor(10);
        _now += 7;
        LookFor(1);
        _clock.Until.ShouldBe(TimeSpan.FromSeconds(10), "it has not seen yet that the others have gone on without it");
        LookFor(3, alone: true);
        _clock.Until.ShouldBe(TimeSpan.FromSeconds(10));
    }

    [Fact]
    public void Until_OfANodeThatWasStoppedAndHasLostNobody_GoesOnAfterAMoment()
    {
        LookFor(10);
        _now += 7;
        LookFor(6);

        _clock.Until.ShouldBe(TimeSpan.FromSeconds(23));
    }

    /// <summary>Twice a second.</summary>
    private void LookFor(double seconds, bool alone = false)
    {
        for (double end = _now + seconds; _now < end; )
        {
            _now += 0.5;
            _clock.Look(TimeSpan.FromSeconds(_now), alone);
        }
    }
}
