using ActorTrainer.Cluster.Placement;
using ActorTrainer.Core.Configuration;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Membership;
using ActorTrainer.Core.Sharding;

namespace ActorTrainer.Cluster.Tests.Placement;

public sealed class ShardPlannerTests
{
    private static readonly ClusterView Two = View((1, 2, MemberState.Up), (2, 2, MemberState.Up));
    private static readonly Dictionary<int, long> Nobody = [];
    private static readonly HashSet<int> Nothing = [];

    private TimeSpan _now = TimeSpan.FromSeconds(1);

    [Fact]
    public void Allocate_NewTasksOneAfterTheOther_GoToBothNodesAlthoughNoListShowsThemYet()
    {
        ShardPlanner planner = Planner();

        long[] given = [.. new[] { 7, 8, 9, 10 }.Select(shard => planner.Allocate(shard, Nobody, Two, []))];

        given.Count(n => n == 1).ShouldBe(2);
        given.Count(n => n == 2).ShouldBe(2);
    }

    [Fact]
    public void Allocate_ShardOfALostNode_GoesWhereSlotsAreFree()
    {
        TaskDemand[] tasks = [Task(5), Task(6), Task(7)];
        Dictionary<int, long> owned = new() { [5] = 1, [6] = 1 };

        Planner().Allocate(7, owned, Two, tasks).ShouldBe(2);
    }

    [Fact]
    public void Allocate_WhenNobodyAccepts_SaysSo() =>
        Planner().Allocate(7, Nobody, View((1, 2, MemberState.Leaving), (2, 2, MemberState.Suspect)), []).ShouldBe(0);

    [Fact]
    public void Request_OfAMove_IsTakenAndGivenWhereItWasAskedFor()
    {
        ShardPlanner planner = Planner();
        TaskDemand[] tasks = [Task(5), Task(6)];
        Dictionary<int, long> owned = new() { [5] = 1, [6] = 1 };
        planner.Request(new MoveRequest(5, 2));

        planner.Rebalance(owned, Nothing, Two, tasks).ShouldBe([5]);

        planner.Allocate(5, new Dictionary<int, long> { [6] = 1 }, Two, tasks).ShouldBe(2);
        owned[5] = 2;
        planner.Rebalance(owned, Nothing, Two, tasks).ShouldBeEmpty("it is there now");
    }

    [Fact]
    public void Request_WhoseTargetIsGone_IsNotFollowed()
    {
        ShardPlanner planner = Planner();
        planner.Request(new MoveRequest(5, 9));

        planner.Rebalance(new Dictionary<int, long> { [5] = 1 }, Nothing, Two, [Task(5)]).ShouldBeEmpty();
    }

    [Fact]
    public void Rebalance_OverANodeThatJoined_TakesNoMoreThanMayMoveAtOnce()
    {
        ShardPlanner planner = Planner(maxMoves: 1);
        TaskDemand[] tasks = [Task(1), Task(2), Task(3), Task(4)];
        Dictionary<int, long> owned = tasks.ToDictionary(t => t.Shard, _ => 1L);
        planner.Rebalance(owned, Nothing, View((1, 4, MemberState.Up)), tasks).ShouldBeEmpty("there is nobody else");
        _now += new ShardingModel().BalanceAfter;

        IReadOnlyList<int> first = planner.Rebalance(owned, Nothing, View((1, 4, MemberState.Up), (2, 4, MemberState.Up)), tasks);

        first.Count.ShouldBe(1);
        planner
            .Rebalance(owned, first.ToHashSet(), View((1, 4, MemberState.Up), (2, 4, MemberState.Up)), tasks)
            .ShouldBeEmpty("one moves already");
    }

    [Fact]
    public void Rebalance_SwitchedOff_MovesNothingByItself()
    {
        ShardPlanner planner = new(new NodeModel { Sharding = new ShardingModel { Rebalance = false } }, () => _now);
        TaskDemand[] tasks = [Task(1), Task(2), Task(3)];

        planner.Rebalance(tasks.ToDictionary(t => t.Shard, _ => 1L), Nothing, Two, tasks).ShouldBeEmpty();
    }

    [Fact]
    public void Plan_ThatWasNotCarriedOutInTime_IsForgotten()
    {
        ShardPlanner planner = Planner();
        planner.Request(new MoveRequest(5, 2));
        _now += new ShardingModel().MoveTimeout;

        planner.Rebalance(new Dictionary<int, long> { [5] = 1 }, Nothing, Two, [Task(5)]).ShouldBeEmpty();
    }

    [Fact]
    public void Allocate_FedByChanges_AsksForTheOwnersOnlyWhenTheirCountsDoNotFit()
    {
        ShardPlanner planner = Planner();
        planner.Show([Task(5), Task(6), Task(7)], []);
        int asked = 0;
        Dictionary<int, long> owned = new()
        {
            [5] = 1,
            [6] = 2,
            [7] = 2,
        };

        planner.Allocate(8, new Dictionary<long, int> { [1] = 1, [2] = 2 }, Owners, Two).ShouldBe(1);
        planner.Allocate(9, new Dictionary<long, int> { [1] = 2, [2] = 2 }, Owners, Two).ShouldBe(1);
        asked.ShouldBe(1, "Akka counts what was given just now");

        planner.FailOver(2, Two).Select(h => (h.Shard, h.To)).ShouldBe([(6, 1), (7, 1)]);
        owned = new()
        {
            [5] = 1,
            [8] = 1,
            [9] = 1,
        };
        planner.Allocate(6, new Dictionary<long, int> { [1] = 3 }, Owners, Two).ShouldBe(1, "although the member is still listed");
        planner.Show([], [TaskId.Parse("task-6"), TaskId.Parse("task-7")]);
        planner.IsEmpty(2).ShouldBeTrue();

        Dictionary<int, long> Owners()
        {
            asked++;
            return owned;
        }
    }

    private ShardPlanner Planner(int maxMoves = 2) =>
        new(new NodeModel { Sharding = new ShardingModel { MaxConcurrentMoves = maxMoves } }, () => _now);

    private static TaskDemand Task(int shard) => new(TaskId.Parse($"task-{shard}"), shard, 0, 1, false, 0, false);

    private static ClusterView View(params (long Life, int Slots, MemberState State)[] nodes) =>
        new(
            1,
            1,
            [
                .. nodes.Select(n => new ClusterMember(n.Life, Address(n.Life), $"n{n.Life}", [], n.Slots, MemberStatus.Up, false, 1, "1")
                {
                    State = n.State,
                }),
            ]
        );

    private static NodeAddress Address(long life) => new("127.0.0.1", 7400 + (int)life);
}
