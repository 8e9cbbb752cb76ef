using ActorTrainer.Akka.Members;
using ActorTrainer.Akka.Tests.Support;
using Akka.Actor;
using Akka.Configuration;
using Akka.TestKit.Xunit2;

namespace ActorTrainer.Akka.Tests.Members;

public sealed class CrashAwareFailureDetectorTests() : TestKit(Systems.InMemory())
{
    private const string Address = "akka.tcp://c@127.0.0.1:8401";

    private static readonly Config Settings = ConfigurationFactory.ParseString(
        """
        threshold = 8
        max-sample-size = 1000
        min-std-deviation = 100ms
        acceptable-heartbeat-pause = 60s
        heartbeat-interval = 200ms
        """);

    [Fact]
    public void Detector_OfANodeWhoseProcessIsGone_DoesNotWaitForItsSilence()
    {
        CrashAwareFailureDetector detector = Detector();
        detector.HeartBeat();
        detector.IsAvailable.ShouldBeTrue();

        CrashMarks.Of(Sys.EventStream).Add(Address);

        detector.IsAvailable.ShouldBeFalse();
        detector.IsMonitoring.ShouldBeTrue("a leader removes only whom it watches");
        Detector("akka.tcp://c@127.0.0.1:8402").IsAvailable.ShouldBeTrue("others are not meant");
    }

    [Fact]
    public void Detector_OfANodeThatWasStartedAgain_HearsOfItAtOnce()
    {
        CrashMarks.Of(Sys.EventStream).Add(Address);
        CrashAwareFailureDetector detector = Detector();

        detector.HeartBeat();

        detector.IsAvailable.ShouldBeTrue();
    }

    [Fact]
    public void Marks_OfAnotherSystem_AreItsOwn()
    {
        using ActorSystem other = ActorSystem.Create("other", "akka.loglevel = OFF");
        CrashMarks.Of(other.EventStream).Add(Address);

        CrashMarks.Of(Sys.EventStream).Contains(Address).ShouldBeFalse();
    }

    private CrashAwareFailureDetector Detector(string address = Address) => new(Settings, Sys.EventStream) { Address = address };
}
