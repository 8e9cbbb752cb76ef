using ActorTrainer.Core.Configuration;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Placement;

namespace ActorTrainer.Core.Tests.Placement;

public sealed class PlacementAllocateTests
{
    [Fact]
    public void Allocate_UnknownTasks_AreCountedUntilTheyShowOrTheTimeIsOver()
    {
        PlacementWorld world = new();
        world.Join(1);
        world.Join(2);
        PlacementPlanner planner = world.Planner;
        planner.Allocate(1, world.Now).ShouldBe(1);
        planner.Allocate(2, world.Now).ShouldBe(2);
        planner.SetOwners(new Dictionary<int, long>());
        planner.HomeOf(1).ShouldBe(1, "given, although not among the owners yet");

        planner.Show(PlacementWorld.New(1) with { On = 1 }, world.Now);
        planner.Remove(TaskId.Parse("t-1"));
        planner.Allocate(3, world.Now).ShouldBe(1, "the task of the first has come and gone, the second is on its way");

        planner.Show(PlacementWorld.New(3) with { On = 1 }, world.Now);
        planner.Allocate(4, world.Now).ShouldBe(2);
        planner.ChooseNode(1).ShouldBe(1, "one task here, two on their way there");
        planner.Allocate(5, world.Now + PlacementPlanner.Lag).ShouldBe(2, "nothing is on its way any more");
    }

    [Fact]
    public void Remove_TaskThatWasGivenAndEndedBeforeItsOwnerShowedIt_LeavesNothingCounted()
    {
        PlacementWorld world = new();
        world.Join(1);
        world.Join(2);
        world.Planner.Show(PlacementWorld.New(1), world.Now);
        world.Planner.Allocate(1, world.Now).ShouldBe(1);
        world.Planner.Remove(TaskId.Parse("t-1"));
        world.Planner.Show(PlacementWorld.New(2) with { On = 2 }, world.Now);
        world.Planner.Own(3, 1);

        world.Planner.ChooseNode(1).ShouldBe(1, "nothing is wanted there any more, although it has more shards");
    }

    [Fact]
    public void Allocate_EquallyFullNodes_PrefersTheOneWithTheCheckpointNear()
    {
        PlacementWorld world = new();
        world.Join(1);
        world.Join(2);
        world.Submit(PlacementWorld.New(1) with { Near = [2] });

        world.OwnerOf("t-1").ShouldBe(2);
    }

    [Fact]
    public void Allocate_RoundRobin_TakesTheNodesInTurn()
    {
        PlacementWorld world = new(new ShardingModel { Allocation = AllocationStrategy.RoundRobin });
        world.Join(1);
        world.Join(2);
        world.Join(3);
        for (int i = 1; i <= 6; i++)
        {
            world.Submit(PlacementWorld.New(i));
        }

        world.Tasks.Select(world.OwnerOf).ShouldBe([1, 2, 3, 1, 2, 3]);
    }

    [Fact]
    public void Allocate_AfterARestartOfAll_HighestPriorityGetsTheSlotsInWhateverOrderAkkaAsks()
    {
        PlacementWorld world = new();
        for (int i = 1; i <= 6; i++)
        {
            world.Planner.Show(PlacementWorld.New(i, priority: i) with { On = 7 }, world.Now);
        }

        world.Join(8, slots: 1);
        world.Join(9, slots: 1);

        long[] given = [.. Enumerable.Range(1, 6).Select(i => world.Planner.Allocate(i, world.Now))];

        given[5].ShouldNotBe(given[4], "the two most urgent tasks go to different nodes");
        given.Count(g => g == 8).ShouldBe(3);
    }

    [Fact]
    public void SetNodes_OneJoinsBeforeOrphansWereAskedFor_TheyArePlannedAnew()
    {
        PlacementWorld world = new();
        for (int i = 1; i <= 4; i++)
        {
            world.Planner.Show(PlacementWorld.New(i) with { On = 7 }, world.Now);
        }

        world.Join(8);
        world.Planner.Allocate(1, world.Now).ShouldBe(8);
        world.Join(9);

        world.Planner.Allocate(2, world.Now).ShouldBe(9);
    }

    [Fact]
    public void OwnersAgree_CountsThatFit_NeedNoList()
    {
        PlacementWorld world = PlacementWorld.Full(nodes: 2);
        PlacementPlanner planner = world.Planner;
        Counts(world).ShouldBe((4, 4));
        planner.OwnersAgree(new Dictionary<long, int> { [1] = 4, [2] = 4 }).ShouldBeTrue();
        planner
            .OwnersAgree(
                new Dictionary<long, int>
                {
                    [1] = 4,
                    [2] = 4,
                    [3] = 1,
                }
            )
            .ShouldBeFalse();
        planner.OwnersAgree(new Dictionary<long, int> { [1] = 4 }).ShouldBeFalse();

        planner.Allocate(99, world.Now).ShouldBe(1);
        planner
            .OwnersAgree(new Dictionary<long, int> { [1] = 4, [2] = 4 })
            .ShouldBeTrue("given, and Akka may not have written it down yet");
        planner.OwnersAgree(new Dictionary<long, int> { [1] = 5, [2] = 4 }).ShouldBeTrue();
        planner.OwnersAgree(new Dictionary<long, int> { [1] = 3, [2] = 4 }).ShouldBeFalse();
    }

    [Fact]
    public void Lose_BeforeTheMemberIsRemoved_NamesHeirsByPriorityAndAllocateSaysTheSame()
    {
        PlacementWorld world = new();
        for (int life = 1; life <= 3; life++)
        {
            world.Join(life);
        }

        for (int i = 1; i <= 9; i++)
        {
            world.Submit(PlacementWorld.New(i, priority: i % 3));
        }

        IReadOnlyList<PlannedHeir> could = world.Planner.PlannedHeirs(1, world.Now);
        world.Planner.PlannedHeirs(1, world.Now).ShouldBe(could, "looking changes nothing");
        IReadOnlyList<PlannedHeir> heirs = world.Planner.FailOver(1, world.Now);

        heirs.ShouldBe(could);
        heirs.Select(h => world.Task(h.Task.Value).Priority).ShouldBeInOrder(SortDirection.Descending);
        heirs.Count.ShouldBe(world.Tasks.Count(t => world.OwnerOf(t) == 1));
        world.Planner.SetNodes([.. world.Nodes]);
        world.Join(4);
        world.Planner.SetOwners(world.Owners.Where(o => o.Value != 1).ToDictionary());
        foreach (PlannedHeir heir in heirs.Reverse())
        {
            world.Planner.Allocate(heir.Shard, world.Now).ShouldBe(heir.To);
        }
    }

    [Fact]
    public void Lose_TheHeirToo_GoesToAThird()
    {
        PlacementWorld world = new();
        for (int life = 1; life <= 3; life++)
        {
            world.Join(life);
        }

        world.Submit(PlacementWorld.New(1));
        PlannedHeir first = world.Planner.FailOver(1, world.Now).ShouldHaveSingleItem();
        world.Planner.FailOver(first.To, world.Now);

        world.Planner.Allocate(1, world.Now).ShouldBe(5 - first.To);
    }

    [Fact]
    public void ChooseNode_ForAMove_IsTheLeastFullOther()
    {
        PlacementWorld world = new();
        world.Join(1);
        world.Planner.ChooseNode(1, except: 1).ShouldBe(0);
        world.Join(2);
        world.Join(3);
        world.Submit(PlacementWorld.New(1));
        world.Submit(PlacementWorld.New(2));

        world.Planner.ChooseNode(1).ShouldBe(3);
        world.Planner.ChooseNode(1, except: 3).ShouldBe(1);
    }

    private static (int, int) Counts(PlacementWorld world) =>
        (world.Owners.Values.Count(o => o == 1), world.Owners.Values.Count(o => o == 2));
}
