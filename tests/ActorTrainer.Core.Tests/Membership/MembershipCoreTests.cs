using ActorTrainer.Core.Membership;

namespace ActorTrainer.Core.Tests.Membership;

public sealed class MembershipCoreTests
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(10);

    [Fact]
    public void Step_OwnOnlySeed_FoundsAlone()
    {
        GossipHarness harness = new();
        SimulatedNode node = harness.Start(1, 1);
        harness.Run(TimeSpan.FromSeconds(1));
        node.View.Version.ShouldBePositive();
        node.View.Members.ShouldHaveSingleItem().State.ShouldBe(MemberState.Up);
        node.View.Reachable.ShouldBe([1L]);
    }

    [Fact]
    public void Step_SeedIsThere_JoinsThroughIt()
    {
        GossipHarness harness = new();
        SimulatedNode first = harness.Start(1, 1);
        SimulatedNode second = harness.Start(2, 1);
        harness.RunUntil(() => second.StateOf(first) == MemberState.Up && first.StateOf(second) == MemberState.Up, TimeSpan.FromSeconds(1));
    }

    [Fact]
    public void Step_SeedIsDown_WaitsAndJoinsWhenItComes()
    {
        GossipHarness harness = new();
        SimulatedNode second = harness.Start(2, 1);
        SimulatedNode third = harness.Start(3, 1);
        harness.Run(TimeSpan.FromSeconds(30));
        second.View.Version.ShouldBe(0);
        third.View.Version.ShouldBe(0);
        SimulatedNode first = harness.Start(1, 1);
        harness.RunUntil(() => harness.Nodes.TrueForAll(node => node.View.Reachable.Count == 3), Soon);
        first.Losses.ShouldBeEmpty();
    }

    [Fact]
    public void Step_FirstSeedFindsNoOther_FoundsAlone()
    {
        GossipHarness harness = new();
        SimulatedNode first = harness.Start(1, 1, 2, 3);
        harness.RunUntil(() => first.View.Version > 0, Soon);
        SimulatedNode third = harness.Start(3, 1, 2, 3);
        harness.RunUntil(() => third.StateOf(first) == MemberState.Up, Soon);
    }

    [Fact]
    public void Step_FirstSeedNeverComes_TheNextSeedFounds()
    {
        GossipHarness harness = new();
        SimulatedNode third = harness.Start(3, 1, 2, 3);
        SimulatedNode second = harness.Start(2, 1, 2, 3);
        harness.Run(TimeSpan.FromSeconds(9));
        second.View.Version.ShouldBe(0);
        harness.RunUntil(() => second.StateOf(third) == MemberState.Up && third.StateOf(second) == MemberState.Up, TimeSpan.FromSeconds(6));
        SimulatedNode first = harness.Start(1, 1, 2, 3);
        harness.RunUntil(() => harness.Nodes.TrueForAll(node => node.View.Reachable.Count == 3), TimeSpan.FromSeconds(20));
        first.Losses.ShouldBeEmpty();
    }

    [Fact]
    public void Step_TwoFoundedApart_BecomeOneCluster()
    {
        GossipHarness harness = new();
        SimulatedNode second = harness.Start(2, 2, 1);
        harness.Run(TimeSpan.FromSeconds(2));
        second.View.Version.ShouldBePositive();
        harness.Start(1, 1);
        harness.RunUntil(() => harness.Nodes.TrueForAll(node => node.View.Reachable.Count == 2), TimeSpan.FromSeconds(20));
    }

    [Theory]
    [InlineData(1UL)]
    [InlineData(2UL)]
    [InlineData(3UL)]
    public void Step_CrashOfOneOfThree_IsConfirmedWithin200Milliseconds(ulong seed)
    {
        GossipHarness harness = new(seed);
        IReadOnlyList<SimulatedNode> nodes = harness.StartCluster(3);
        harness.Crash(nodes[1]);
        TimeSpan taken = harness.RunUntil(() => nodes[0].StateOf(nodes[1]) == MemberState.Down && nodes[2].StateOf(nodes[1]) == MemberState.Down, Soon);
        taken.ShouldBeLessThan(TimeSpan.FromMilliseconds(200));
        nodes[0].Losses.ShouldHaveSingleItem().Lost.Incarnation.ShouldBe(nodes[1].Incarnation);
        nodes[0].View.Reachable.ShouldBe([nodes[0].Incarnation, nodes[2].Incarnation]);
    }

    [Fact]
    public void Step_CrashOfOneOfThreeWithoutJournal_IsConfirmedByTwoObservers()
    {
        GossipHarness harness = new() { HasJournal = false };
        IReadOnlyList<SimulatedNode> nodes = harness.StartCluster(3);
        harness.Crash(nodes[0]);
        TimeSpan taken = harness.RunUntil(() => nodes[1].StateOf(nodes[0]) == MemberState.Down && nodes[2].StateOf(nodes[0]) == MemberState.Down, Soon);
        taken.ShouldBeLessThan(TimeSpan.FromMilliseconds(200));
        harness.Run(TimeSpan.FromSeconds(5));
        nodes[1].StateOf(nodes[2]).ShouldBe(MemberState.Up);
    }

    [Fact]
    public void Step_CrashOfOneOfTwo_IsConfirmedByTheLifeLock()
    {
        GossipHarness harness = new();
        IReadOnlyList<SimulatedNode> nodes = harness.StartCluster(2);
        harness.Crash(nodes[1]);
        TimeSpan taken = harness.RunUntil(() => nodes[0].StateOf(nodes[1]) == MemberState.Down, Soon);
        taken.ShouldBeLessThan(TimeSpan.FromMilliseconds(200));
        nodes[0].Losses[0].Lost.Evidence.ShouldContain("life lock free");
    }

    [Fact]
    public void Step_CrashOfOneOfTwoWithoutJournal_IsConfirmedBySilence()
    {
        GossipHarness harness = new() { HasJournal = false };
        IReadOnlyList<SimulatedNode> nodes = harness.StartCluster(2);
        harness.Crash(nodes[1]);
        TimeSpan taken = harness.RunUntil(() => nodes[0].StateOf(nodes[1]) == MemberState.Down, Soon);
        taken.ShouldBeInRange(TimeSpan.FromSeconds(2.9), TimeSpan.FromSeconds(3.5));
    }

    [Fact]
    public void Step_StreamEndsButSameLifeAnswers_IsNoEvidence()
    {
        GossipHarness harness = new();
        IReadOnlyList<SimulatedNode> nodes = harness.StartCluster(3);
        nodes[0].Post(new GossipStreamEnded(nodes[1].Incarnation));
        harness.Run(TimeSpan.FromSeconds(5));
        nodes[0].Losses.ShouldBeEmpty();
        nodes[0].View.Reachable.Count.ShouldBe(3);
    }

    [Fact]
    public void Step_MemberLeaves_IsRemovedAndNotLost()
    {
        GossipHarness harness = new();
        IReadOnlyList<SimulatedNode> nodes = harness.StartCluster(3);
        harness.Leave(nodes[1]);
        harness.Run(TimeSpan.FromSeconds(0.9));
        nodes[0].StateOf(nodes[1]).ShouldBe(MemberState.Leaving);
        harness.Run(TimeSpan.FromSeconds(10));
        nodes[0].StateOf(nodes[1]).ShouldBe(MemberState.Removed);
        nodes[2].StateOf(nodes[1]).ShouldBe(MemberState.Removed);
        nodes[0].Losses.ShouldBeEmpty();
        nodes[2].Losses.ShouldBeEmpty();
    }

    [Fact]
    public void Step_NewLifeAtTheAddress_SupersedesTheOld()
    {
        GossipHarness harness = new() { HasJournal = false };
        IReadOnlyList<SimulatedNode> nodes = harness.StartCluster(3);
        harness.Crash(nodes[2]);
        SimulatedNode again = harness.Start(3, 1);
        harness.RunUntil(() => nodes[0].StateOf(again) == MemberState.Up && nodes[1].StateOf(again) == MemberState.Up, Soon);
        nodes[0].StateOf(nodes[2]).ShouldBe(MemberState.Down);
        nodes[1].StateOf(nodes[2]).ShouldBe(MemberState.Down);
        harness.Run(TimeSpan.FromSeconds(5));
        again.View.Reachable.Count.ShouldBe(3);
    }

    [Fact]
    public void Step_SelfChanges_ReachEveryone()
    {
        GossipHarness harness = new();
        IReadOnlyList<SimulatedNode> nodes = harness.StartCluster(3);
        nodes[0].Post(new GossipSelfChanged(MemberState.Up, true));
        harness.Run(TimeSpan.FromMilliseconds(50));
        nodes[1].View.Find(nodes[0].Incarnation)!.Cordoned.ShouldBeTrue();
        nodes[0].Post(new GossipSelfChanged(MemberState.Up, false));
        harness.Run(TimeSpan.FromMilliseconds(50));
        nodes[1].View.Find(nodes[0].Incarnation)!.Cordoned.ShouldBeFalse();
    }

    [Fact]
    public void Step_DeclaredDown_IsDownEverywhereAndTheMemberLearnsIt()
    {
        GossipHarness harness = new();
        IReadOnlyList<SimulatedNode> nodes = harness.StartCluster(3);
        nodes[0].Post(new GossipDeclared(nodes[2].Incarnation, MemberState.Down));
        harness.Run(TimeSpan.FromSeconds(1));
        nodes[1].StateOf(nodes[2]).ShouldBe(MemberState.Down);
        nodes[2].StateOf(nodes[2]).ShouldBe(MemberState.Down);
    }

    [Fact]
    public void Step_DownForLong_IsForgottenAndDoesNotComeBack()
    {
        GossipHarness harness = new();
        IReadOnlyList<SimulatedNode> nodes = harness.StartCluster(3);
        MemberRecord alive = nodes[0].View.Find(nodes[2].Incarnation)!;
        harness.Crash(nodes[2]);
        harness.Run(TimeSpan.FromMinutes(11));
        nodes[0].StateOf(nodes[2]).ShouldBeNull();
        nodes[0].Post(new GossipReceived(nodes[1].Incarnation, new NewsMessage { Records = [alive] }));
        nodes[0].StateOf(nodes[2]).ShouldBeNull();
    }

    [Theory]
    [InlineData(1UL)]
    [InlineData(2UL)]
    [InlineData(3UL)]
    public void Step_FiftyNodesWithRandomKills_Converge(ulong seed)
    {
        GossipHarness harness = new(seed) { Loss = 0.01 };
        List<SimulatedNode> alive = [.. harness.StartCluster(50)];
        for (int i = 0; i < 20; i++)
        {
            SimulatedNode victim = alive[harness.Random.Next(alive.Count)];
            alive.Remove(victim);
            harness.Crash(victim);
            harness.Run(TimeSpan.FromMilliseconds(harness.Random.Next(500)));
        }

        long[] expected = [.. alive.Select(node => node.Incarnation).Order()];
        harness.RunUntil(() => alive.TrueForAll(node => node.View.Reachable.SequenceEqual(expected)), TimeSpan.FromSeconds(15));
        harness.Run(TimeSpan.FromSeconds(10));
        foreach (SimulatedNode node in alive)
        {
            node.View.Reachable.ShouldBe(expected, $"seed {seed}");
            node.View.Members.Count(member => member.State == MemberState.Down).ShouldBe(20, $"seed {seed}");
        }
    }

    [Fact]
    public void Step_SameSeed_GivesTheSameEffects()
    {
        Trace(7).ShouldBe(Trace(7));

        static List<string> Trace(ulong seed)
        {
            GossipHarness harness = new(seed);
            IReadOnlyList<SimulatedNode> nodes = harness.StartCluster(5);
            harness.Crash(nodes[3]);
            harness.Run(TimeSpan.FromSeconds(5));
            return [.. nodes.SelectMany(node => node.Effects).Select(effect => effect switch
            {
                SendGossip send => $"{send.To} {send.Message.GetType().Name} {string.Join(';', send.Message.Records)}",
                PublishView view => $"{view.View.Version} {string.Join(';', view.View.Members)}",
                _ => effect.ToString(),
            })];
        }
    }
}
