using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Membership;
using ActorTrainer.Core.Tasks;

namespace ActorTrainer.Core.Tests.Membership;

public sealed class ClusterViewTests
{
    private static readonly ClusterMember One = new(
        1,
        new NodeAddress("127.0.0.1", 7401),
        "n1",
        ["gpu"],
        2,
        MemberStatus.Up,
        false,
        17,
        "1"
    );

    [Theory]
    [InlineData(MemberStatus.Up, MemberState.Up, true)]
    [InlineData(MemberStatus.Up, MemberState.Suspect, true)]
    [InlineData(MemberStatus.Leaving, MemberState.Leaving, true)]
    [InlineData(MemberStatus.Up, MemberState.Down, false)]
    [InlineData(MemberStatus.Down, MemberState.Up, false)]
    [InlineData(MemberStatus.Up, null, false)]
    public void Living_OfAMember_WantsGossipAndRecord(MemberStatus status, MemberState? state, bool living) =>
        new ClusterView(1, 1, [One with { Status = status, State = state }]).Living.Contains(1).ShouldBe(living);

    [Fact]
    public void IsSameAs_WithRolesInAnotherList_ComparesWhatTheyAre()
    {
        One.IsSameAs(One with { Roles = ["gpu"] }).ShouldBeTrue();
        One.IsSameAs(One with { Roles = ["cpu"] }).ShouldBeFalse();
        One.IsSameAs(One with { Cordoned = true }).ShouldBeFalse();
        One.IsSameAs(One with { State = MemberState.Up }).ShouldBeFalse();
    }

    [Fact]
    public void With_UnfinishedTasks_HasTheirShardsAndOwners()
    {
        ClusterView members = new(3, 1, [One with { IsCoordinator = true }]);

        ClusterView view = members.With([(Task("a", 2), 7, 4), (Task("b", 2), 8, 1), (Task("c", 0), 0, 0)], version: 10, numberOfShards: 4);

        view.Shards.ShouldBe([new(0, 0, 0), new(1, 0, 0), new(2, 8, 4), new(3, 0, 0)]);
        view.Tasks.Select(t => t.Name).ShouldBe(["a", "b", "c"]);
        (view.Version, view.Self, view.Coordinator).ShouldBe((13, 1, 1));
        view.Find(1).ShouldBe(members.Members[0]);
        view.Find(2).ShouldBeNull();
    }

    private static TaskSummary Task(string name, int shard) =>
        new TaskState
        {
            Task = TaskId.Parse($"{name}-a1b2c"),
            Spec = new TaskSpec { Name = name },
        }.Summarize(shard);
}
