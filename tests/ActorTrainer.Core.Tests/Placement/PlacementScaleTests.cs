using ActorTrainer.Core.Configuration;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Placement;
using ActorTrainer.Core.Sharding;

namespace ActorTrainer.Core.Tests.Placement;

/// <summary>How the planner's work grows, by what it looks at; times would tell more of the machine than of the planner.</summary>
public sealed class PlacementScaleTests
{
    private const int Shards = 1024;
    private const int Nodes = 3;
    private static readonly TimeSpan Now = TimeSpan.FromHours(1);

    [Theory]
    [InlineData(2_048)]
    [InlineData(10_000)]
    public void Allocate_AllShardsOfALostNode_LooksAtNodesAndOnce(int tasks)
    {
        PlacementPlanner planner = Cluster(tasks);
        planner.SetNodes([.. Enumerable.Range(2, Nodes - 1).Select(Node)]);
        int[] lost = [.. Enumerable.Range(0, Shards).Where(s => s % Nodes == 0)];

        long before = planner.Visits;
        planner.Allocate(lost[^1], Now).ShouldNotBe(0);
        long first = planner.Visits - before;
        first.ShouldBeLessThan(lost.Length * (Nodes + 4), "one pass over what was lost, however many tasks that is");

        foreach (int shard in lost.Reverse().Skip(1))
        {
            long at = planner.Visits;
            planner.Allocate(shard, Now).ShouldNotBe(0);
            (planner.Visits - at).ShouldBeLessThanOrEqualTo(Nodes + 1);
        }
    }

    [Fact]
    public void Allocate_AfterARestartOfAll_PlacesTenThousandTasksInOnePassByPriority()
    {
        PlacementPlanner planner = new(new ShardingModel());
        Show(planner, 10_000);
        planner.SetNodes([.. Enumerable.Range(11, Nodes).Select(Node)]);

        long before = planner.Visits;
        long[] given = [.. Enumerable.Range(0, Shards).Select(s => planner.Allocate(s, Now))];

        (planner.Visits - before).ShouldBeLessThan(Shards * (Nodes + 4));
        given.GroupBy(g => g).Select(g => g.Count()).ShouldAllBe(c => c > Shards / Nodes * 0.9);
        given.Distinct().Count().ShouldBe(Nodes);
    }

    [Fact]
    public void Show_OneTaskOfTenThousand_LooksAtItsShardOnly()
    {
        PlacementPlanner planner = Cluster(10_000);
        long before = planner.Visits;

        planner.Show(Task(17) with { Step = 5 }, Now);

        (planner.Visits - before).ShouldBeLessThanOrEqualTo((10_000 / Shards) + 2);
    }

    [Fact]
    public void PlanMoves_NothingToDo_LooksAtNoTaskOfTenThousand()
    {
        PlacementPlanner planner = Cluster(10_000);
        long before = planner.Visits;

        planner.PlanMoves(PlacementWorld.NothingMoves, Now).ShouldBeEmpty();

        (planner.Visits - before).ShouldBeLessThanOrEqualTo(Shards * Nodes);
    }

    [Theory]
    [InlineData(3)]
    [InlineData(100)]
    public void Allocate_ANewTask_LooksAtTheNodes(int nodes)
    {
        PlacementPlanner planner = Cluster(10_000);
        planner.SetNodes([.. Enumerable.Range(1, nodes).Select(Node)]);
        long before = planner.Visits;

        planner.Allocate(Shards + 1, Now).ShouldNotBe(0);

        (planner.Visits - before).ShouldBeLessThanOrEqualTo(nodes + 3);
    }

    private static PlacementPlanner Cluster(int tasks)
    {
        PlacementPlanner planner = new(new ShardingModel());
        planner.SetNodes([.. Enumerable.Range(1, Nodes).Select(Node)]);
        planner.SetOwners(Enumerable.Range(0, Shards).ToDictionary(s => s, s => 1L + (s % Nodes)));
        Show(planner, tasks);
        return planner;
    }

    private static void Show(PlacementPlanner planner, int tasks)
    {
        for (int i = 0; i < tasks; i++)
        {
            planner.Show(Task(i), Now);
        }
    }

    private static NodeCapacity Node(int life) => new(life, 64, Accepts: true, MustEmpty: false);

    private static TaskDemand Task(int number) =>
        new(TaskId.Parse(FormattableString.Invariant($"t-{number}")), number % Shards, number % 7, 1, Waiting: true, 0, Alone: false)
        {
            On = 1 + (number % Shards % Nodes),
        };
}
