using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Membership;
using ActorTrainer.Runtime.Node;
using static ActorTrainer.Runtime.Node.ClusterChangeKind;

namespace ActorTrainer.Runtime.Tests.Node;

public sealed class ClusterChangesTests
{
    public static TheoryData<MemberState?, MemberState?, ClusterChangeKind[]> Table() =>
        new()
        {
            { null, MemberState.Joining, [] },
            { null, MemberState.Up, [NodeUp] },
            { null, MemberState.Suspect, [NodeUp, NodeSuspected] },
            { null, MemberState.Leaving, [NodeUp, NodeLeaving] },
            { null, MemberState.Down, [] },
            { null, MemberState.Removed, [] },
            { MemberState.Joining, MemberState.Joining, [] },
            { MemberState.Joining, MemberState.Up, [NodeUp] },
            { MemberState.Joining, MemberState.Suspect, [NodeUp, NodeSuspected] },
            { MemberState.Joining, MemberState.Down, [] },
            { MemberState.Joining, MemberState.Removed, [] },
            { MemberState.Joining, null, [] },
            { MemberState.Up, MemberState.Up, [] },
            { MemberState.Up, MemberState.Suspect, [NodeSuspected] },
            { MemberState.Up, MemberState.Leaving, [NodeLeaving] },
            { MemberState.Up, MemberState.Down, [NodeLost] },
            { MemberState.Up, MemberState.Removed, [NodeLeft] },
            { MemberState.Up, null, [NodeLost] },
            { MemberState.Suspect, MemberState.Suspect, [] },
            { MemberState.Suspect, MemberState.Up, [NodeReachableAgain] },
            { MemberState.Suspect, MemberState.Leaving, [NodeLeaving] },
            { MemberState.Suspect, MemberState.Down, [NodeLost] },
            { MemberState.Suspect, MemberState.Removed, [NodeLeft] },
            { MemberState.Suspect, null, [NodeLost] },
            { MemberState.Leaving, MemberState.Leaving, [] },
            { MemberState.Leaving, MemberState.Suspect, [NodeSuspected] },
            { MemberState.Leaving, MemberState.Down, [NodeLost] },
            { MemberState.Leaving, MemberState.Removed, [NodeLeft] },
            { MemberState.Leaving, null, [NodeLeft] },
            { MemberState.Down, MemberState.Down, [] },
            { MemberState.Down, MemberState.Removed, [] },
            { MemberState.Down, null, [] },
            { MemberState.Removed, MemberState.Removed, [] },
            { MemberState.Removed, null, [] },
        };

    [Theory]
    [MemberData(nameof(Table))]
    public void Between_OneMember_TellsWhatBecameOfIt(MemberState? before, MemberState? after, ClusterChangeKind[] told)
    {
        IReadOnlyList<ClusterChange> changes = ClusterChanges.Between(View(Member(4, before)), View(Member(4, after)));

        changes.ShouldBe(told.Select(kind => new ClusterChange(kind, new NodeAddress("127.0.0.1", 7404), "node4", 4)));
    }

    [Fact]
    public void Between_NodeIsBackInANewLife_IsLostFirstThenUp()
    {
        ClusterMember old = Member(9, MemberState.Up)!;
        ClusterMember next = old with { Incarnation = 2 };

        ClusterChanges
            .Between(View(old), View(next, old with { State = MemberState.Down }))
            .Select(c => (c.Kind, c.Incarnation))
            .ShouldBe([(NodeLost, 9), (NodeUp, 2)]);
        ClusterChanges.Between(View(old), View(next)).Select(c => (c.Kind, c.Incarnation)).ShouldBe([(NodeLost, 9), (NodeUp, 2)]);
    }

    [Fact]
    public void Between_FromNothing_TellsAllThatAreThere() =>
        ClusterChanges
            .Between(ClusterView.Empty, View(Member(1, MemberState.Up), Member(2, MemberState.Down), Member(3, MemberState.Up)))
            .Select(c => (c.Kind, c.Incarnation))
            .ShouldBe([(NodeUp, 1), (NodeUp, 3)]);

    [Fact]
    public void Between_FromAMemberToOneThatGossipHasForgotten_IsItsEndOnce()
    {
        ClusterMember forgotten = Member(4, MemberState.Up)! with { State = null };

        ClusterChanges.Between(View(Member(4, MemberState.Up)), View(forgotten)).Select(c => c.Kind).ShouldBe([NodeLost]);
        ClusterChanges.Between(View(forgotten), View()).ShouldBeEmpty();
    }

    internal static ClusterView View(params ClusterMember?[] members) => new(1, 1, [.. members.OfType<ClusterMember>()]);

    internal static ClusterMember? Member(long life, MemberState? state) =>
        state is { } known
            ? new ClusterMember(
                life,
                new NodeAddress("127.0.0.1", 7400 + (int)life),
                FormattableString.Invariant($"node{life}"),
                [],
                2,
                MemberStatus.Up,
                false,
                1,
                "1"
            )
            {
                State = known,
            }
            : null;
}
