using System.Diagnostics;
using ActorTrainer.Core.Configuration;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Membership;
using ActorTrainer.Runtime.Transport;

namespace ActorTrainer.Runtime.Tests.Transport;

public sealed class GossipRunnerTests
{
    [Fact]
    public async Task Start_ThreeNodes_SeeEachOther()
    {
        await using Cluster cluster = await Cluster.StartAsync(_ => false);
        foreach (TransportNode node in cluster.Nodes)
        {
            node.Gossip!.View.Members.Count.ShouldBe(3);
            node.Gossip.View.Self.ShouldBe(node.Incarnation);
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Abort_OneOfThree_IsDownForTheOthers(bool journalKnows)
    {
        long gone = 0;
        await using Cluster cluster = await Cluster.StartAsync(life => journalKnows ? life == Interlocked.Read(ref gone) : null);
        TransportNode victim = cluster.Nodes[2];
        Interlocked.Exchange(ref gone, victim.Incarnation);
        long start = Stopwatch.GetTimestamp();
        await victim.CrashAsync();
        await Task.WhenAll(cluster.Nodes[0].SeesAsync(victim, MemberState.Down), cluster.Nodes[1].SeesAsync(victim, MemberState.Down));
        // By evidence and not by silence, which takes five seconds.
        Stopwatch.GetElapsedTime(start).ShouldBeLessThan(TimeSpan.FromSeconds(3));
        cluster.Nodes[0].Losses.ShouldHaveSingleItem().Incarnation.ShouldBe(victim.Incarnation);
    }

    [Fact]
    public async Task Leave_OneOfThree_IsRemovedAndNotLost()
    {
        await using Cluster cluster = await Cluster.StartAsync(_ => false);
        TransportNode leaver = cluster.Nodes[1];
        leaver.Gossip!.ChangeSelf(MemberState.Leaving, false);
        await cluster.Nodes[0].SeesAsync(leaver, MemberState.Leaving);
        await leaver.Gossip.LeaveAsync();
        await leaver.Server.StopAsync();
        await Task.WhenAll(cluster.Nodes[0].SeesAsync(leaver, MemberState.Removed), cluster.Nodes[2].SeesAsync(leaver, MemberState.Removed));
        cluster.Nodes[0].Losses.ShouldBeEmpty();
        cluster.Nodes[2].Losses.ShouldBeEmpty();
    }

    [Fact]
    public async Task Abort_ThenAnotherLifeAtTheAddress_SupersedesTheFirst()
    {
        await using Cluster cluster = await Cluster.StartAsync(_ => null);
        TransportNode victim = cluster.Nodes[2];
        int port = victim.Address.Port;
        await victim.CrashAsync();
        await using TransportNode again = await TransportNode.ListenAsync(9, TransportNode.NewModel(port));
        again.Join(_ => null, cluster.Nodes[0].Address);
        await Task.WhenAll(
            cluster.Nodes[0].SeesAsync(again, MemberState.Up), cluster.Nodes[1].SeesAsync(again, MemberState.Up),
            cluster.Nodes[0].SeesAsync(victim, MemberState.Down), cluster.Nodes[1].SeesAsync(victim, MemberState.Down));
        await again.SeesAsync(again, MemberState.Up);
    }

    [Fact]
    public async Task Declare_Down_IsToldToTheMember()
    {
        await using Cluster cluster = await Cluster.StartAsync(_ => false);
        cluster.Nodes[0].Gossip!.Declare(cluster.Nodes[1].Incarnation, MemberState.Down);
        await cluster.Nodes[1].SeesAsync(cluster.Nodes[1], MemberState.Down);
    }

    [Fact]
    public async Task Start_AnotherClusterName_IsRefusedWithTheReason()
    {
        await using TransportNode seed = (await TransportNode.ListenAsync(1, TransportNode.NewModel())).Join(_ => null);
        await using TransportNode other = await TransportNode.ListenAsync(2, TransportNode.NewModel() with { ClusterName = "weather" });
        other.Join(_ => null, seed.Address);
        string reason = await other.Refused.Task.WaitAsync(TransportNode.Deadline, TimeProvider.System);
        reason.ShouldContain("'weather' is not 'actortrainer'");
        reason.ShouldContain(seed.Address.ToString());
        other.Gossip!.View.Version.ShouldBe(0);
    }

    [Theory]
    [InlineData(null, "none was sent")]
    [InlineData("wrong", "not the one of this cluster")]
    public async Task Start_NoOrWrongToken_IsRefusedWithTheReason(string? token, string expected)
    {
        NodeModel guarded = TransportNode.NewModel() with { Security = new SecurityModel { Token = "right" } };
        await using TransportNode seed = (await TransportNode.ListenAsync(1, guarded)).Join(_ => null);
        await using TransportNode other = await TransportNode.ListenAsync(2, TransportNode.NewModel() with { Security = new SecurityModel { Token = token } });
        other.Join(_ => null, seed.Address);
        string reason = await other.Refused.Task.WaitAsync(TransportNode.Deadline, TimeProvider.System);
        reason.ShouldContain(expected);
    }

    [Fact]
    public async Task Start_SameToken_Joins()
    {
        NodeModel guarded = TransportNode.NewModel() with { Security = new SecurityModel { Token = "right" } };
        await using TransportNode seed = (await TransportNode.ListenAsync(1, guarded)).Join(_ => null);
        await using TransportNode other = (await TransportNode.ListenAsync(2, guarded)).Join(_ => null, seed.Address);
        await other.SeesAsync(seed, MemberState.Up);
    }

    [Fact]
    public async Task Start_SeedComesLater_JoinsThen()
    {
        await using TransportNode seed = await TransportNode.ListenAsync(1, TransportNode.NewModel());
        await using TransportNode other = (await TransportNode.ListenAsync(2, TransportNode.NewModel())).Join(_ => null, seed.Address);
        // The seed listens but has no life yet: it answers that it is starting, which is no refusal.
        seed.Join(_ => null);
        await other.SeesAsync(seed, MemberState.Up);
        other.Refused.Task.IsCompleted.ShouldBeFalse();
    }

    [Fact]
    public async Task ProbeAsync_NobodySameOrOtherLife_ToldApart()
    {
        await using TransportNode node = (await TransportNode.ListenAsync(7, TransportNode.NewModel())).Join(_ => null);
        FreshProber prober = new("actortrainer", null, TimeProvider.System);
        (await prober.ProbeAsync(node.Address, 7, TransportNode.Deadline, default)).ShouldBe(FreshProbe.SameIncarnation);
        (await prober.ProbeAsync(node.Address, 6, TransportNode.Deadline, default)).ShouldBe(FreshProbe.OtherIncarnation);
        await node.CrashAsync();
        (await prober.ProbeAsync(node.Address, 7, TransportNode.Deadline, default)).ShouldBe(FreshProbe.Refused);
    }

    [Fact]
    public async Task ProbeAsync_ListenerThatNeverAnswers_TimesOut()
    {
        using System.Net.Sockets.TcpListener silent = new(System.Net.IPAddress.Loopback, 0);
        silent.Start();
        NodeAddress address = new("127.0.0.1", ((System.Net.IPEndPoint)silent.LocalEndpoint).Port);
        FreshProber prober = new("actortrainer", null, TimeProvider.System);
        (await prober.ProbeAsync(address, 1, TimeSpan.FromMilliseconds(200), default)).ShouldBe(FreshProbe.TimedOut);
    }

    private sealed class Cluster(IReadOnlyList<TransportNode> nodes) : IAsyncDisposable
    {
        public IReadOnlyList<TransportNode> Nodes { get; } = nodes;

        public static async Task<Cluster> StartAsync(Func<long, bool?> lifeLock)
        {
            List<TransportNode> nodes = [];
            for (int i = 1; i <= 3; i++)
            {
                nodes.Add(await TransportNode.ListenAsync(i, TransportNode.NewModel()));
            }

            foreach (TransportNode node in nodes)
            {
                node.Join(lifeLock, nodes[0].Address);
            }

            await Task.WhenAll(nodes.Select(node => node.SeesAsync(view =>
                view.Reachable.Count == 3 && view.Members.All(member => member.State == MemberState.Up))));
            return new Cluster(nodes);
        }

        public async ValueTask DisposeAsync()
        {
            foreach (TransportNode node in Nodes)
            {
                await node.DisposeAsync();
            }
        }
    }
}
