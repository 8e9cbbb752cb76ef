using System.Text.Json;
using ActorTrainer.Bench.Scale;
using ActorTrainer.Client;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Membership;
using ActorTrainer.Core.Tasks;

namespace ActorTrainer.Bench.Tests;

public sealed class PlacementTests
{
    [Fact]
    public void Placed_OwnersThatAreDownUnreachableOrNobody_DoNotCount()
    {
        ClusterStatus cluster = new(
            1,
            new CoordinatorLease(1),
            0,
            0,
            0,
            [
                Member(1, MemberState.Up, true),
                Member(2, MemberState.Down, true),
                Member(3, MemberState.Up, false),
                Member(4, MemberState.Up, true),
            ]
        );
        ShardSummary shards = new(1024, [Owner(0, 1), Owner(1, 10), Owner(2, 100), Owner(3, 1000), Owner(4, 10_000), Owner(5, 100_000)]);

        Placement.Placed(shards, cluster).ShouldBe(10_010);
    }

    [Fact]
    public void Body_OfATask_IsASpecificationOfTheApi()
    {
        TaskSpec spec = JsonSerializer.Deserialize(SubmitLoad.Body("wait-7", 68), ApiJson.Default.TaskSpec).ShouldNotBeNull();

        (spec.Name, spec.Slots, spec.Stall.Training).ShouldBe(("wait-7", 68, TimeSpan.FromDays(1)));
        spec.Command.ShouldBe(["sleep", "100000"]);
    }

    private static MemberView Member(long incarnation, MemberState state, bool reachable) =>
        new(
            incarnation,
            new NodeAddress("127.0.0.1", 7400),
            "",
            state,
            MemberStatus.Up,
            reachable,
            false,
            4,
            0,
            0,
            0,
            false,
            false,
            [],
            0,
            ""
        );

    private static ShardOwner Owner(long incarnation, int tasks) => new(incarnation, null, "", 1, 1, tasks, 1);
}
