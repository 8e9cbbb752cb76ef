using ActorTrainer.Core.Configuration;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Placement;
using ActorTrainer.Core.Sharding;

namespace ActorTrainer.Core.Tests.Placement;

public sealed class PlacementMoveTests
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);

    [Fact]
    public void Demo_KillRestartAndDrain_NoTaskIsMovedTwiceNorInItsFirstMinute()
    {
        PlacementWorld world = new();
        world.Join(1);
        world.Join(2);
        world.Join(3);
        for (int i = 1; i <= 7; i++)
        {
            world.Submit(PlacementWorld.New(i));
        }

        Watch(world, 5);
        world.Kill(2);
        Watch(world, 5);
        world.Join(4);
        Watch(world, 10);
        world.Moves.ShouldBeEmpty("all run, and none has run for a minute");

        world.Drain(1);
        Watch(world, 10);

        world.Moves.ShouldAllBe(m => m.Move.Reason == MoveReasons.Drain);
        world.Moves.GroupBy(m => m.Move.Shard).ShouldAllBe(m => m.Count() == 1);
        world.Tasks.ShouldAllBe(t => t.Runs && world.OwnerOf(t) != 1);
        int drained = world.Moves.Count;
        Watch(world, 120);
        world.Moves.Skip(drained).ShouldAllBe(m => m.Move.Reason == MoveReasons.Balance);
        world.Moves.Skip(drained).Count().ShouldBeLessThanOrEqualTo(1);
    }

    [Fact]
    public void Join_FullNodeWhoseTasksHaveSettled_EvensOutAfterAMinute()
    {
        PlacementWorld world = PlacementWorld.Full(nodes: 1);
        world.Pass(Minute - Second);
        world.Join(2);
        world.Rebalance().ShouldBeEmpty("they run for less than a minute");

        world.Pass(Second);
        world.Settle();

        (world.Running(1), world.Running(2)).ShouldBe((2, 2));
        world.Moves.ShouldAllBe(m => m.Move.Reason == MoveReasons.Balance);
    }

    [Fact]
    public void Join_NodeThatIsHalfEmpty_IsNotWorthAnInterruption()
    {
        PlacementWorld world = new();
        world.Join(1);
        world.Submit(PlacementWorld.New(1));
        world.Submit(PlacementWorld.New(2));
        world.Pass(Minute * 5);
        world.Join(2);

        world.Rebalance().ShouldBeEmpty();
    }

    [Fact]
    public void Join_TaskThatIsAboutToEnd_StaysAndTheOthersGo()
    {
        PlacementWorld world = new();
        world.Join(1);
        for (int i = 1; i <= 4; i++)
        {
            world.Submit(PlacementWorld.New(i) with { TotalSteps = i <= 3 ? 150 : 10_000 });
        }

        world.Pass(Second * 100);
        world.Join(2);
        world.Settle();

        world.Moves.Select(m => m.Move.Shard).ShouldBe([4], "the first three have 50 s to go");
    }

    [Fact]
    public void Balance_WhoWasMovedForIt_DoesNotGoBackWithinTenMinutes()
    {
        PlacementWorld world = PlacementWorld.Full(nodes: 1);
        world.Pass(Minute);
        world.Join(2);
        world.Settle();
        int[] moved = [.. world.Moves.Select(m => m.Move.Shard)];
        string[] stayed = [.. world.Tasks.Where(t => !moved.Contains(t.Shard)).Select(t => t.Task.Value)];

        // Now the new node is full and the old one empty: evening out would send back who came.
        foreach (string name in stayed)
        {
            world.Finish(name);
        }

        world.Submit(PlacementWorld.New(11) with { Avoid = 1 });
        world.Submit(PlacementWorld.New(12) with { Avoid = 1 });
        world.Pass(Minute * 5);
        world.Settle();
        world.Moves.Count.ShouldBe(2);

        world.Pass(Minute * 5);
        world.Settle();
        world.Moves.Count.ShouldBe(4);
        (world.Running(1), world.Running(2)).ShouldBe((2, 2));
    }

    [Fact]
    public void Waiting_BehindAFullNode_GoesToFreeSlotsAtOnceAndHighestPriorityFirst()
    {
        PlacementWorld world = PlacementWorld.Full(nodes: 1);
        world.Submit(PlacementWorld.New(8));
        world.Submit(PlacementWorld.New(9, priority: 5));
        world.Join(2, slots: 1);

        world.Settle();

        world.Moves.Select(m => (m.Move.Shard, m.Move.To, m.Move.Reason, m.Interrupted)).ShouldBe([(9, 2, MoveReasons.Slots, null)]);
    }

    [Fact]
    public void Waiting_ManyTasksInAShard_UseTheSlotsOfANodeThatIsSmallerThanTheShard()
    {
        PlacementWorld world = new();
        world.Join(1, slots: 2);
        for (int i = 0; i < 60; i++)
        {
            world.Submit(PlacementWorld.New(i % 6) with { Task = TaskId.Parse($"t-{i}") });
        }

        world.Join(2, slots: 2);
        world.Settle();

        world.Running(2).ShouldBe(2);
    }

    [Fact]
    public void Waiting_OnANodeThatIsTooSmallForEver_GoesToOneThatIsNot()
    {
        PlacementWorld world = new();
        world.Join(1, slots: 2);
        world.Submit(PlacementWorld.New(1, slots: 4));
        world.Join(2, slots: 4);
        world.Submit(PlacementWorld.New(2, slots: 4) with { Avoid = 1 });

        world.Settle();

        world.OwnerOf("t-1").ShouldBe(2);
    }

    [Fact]
    public void Waiting_LargeTaskThatFitsNowhere_GetsRoomByTheFewestMoves()
    {
        PlacementWorld world = new();
        world.Join(1);
        world.Join(2);
        world.Submit(PlacementWorld.New(1));
        world.Submit(PlacementWorld.New(2));
        world.Submit(PlacementWorld.New(3, slots: 4));
        world.Tasks.Count(t => t.Runs).ShouldBe(2);
        world.Settle();
        world.Moves.ShouldBeEmpty("within the first minute");

        world.Pass(Minute);
        world.Settle();

        world.Moves.Count(m => m.Interrupted is not null).ShouldBe(1);
        world.Tasks.ShouldAllBe(t => t.Runs);
    }

    [Fact]
    public void Waiting_BesideATaskThatRunsAlone_GoesElsewhere()
    {
        PlacementWorld world = new();
        world.Join(1);
        world.Submit(PlacementWorld.New(1) with { Alone = true });
        world.Submit(PlacementWorld.New(2));
        world.Task("t-2").Waiting.ShouldBeTrue();
        world.Join(2);

        world.Settle();

        world.OwnerOf("t-2").ShouldBe(2);
        world.Tasks.ShouldAllBe(t => t.Runs);
    }

    [Fact]
    public void Avoid_WaitingTaskOnThatNode_GoesElsewhereAndStaysWhenThereIsNoOther()
    {
        PlacementWorld world = new();
        world.Join(1);
        world.Submit(PlacementWorld.New(1) with { Avoid = 1 });
        world.Rebalance().ShouldBeEmpty();
        world.Pass(Minute);
        world.Join(2);

        world.Settle();

        world.Moves.Select(m => (m.Move.To, m.Move.Reason)).ShouldBe([(2, MoveReasons.Elsewhere)]);
    }

    [Fact]
    public void Unfit_SeveralNodes_GoesToTheOneThatIsNotTriedYet()
    {
        PlacementWorld world = new();
        world.Join(1);
        world.Join(2);
        world.Submit(PlacementWorld.New(1) with { Unfit = [1, 2] });
        world.Rebalance().ShouldBeEmpty();
        world.Pass(Minute);
        world.Join(3);

        world.Settle();

        world.Moves.Select(m => (m.Move.To, m.Move.Reason)).ShouldBe([(3, MoveReasons.Elsewhere)]);
    }

    [Fact]
    public void Rebalance_Off_OnlyWhatHasToGoMoves()
    {
        PlacementWorld world = new(new ShardingModel { Rebalance = false });
        world.Join(1, slots: 1);
        world.Submit(PlacementWorld.New(1));
        world.Submit(PlacementWorld.New(2));
        world.Join(2);
        world.Pass(Minute * 2);
        world.Rebalance().ShouldBeEmpty();

        world.Drain(1);
        world.Settle();

        world.Moves.Select(m => m.Move.Reason).ShouldBe([MoveReasons.Drain, MoveReasons.Drain]);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void Drain_ByPriority_InterruptsNoMoreAtOnceThanMayMove(int atOnce)
    {
        PlacementWorld world = new(new ShardingModel { MaxConcurrentMoves = atOnce });
        world.Join(1, slots: 6);
        for (int i = 1; i <= 6; i++)
        {
            world.Submit(PlacementWorld.New(i, priority: i % 4));
        }

        world.Join(2, slots: 8);
        IReadOnlyList<ShardMove> dry = world.Planner.PlanDrain(1);
        world.Drain(1);
        world.Planner.IsEmpty(1).ShouldBeFalse();
        while (!world.Planner.IsEmpty(1))
        {
            world.Rebalance().Count.ShouldBeInRange(1, atOnce);
        }

        dry.Select(m => (m.Shard, m.From, m.To, m.Reason))
            .ShouldBe(world.Moves.Select(m => (m.Move.Shard, m.Move.From, m.Move.To, m.Move.Reason)));
        dry.Select(m => m.Shard).ShouldBe([3, 2, 6, 1, 5, 4]);
    }

    [Fact]
    public void Drain_WhileOneMoves_TakesOnlyWhatMayMoveBesideAndWaitingTasksFreely()
    {
        PlacementWorld world = PlacementWorld.Full(nodes: 1);
        for (int i = 10; i < 15; i++)
        {
            world.Submit(PlacementWorld.New(i));
        }

        world.Join(2, slots: 16);
        world.Drain(1);
        IReadOnlyList<ShardMove> first = world.Planner.BeginMoves(PlacementWorld.NothingMoves, world.Now);
        int[] running = [.. first.Select(m => m.Shard).Where(s => s < 10)];
        running.Length.ShouldBe(2);
        first.Count.ShouldBe(7);

        world.Planner.BeginMoves(first.Select(m => m.Shard).ToHashSet(), world.Now).ShouldBeEmpty("two interrupt already");
        world.Planner.BeginMoves(new HashSet<int> { running[0] }, world.Now).Count(m => m.Shard < 10 && m.Shard != running[1]).ShouldBe(0);
    }

    [Fact]
    public void Request_IsTakenGivenAndForgottenOnceItIsThere()
    {
        PlacementWorld world = PlacementWorld.Full(nodes: 2);
        world.Planner.Request(1, 2, world.Now);

        world.Settle();

        world.Moves.Select(m => (m.Move.Shard, m.Move.To, m.Move.Reason)).ShouldBe([(1, 2, MoveReasons.Request)]);
    }

    [Fact]
    public void Request_NotTakenWithinMoveTimeout_IsForgotten()
    {
        PlacementWorld world = PlacementWorld.Full(nodes: 1);
        world.Planner.Request(1, 2, world.Now);
        world.Rebalance().ShouldBeEmpty("there is no such node yet");
        world.Now += new ShardingModel().MoveTimeout;
        world.Join(2);

        world.Planner.PlanMoves(PlacementWorld.NothingMoves, world.Now).ShouldAllBe(m => m.Reason == MoveReasons.Balance);
    }

    /// <summary>The coordinator looks once a second.</summary>
    private static void Watch(PlacementWorld world, int seconds)
    {
        for (int i = 0; i < seconds; i++)
        {
            world.Pass(Second);
            world.Rebalance();
        }
    }
}
