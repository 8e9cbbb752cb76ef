using ActorTrainer.Cluster.Configuration;
using ActorTrainer.Cluster.Members;
using ActorTrainer.Cluster.Tests.Support;
using Akka.Actor;
using Akka.Cluster;
using Akka.TestKit;
using Akka.TestKit.Xunit2;
using AkkaCluster = Akka.Cluster.Cluster;

namespace ActorTrainer.Cluster.Tests.Members;

public sealed class GossipPacerTests() : TestKit(TestSystems.InCluster())
{
    private static readonly string[] OneRound = ["GossipTick", "ReapUnreachableTick", "LeaderActionsTick", "Retry"];

    private long _nowTicks;

    [Fact]
    public void AreKnown_TheTicksOfTheAkkaInUse_AreFound() => AkkaTicks.AreKnown.ShouldBeTrue();

    [Fact]
    public async Task Hurry_AMemberIsDowned_TellsThoseConcernedUntilAllIsSettledForASecond()
    {
        AkkaCluster cluster = AkkaCluster.Get(Sys);
        cluster.Join(cluster.SelfAddress);
        await AwaitAssertAsync(() => cluster.State.Members.ShouldContain(m => m.Status == MemberStatus.Up), TimeSpan.FromSeconds(30));
        TestProbe told = CreateTestProbe();
        Sys.ActorOf(Props.Create(() => new GossipPacer(TimeSpan.FromMilliseconds(10), told, () => told, Elapsed)));
        ExpectRound(told); // it hears of its own member first
        await ExpectSilenceAsync(told);

        Sys.EventStream.Publish(new LifeDowned(7));
        ExpectRound(told);
        ExpectRound(told);
        await ExpectSilenceAsync(told);
    }

    [Fact]
    public async Task IsSettled_AMember_WhenItIsUpAndReachable()
    {
        AkkaCluster cluster = AkkaCluster.Get(Sys);
        IsSettled(null).ShouldBeTrue("this node is no member yet");
        cluster.Join(cluster.SelfAddress);
        await AwaitAssertAsync(() => cluster.State.Members.ShouldContain(m => m.Status == MemberStatus.Up), TimeSpan.FromSeconds(30));
        Member up = cluster.SelfMember;

        IsSettled(up).ShouldBeTrue();
        IsSettled(up, unreachable: true).ShouldBeFalse();
        IsSettled(up.Copy(MemberStatus.Leaving)).ShouldBeFalse();
        IsSettled(up.Copy(MemberStatus.Down)).ShouldBeFalse();
    }

    private static bool IsSettled(Member? member, bool unreachable = false) =>
        GossipPacer.IsSettled(
            new ClusterEvent.CurrentClusterState().Copy(
                members: member is null ? [] : [member],
                unreachable: member is not null && unreachable ? [member] : []
            )
        );

    private TimeSpan Elapsed() => new(Interlocked.Read(ref _nowTicks));

    private static void ExpectRound(TestProbe probe) =>
        Enumerable
            .Range(0, OneRound.Length)
            .Select(_ => probe.ExpectMsg<object>(TimeSpan.FromSeconds(20)).GetType().Name)
            .ShouldBe(OneRound);

    /// <summary>Lets its second go by; a round that was on its way may still come.</summary>
    private async Task ExpectSilenceAsync(TestProbe probe)
    {
        Interlocked.Add(ref _nowTicks, TimeSpan.FromSeconds(1.1).Ticks);
        await probe.WaitForRadioSilenceAsync(TimeSpan.FromMilliseconds(200), maxMessages: 1_000);
    }
}
