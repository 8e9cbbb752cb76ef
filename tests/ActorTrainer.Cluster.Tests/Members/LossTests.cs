using ActorTrainer.Cluster.Members;
using ActorTrainer.Cluster.Tests.Support;
using Akka.Actor;
using Akka.Cluster;
using Akka.Remote;
using Akka.TestKit.Xunit2;
using AkkaCluster = Akka.Cluster.Cluster;

namespace ActorTrainer.Cluster.Tests.Members;

/// <summary>What the downing relies on in Akka.Cluster.</summary>
public sealed class LossTests() : TestKit(TestSystems.InCluster())
{
    /// <summary>Heartbeats that arrive after the proof of a death were sent before it.</summary>
    [Fact]
    [Trait("Lane", "Slow")]
    public async Task Quarantined_WhileHeartbeatsStillArrive_IsUnreachableForGood()
    {
        using ActorSystem other = ActorSystem.Create(Sys.Name, TestSystems.InCluster());
        AkkaCluster cluster = AkkaCluster.Get(Sys);
        cluster.Join(cluster.SelfAddress);
        AkkaCluster.Get(other).Join(cluster.SelfAddress);
        await AwaitAssertAsync(() => cluster.State.Members.Count(m => m.Status == MemberStatus.Up).ShouldBe(2), TimeSpan.FromSeconds(30));
        UniqueAddress lost = AkkaCluster.Get(other).SelfUniqueAddress;

        // Up comes by gossip; the first heartbeat comes by itself, and may come later.
        await AwaitAssertAsync(() => cluster.FailureDetector.IsMonitoring(lost.Address).ShouldBeTrue(), TimeSpan.FromSeconds(10));

        Sys.EventStream.Publish(new QuarantinedEvent(lost.Address, lost.Uid + 1));
        Sys.EventStream.Publish(new QuarantinedEvent(lost.Address, lost.Uid));
        await AwaitAssertAsync(() => cluster.State.Unreachable.ShouldContain(m => m.UniqueAddress.Equals(lost)), TimeSpan.FromSeconds(10));

        long started = TimeProvider.System.GetTimestamp();
        while (TimeProvider.System.GetElapsedTime(started) < TimeSpan.FromSeconds(1))
        {
            cluster.FailureDetector.Heartbeat(lost.Address);
            cluster.State.Unreachable.ShouldContain(m => m.UniqueAddress.Equals(lost));
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System);
        }

        cluster.Down(lost.Address);
        await AwaitAssertAsync(() => cluster.State.Members.ShouldNotContain(m => m.UniqueAddress.Equals(lost)), TimeSpan.FromSeconds(10));
    }

    [Fact]
    [Trait("Lane", "Slow")]
    public void Detector_OfTheProduct_IsTheOneThatAkkaMakes() =>
        FailureDetectorLoader
            .Load(
                Sys.Settings.Config.GetString("akka.cluster.failure-detector.implementation-class"),
                Sys.Settings.Config.GetConfig("akka.cluster.failure-detector"),
                Sys
            )
            .ShouldBeOfType<SilenceDetector>();
}
