using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Membership;
using ActorTrainer.Core.Placement;
using ActorTrainer.Core.Tasks;
using TaskStatus = ActorTrainer.Core.Tasks.TaskStatus;

namespace ActorTrainer.Core.Tests.Placement;

public sealed class SlotFitTests
{
    private static readonly ClusterView View = new(
        1,
        1,
        [Member(1, slots: 2), Member(2, slots: 4), Member(3, slots: 8) with { Status = MemberStatus.Down }]
    );

    [Theory]
    [InlineData(TaskStatus.Pending)]
    [InlineData(TaskStatus.Retrying)]
    public void Explain_MoreSlotsThanAnyLivingNodeHas_SaysSo(TaskStatus status) =>
        SlotFit
            .Explain(Waiting(5, status), View)
            .Detail.ShouldBe(
                "no node can ever fit it: it takes 5 slots, and the largest node has 4; start a node with --slots 5, or give the task fewer"
            );

    [Fact]
    public void Explain_AnyOtherTask_IsLeftAsItIs()
    {
        SlotFit.Explain(Waiting(4, TaskStatus.Pending), View).Detail.ShouldBe("waits for a slot");
        SlotFit.Explain(Waiting(5, TaskStatus.Paused), View).Detail.ShouldBe("waits for a slot");
        SlotFit.Explain(Waiting(5, TaskStatus.Pending), ClusterView.Empty).Detail.ShouldBe("waits for a slot", "no node is known yet");
    }

    private static TaskSummary Waiting(int slots, TaskStatus status) =>
        new(
            TaskId.Parse("wide-a1b2"),
            "wide",
            "",
            0,
            null,
            0,
            status,
            0,
            slots,
            "waits for a slot",
            TaskProgress.None,
            null,
            0,
            0,
            null,
            0,
            false,
            null
        );

    private static ClusterMember Member(long incarnation, int slots) =>
        new(
            incarnation,
            new NodeAddress("127.0.0.1", 7400 + (int)incarnation),
            $"n{incarnation}",
            [],
            slots,
            MemberStatus.Up,
            false,
            1,
            "1"
        )
        {
            State = MemberState.Up,
        };
}
