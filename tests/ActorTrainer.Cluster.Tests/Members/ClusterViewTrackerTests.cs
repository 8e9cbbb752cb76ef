using ActorTrainer.Cluster.Members;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Membership;
using AkkaStatus = Akka.Cluster.MemberStatus;

namespace ActorTrainer.Cluster.Tests.Members;

public sealed class ClusterViewTrackerTests
{
    private static readonly MemberKey A = new("akka.tcp://c@127.0.0.1:8401", 11);
    private static readonly MemberKey B = new("akka.tcp://c@127.0.0.1:8402", 22);
    private static readonly MemberKey BAgain = B with { Uid = 23 };
    private static readonly TimeSpan Start = TimeSpan.FromSeconds(5);

    private readonly ClusterViewTracker _tracker = new(self: 1) { Rows = [Row(1, A), Row(2, B)] };

    [Fact]
    public void Update_AtMembersOnRecord_NamesThemByTheirLives()
    {
        ClusterView view = Update(A, B).ShouldNotBeNull();

        view.Self.ShouldBe(1);
        view.Members.Select(m => (m.Incarnation, m.State)).ShouldBe([(1, MemberState.Up), (2, MemberState.Up)]);
        view.Members.ShouldAllBe(m => m.IsReachable);
        view.Coordinator.ShouldBe(1);
    }

    [Fact]
    public void Update_WithoutAChange_SaysNothing()
    {
        Update(A);

        Update(A).ShouldBeNull();
    }

    [Fact]
    public void Update_AfterARecordThatSaysTheSame_SaysNothing()
    {
        Update(A);
        _tracker.Rows = [Row(1, A) with { Beat = 7 }, Row(2, B)];

        Update(A).ShouldBeNull("a beat and a list made anew are no change");
    }

    [Fact]
    public void Update_AtAMemberThatIsNotOnRecord_AsksForTheRecord()
    {
        ClusterView view = Update(A, new MemberKey("akka.tcp://c@127.0.0.1:8403", 33)).ShouldNotBeNull();

        _tracker.HasUnknown.ShouldBeTrue();
        view.Living.ShouldBe([1]);
    }

    [Fact]
    public void Update_AtANodeThatCameBack_TellsItsLivesApart()
    {
        _tracker.Rows = [Row(1, A), Row(2, B), Row(3, BAgain)];
        _tracker.Gone(B, MemberState.Down, Start);

        ClusterView view = Update(A, BAgain).ShouldNotBeNull();

        view.Find(2)!.State.ShouldBe(MemberState.Down);
        view.Find(3)!.State.ShouldBe(MemberState.Up);
        view.Living.ShouldBe([1, 3], ignoreOrder: true);
    }

    [Fact]
    public void Gone_AfterAMinute_IsForgotten()
    {
        _tracker.Gone(B, MemberState.Removed, Start);
        Update(A).ShouldNotBeNull().Find(2)!.State.ShouldBe(MemberState.Removed);

        Update(Start + TimeSpan.FromSeconds(61), A).ShouldNotBeNull().Find(2)!.State.ShouldBeNull();
    }

    [Theory]
    [InlineData(AkkaStatus.Up, true, MemberState.Up)]
    [InlineData(AkkaStatus.Up, false, MemberState.Suspect)]
    [InlineData(AkkaStatus.Joining, true, MemberState.Joining)]
    [InlineData(AkkaStatus.WeaklyUp, true, MemberState.Joining)]
    [InlineData(AkkaStatus.Leaving, true, MemberState.Leaving)]
    [InlineData(AkkaStatus.Exiting, false, MemberState.Leaving)]
    [InlineData(AkkaStatus.Down, false, MemberState.Down)]
    public void StateOf_AkkasStatus_IsOurs(AkkaStatus status, bool reachable, MemberState expected) =>
        GossipStates.StateOf(status, reachable).ShouldBe(expected);

    private ClusterView? Update(params MemberKey[] up) => Update(Start, up);

    private ClusterView? Update(TimeSpan now, params MemberKey[] up) =>
        _tracker.Update(up.ToDictionary(m => m, _ => MemberState.Up), A, now);

    private static MemberRow Row(long incarnation, MemberKey system) =>
        new(
            new ClusterMember(
                incarnation,
                new NodeAddress("127.0.0.1", 7400 + (int)incarnation),
                $"n{incarnation}",
                ["gpu"],
                2,
                MemberStatus.Up,
                false,
                1,
                "1"
            )
            {
                System = system,
            }
        );
}
