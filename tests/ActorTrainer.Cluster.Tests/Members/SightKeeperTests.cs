using ActorTrainer.Cluster.Members;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Membership;
using AkkaStatus = Akka.Cluster.MemberStatus;

namespace ActorTrainer.Cluster.Tests.Members;

public sealed class SightKeeperTests
{
    private const string A = "akka.tcp://c@127.0.0.1:8401";
    private const string B = "akka.tcp://c@127.0.0.1:8402";
    private static readonly TimeSpan Start = TimeSpan.FromSeconds(5);

    private readonly SightKeeper _keeper = new(self: 1) { Places = [Place(1, A, 11), Place(2, B, 22)] };

    [Fact]
    public void Look_AtMembersOnRecord_NamesThemByTheirLives()
    {
        ClusterSight sight = Look(Up(A, 11), Up(B, 22)).ShouldNotBeNull();

        sight.View.Self.ShouldBe(1);
        sight.View.Members.Select(m => (m.Incarnation, m.State)).ShouldBe([(1, MemberState.Up), (2, MemberState.Up)]);
        sight.View.Reachable.ShouldBe([1, 2]);
        sight.Coordinator.ShouldBe(1);
    }

    [Fact]
    public void Look_WithoutAChange_SaysNothing()
    {
        Look(Up(A, 11));

        Look(Up(A, 11)).ShouldBeNull();
    }

    [Fact]
    public void Look_AtAMemberThatIsNotOnRecord_AsksForTheRecord()
    {
        ClusterSight sight = Look(Up(A, 11), Up("akka.tcp://c@127.0.0.1:8403", 33)).ShouldNotBeNull();

        _keeper.HasUnknown.ShouldBeTrue();
        sight.View.Members.Count.ShouldBe(1);
    }

    [Fact]
    public void Look_AtANodeThatCameBack_TellsItsLivesApart()
    {
        _keeper.Places = [Place(1, A, 11), Place(2, B, 22), Place(3, B, 23)];
        _keeper.Gone(new AkkaMember(B, 22, MemberState.Down), Start);

        ClusterSight sight = Look(Up(A, 11), Up(B, 23)).ShouldNotBeNull();

        sight.View.Find(2)!.State.ShouldBe(MemberState.Down);
        sight.View.Find(3)!.State.ShouldBe(MemberState.Up);
        sight.View.Reachable.ShouldBe([1, 3]);
    }

    [Fact]
    public void Gone_AfterAMinute_IsForgotten()
    {
        _keeper.Gone(new AkkaMember(B, 22, MemberState.Removed), Start);
        Look(Up(A, 11)).ShouldNotBeNull().View.Find(2)!.State.ShouldBe(MemberState.Removed);

        _keeper.Look([Up(A, 11)], A, 11, Start + TimeSpan.FromSeconds(61)).ShouldNotBeNull().View.Find(2).ShouldBeNull();
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
        AkkaMember.StateOf(status, reachable).ShouldBe(expected);

    private ClusterSight? Look(params AkkaMember[] members) => _keeper.Look(members, A, 11, Start);

    private static AkkaMember Up(string address, long uid) => new(address, uid, MemberState.Up);

    private static MemberPlace Place(long incarnation, string akka, long uid) => new(
        new MemberRow(incarnation, new NodeAddress("127.0.0.1", 7400 + (int)incarnation), $"n{incarnation}", [], 2, MemberStatus.Up, false, 1, "1"), akka, uid);
}
