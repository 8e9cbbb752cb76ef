using ActorTrainer.Cluster.Members;

namespace ActorTrainer.Cluster.Tests.Members;

public sealed class SilenceDetectorTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan Beat = TimeSpan.FromMilliseconds(200);

    private readonly SilenceDetector _detector;
    private TimeSpan _now = TimeSpan.FromSeconds(5);

    public SilenceDetectorTests() => _detector = new SilenceDetector(Limit, new ListeningTime(() => _now, Beat));

    [Fact]
    public void Detector_BeforeTheFirstHeartbeat_WatchesNobody()
    {
        _detector.IsMonitoring.ShouldBeFalse();
        _detector.IsAvailable.ShouldBeTrue();
    }

    [Fact]
    public void Detector_OfASilentMember_WaitsForTheLimitAndNoLonger()
    {
        _detector.HeartBeat();

        Listen(Limit);
        _detector.IsAvailable.ShouldBeTrue();
        Listen(TimeSpan.FromMilliseconds(50));

        _detector.IsMonitoring.ShouldBeTrue();
        _detector.IsAvailable.ShouldBeFalse();
        _detector.HeartBeat();
        _detector.IsAvailable.ShouldBeTrue();
    }

    [Fact]
    public void Detector_OfAProcessThatStoodStillItself_BlamesNobody()
    {
        _detector.HeartBeat();
        Listen(TimeSpan.FromSeconds(1));

        _now += TimeSpan.FromSeconds(30);

        _detector.IsAvailable.ShouldBeTrue("nobody listened for 30 s");
        Listen(TimeSpan.FromSeconds(1));
        _detector.IsAvailable.ShouldBeFalse("what was listened through counts");
    }

    private void Listen(TimeSpan time)
    {
        for (TimeSpan end = _now + time; _now < end; )
        {
            _now += TimeSpan.FromMilliseconds(50);
            _ = _detector.IsAvailable;
        }
    }
}
