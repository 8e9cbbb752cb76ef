using ActorTrainer.Core.Configuration;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Membership;
using ActorTrainer.Core.Sharding;
using ActorTrainer.Core.Tasks;

namespace ActorTrainer.Core.Tests.Sharding;

public sealed class MoveTargetTests
{
    private static readonly TaskId Task = TaskId.Parse("digits");

    [Theory]
    [InlineData(MemberStatus.Joining, MemberState.Up, true)]
    [InlineData(MemberStatus.Up, MemberState.Up, true)]
    [InlineData(MemberStatus.Up, MemberState.Joining, false)]
    [InlineData(MemberStatus.Up, MemberState.Suspect, false)]
    [InlineData(MemberStatus.Up, MemberState.Leaving, false)]
    [InlineData(MemberStatus.Leaving, MemberState.Up, false)]
    public void Choose_NodeAskedFor_IsUpWhenGossipSaysSo(MemberStatus record, MemberState gossip, bool up)
    {
        MoveTarget target = Choose(owner: 1, asked: Address(2), Member(1), Member(2) with { Status = record, State = gossip });
        if (up)
        {
            target.ShouldBe(new MoveTarget(2, null));
        }
        else
        {
            Refusal(target).ShouldContain($"no node up at {Address(2)}");
        }
    }

    [Fact]
    public void Choose_AddressOfTwoLives_TakesTheLater() =>
        Choose(owner: 1, asked: Address(2), Member(1), Member(2), Member(3) with { Address = Address(2) }).To.ShouldBe(3);

    [Fact]
    public void Choose_NodeThatHasIt_IsRefused() =>
        Refusal(Choose(owner: 2, asked: Address(2), Member(1), Member(2))).ShouldContain($"is on {Address(2)} already");

    [Fact]
    public void Choose_NobodyAskedFor_TakesAnotherThanTheOwner() =>
        Choose(owner: 1, asked: null, Member(1), Member(2)).ShouldBe(new MoveTarget(2, null));

    [Fact]
    public void Choose_NobodyAskedForAndNoOther_IsRefused() =>
        Refusal(Choose(owner: 1, asked: null, Member(1))).ShouldContain("no other node that takes tasks");

    private static string Refusal(MoveTarget target)
    {
        target.To.ShouldBe(0);
        return target.Refusal.ShouldBeOfType<CommandRefused>().Reason;
    }

    private static MoveTarget Choose(long owner, NodeAddress? asked, params IReadOnlyList<ClusterMember> members) =>
        MoveTarget.Choose(
            Task,
            slots: 1,
            owner,
            asked,
            members,
            [.. members.Select(m => new NodeCapacity(m.Incarnation, m.Slots, Accepts: true, MustEmpty: false))],
            new Dictionary<int, long>(),
            [],
            AllocationStrategy.LoadBalanced
        );

    private static ClusterMember Member(long life) =>
        new(life, Address(life), $"n{life}", [], 2, MemberStatus.Up, false, 17, "1") { State = MemberState.Up };

    private static NodeAddress Address(long node) => new("127.0.0.1", (int)(7400 + node));
}
