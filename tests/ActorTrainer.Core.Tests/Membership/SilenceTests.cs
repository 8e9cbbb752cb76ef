using ActorTrainer.Core.Membership;

namespace ActorTrainer.Core.Tests.Membership;

public sealed class SilenceTests
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(20);

    [Theory]
    [InlineData(1UL)]
    [InlineData(2UL)]
    [InlineData(3UL)]
    [InlineData(4UL)]
    public void Step_OneOfThreeIsStopped_IsDownAfterTheAcceptablePause(ulong seed)
    {
        GossipHarness harness = new(seed);
        IReadOnlyList<SimulatedNode> nodes = harness.StartCluster(3);
        harness.Run(TimeSpan.FromMilliseconds(harness.Random.Next(200)));
        nodes[1].Stop();
        TimeSpan taken = harness.RunUntil(() => nodes[0].StateOf(nodes[1]) == MemberState.Down && nodes[2].StateOf(nodes[1]) == MemberState.Down, Soon);
        taken.ShouldBeInRange(TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(2.6));
        nodes[0].Losses.ShouldHaveSingleItem().Lost.Silence.ShouldBeInRange(TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(2.8));
    }

    [Fact]
    public void Step_StoppedForLessThanThePause_IsNeverSuspected()
    {
        GossipHarness harness = new();
        IReadOnlyList<SimulatedNode> nodes = harness.StartCluster(3);
        for (int i = 0; i < 20; i++)
        {
            nodes[1].Stop();
            harness.Run(TimeSpan.FromMilliseconds(1900));
            nodes[1].Continue();
            harness.Run(TimeSpan.FromMilliseconds(3000 + (i * 11)));
        }

        nodes.SelectMany(node => node.Effects).OfType<SendGossip>().SelectMany(send => send.Message.Accusations).ShouldBeEmpty();
    }

    [Fact]
    public void Step_OneOfTwoIsStopped_IsDownAfterOneAndAHalfPauses()
    {
        GossipHarness harness = new();
        IReadOnlyList<SimulatedNode> nodes = harness.StartCluster(2);
        nodes[1].Stop();
        TimeSpan taken = harness.RunUntil(() => nodes[0].StateOf(nodes[1]) == MemberState.Down, Soon);
        taken.ShouldBeInRange(TimeSpan.FromSeconds(2.9), TimeSpan.FromSeconds(3.5));
    }

    [Fact]
    public void Step_StoppedFor30SecondsAndWoken_AccusesNobodyAndLearnsThatItIsDown()
    {
        GossipHarness harness = new();
        IReadOnlyList<SimulatedNode> nodes = harness.StartCluster(3);
        nodes[1].Stop();
        harness.Run(TimeSpan.FromSeconds(30));
        int before = nodes[1].Effects.Count;
        nodes[1].Continue();
        harness.RunUntil(() => nodes[1].StateOf(nodes[1]) == MemberState.Down, TimeSpan.FromSeconds(1));
        harness.Run(TimeSpan.FromSeconds(10));
        nodes[1].Effects.Skip(before).OfType<SendGossip>().SelectMany(send => send.Message.Accusations).ShouldBeEmpty();
        nodes[1].Losses.ShouldBeEmpty();
        nodes[0].StateOf(nodes[2]).ShouldBe(MemberState.Up);
        nodes[2].StateOf(nodes[0]).ShouldBe(MemberState.Up);
    }

    [Theory]
    [InlineData(600, 600)]
    [InlineData(600, 210)]
    public void Step_StarvedObservers_StillFindAStoppedMember(int stoppedMilliseconds, int runningMilliseconds)
    {
        GossipHarness harness = new();
        IReadOnlyList<SimulatedNode> nodes = harness.StartCluster(3);
        nodes[1].Stop();
        bool down = false;
        for (int i = 0; i < 20 && !down; i++)
        {
            // Half of the time and more they do not run; in the second case every beat of theirs is late.
            nodes[0].Stop();
            nodes[2].Stop();
            harness.Run(TimeSpan.FromMilliseconds(stoppedMilliseconds));
            nodes[0].Continue();
            nodes[2].Continue();
            harness.Run(TimeSpan.FromMilliseconds(runningMilliseconds));
            down = nodes[0].StateOf(nodes[1]) == MemberState.Down && nodes[2].StateOf(nodes[1]) == MemberState.Down;
        }

        down.ShouldBeTrue(harness.Describe());
        nodes[0].StateOf(nodes[2]).ShouldBe(MemberState.Up);
        nodes[2].StateOf(nodes[0]).ShouldBe(MemberState.Up);
    }

    [Fact]
    public void Step_WrongSuspicion_IsRefutedByTheMember()
    {
        GossipHarness harness = new();
        IReadOnlyList<SimulatedNode> nodes = harness.StartCluster(3);
        // The first node hears nobody for a while: it is the one in trouble, and suspects both.
        harness.Cut(nodes[1], nodes[0]);
        harness.Cut(nodes[2], nodes[0]);
        harness.RunUntil(() => nodes[0].StateOf(nodes[1]) == MemberState.Suspect && nodes[0].StateOf(nodes[2]) == MemberState.Suspect, Soon);
        nodes[0].View.Reachable.ShouldBe([nodes[0].Incarnation]);
        harness.Cuts.Clear();
        harness.RunUntil(() => nodes[0].View.Reachable.Count == 3 && nodes[0].StateOf(nodes[1]) == MemberState.Up, TimeSpan.FromSeconds(2));
        nodes[0].View.Find(nodes[1].Incarnation)!.Refutation.ShouldBeGreaterThan(1);
        harness.Run(TimeSpan.FromSeconds(10));
        nodes.ShouldAllBe(node => node.Losses.Count == 0);
        nodes.ShouldAllBe(node => node.View.Reachable.Count == 3);
    }

    [Theory]
    [InlineData(3, false)]
    [InlineData(3, true)]
    [InlineData(5, true)]
    public void Step_TwoDoNotHearEachOtherButOthersReachBoth_NobodyIsLost(int count, bool bothWays)
    {
        GossipHarness harness = new();
        IReadOnlyList<SimulatedNode> nodes = harness.StartCluster(count);
        harness.Cut(nodes[0], nodes[1]);
        if (bothWays)
        {
            harness.Cut(nodes[1], nodes[0]);
        }

        harness.Run(TimeSpan.FromSeconds(60));
        nodes.ShouldAllBe(node => node.Losses.Count == 0);
        nodes[2].View.Reachable.Count.ShouldBe(count);
    }

    [Fact]
    public void Step_OneIsCutOff_OnlyItIsLostAndItKnowsThatItReachesNobody()
    {
        GossipHarness harness = new();
        IReadOnlyList<SimulatedNode> nodes = harness.StartCluster(5);
        foreach (SimulatedNode other in nodes.Skip(1))
        {
            harness.CutBoth(nodes[0], other);
        }

        harness.RunUntil(() => nodes.Skip(1).All(node => node.StateOf(nodes[0]) == MemberState.Down), TimeSpan.FromSeconds(3));
        harness.Run(TimeSpan.FromSeconds(7));
        nodes[0].View.Reachable.ShouldBe([nodes[0].Incarnation]);
        nodes[0].Losses.ShouldBeEmpty();
        nodes[1].View.Reachable.Count.ShouldBe(4);
    }

    [Theory]
    [InlineData(5, 2)]
    [InlineData(7, 3)]
    [InlineData(20, 8)]
    public void Step_ClusterIsCutInTwo_OnlyTheLargerSideConfirms(int count, int cutOff)
    {
        GossipHarness harness = new();
        IReadOnlyList<SimulatedNode> nodes = harness.StartCluster(count);
        SimulatedNode[] small = [.. nodes.Take(cutOff)];
        SimulatedNode[] large = [.. nodes.Skip(cutOff)];
        foreach (SimulatedNode a in small)
        {
            foreach (SimulatedNode b in large)
            {
                harness.CutBoth(a, b);
            }
        }

        harness.RunUntil(() => large.All(node => small.All(lost => node.StateOf(lost) == MemberState.Down)), TimeSpan.FromSeconds(60));
        harness.Run(TimeSpan.FromSeconds(30));
        small.SelectMany(node => node.Losses).ShouldBeEmpty();
        small.ShouldAllBe(node => node.View.Reachable.Count <= cutOff);
        large.ShouldAllBe(node => node.View.Reachable.Count == large.Length);
    }

    [Fact]
    public void Step_TwoOfFiveAreStopped_BothAreDown()
    {
        GossipHarness harness = new();
        IReadOnlyList<SimulatedNode> nodes = harness.StartCluster(5);
        nodes[1].Stop();
        nodes[3].Stop();
        harness.RunUntil(() => new[] { 0, 2, 4 }.All(i => nodes[i].View.Reachable.Count == 3 && nodes[i].Losses.Count == 2), TimeSpan.FromSeconds(5));
    }

    [Fact]
    public void Step_LossyNetwork_NobodyIsLost()
    {
        GossipHarness harness = new() { Loss = 0.1 };
        IReadOnlyList<SimulatedNode> nodes = harness.StartCluster(5);
        harness.Run(TimeSpan.FromMinutes(3));
        nodes.ShouldAllBe(node => node.Losses.Count == 0);
    }
}
