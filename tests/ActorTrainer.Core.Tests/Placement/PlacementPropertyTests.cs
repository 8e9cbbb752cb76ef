using System.Globalization;
using ActorTrainer.Core.Configuration;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Placement;
using ActorTrainer.Core.Sharding;
using FsCheck;
using FsCheck.Fluent;

namespace ActorTrainer.Core.Tests.Placement;

/// <summary>What holds for the planner in any cluster that lives through any sequence of joins, losses, drains, submits and ends.</summary>
public sealed class PlacementPropertyTests
{
    private const int Shards = 16;
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);

    [Fact]
    public void AnyHistory_EveryShardWithTasks_HasAMemberThatMayKeepItWhenThereIsOne() =>
        ForAny(
            (world, random) =>
            {
                Live(world, random);
                world.Settle();
                if (world.Nodes.Any(n => n is { Accepts: true, MustEmpty: false }))
                {
                    foreach (TaskDemand task in world.Tasks)
                    {
                        world.Nodes.ShouldContain(n => n.Incarnation == world.OwnerOf(task) && !n.MustEmpty, task.ToString());
                    }
                }
            }
        );

    [Fact]
    public void AnyHistory_OnceSettled_NobodyWaitsWhileItsSlotsAreFreeSomewhere() =>
        ForAny(
            (world, random) =>
            {
                Live(world, random, plain: true);

                // A shard that was given without tasks on record is no longer taken for one that is about to get a task.
                world.Now += PlacementPlanner.Lag;
                world.Settle();
                foreach (TaskDemand task in world.Tasks.Where(t => t.Waiting && world.Tasks.Count(o => o.Shard == t.Shard) == 1))
                {
                    world.Nodes.ShouldNotContain(
                        n =>
                            n.Accepts
                            && !n.MustEmpty
                            && n.Slots - world.Running(n.Incarnation) >= task.Slots
                            && n.Incarnation != world.OwnerOf(task)
                            && !Waits(world, n),
                        $"{task.Task} waits on {world.OwnerOf(task)}"
                    );
                }
            }
        );

    [Fact]
    public void AnyHistory_OnceSettled_PlansNothingAgainUntilSomethingHappens() =>
        ForAny(
            (world, random) =>
            {
                Live(world, random);
                world.Settle();
                world.Planner.PlanMoves(PlacementWorld.NothingMoves, world.Now).ShouldBeEmpty();

                // Runs settle and wishes end, which allows a few moves; then it is quiet for good. A shard may go back once when others
                // have come since.
                int moved = world.Moves.Count;
                for (int i = 0; i < 24; i++)
                {
                    world.Pass(Minute);
                    world.Settle();
                }

                world.Moves.Skip(moved).GroupBy(m => m.Move.Shard).ShouldAllBe(shard => shard.Count() <= 2, "no swing");
                moved = world.Moves.Count;
                for (int i = 0; i < 30; i++)
                {
                    world.Pass(Minute);
                    world.Rebalance().ShouldBeEmpty();
                }

                world.Moves.Count.ShouldBe(moved);
            }
        );

    [Fact]
    public void AnyHistory_WhoRuns_IsInterruptedForOthersOnlyWhenItPays() =>
        ForAny(
            (world, random) =>
            {
                Live(world, random);
                foreach ((TimeSpan at, ShardMove move, TimeSpan? ran) in world.Moves.Where(m => m.Interrupted is not null))
                {
                    move.Reason.ShouldNotBe(MoveReasons.Slots, $"{move} at {at}");
                    (move.Reason is MoveReasons.Drain or MoveReasons.Request || ran >= Minute).ShouldBeTrue($"{move} at {at}");
                    world.Moves.ShouldNotContain(
                        m =>
                            IsForOthers(m.Move)
                            && IsForOthers(move)
                            && m.Move.Shard == move.Shard
                            && m.Move.From == move.To
                            && m.At < at
                            && at < m.At + TimeSpan.FromMinutes(10),
                        $"{move} at {at} goes back"
                    );
                }
            }
        );

    [Fact]
    public void AnyLoss_MovesNothingButWhatWasLost() =>
        ForAny(
            (world, random) =>
            {
                Live(world, random);
                Dictionary<int, long> before = new(world.Owners);
                if (world.Nodes.Count == 0)
                {
                    return;
                }

                long lost = world.Nodes.ElementAt(random.Next(world.Nodes.Count)).Incarnation;
                world.Kill(lost);
                foreach ((int shard, long owner) in before.Where(o => o.Value != lost))
                {
                    world.Owners[shard].ShouldBe(owner);
                }
            }
        );

    [Fact]
    public void AnyLoss_HeirsAreThoseThatAllocateNames_InOrderOfPriority() =>
        ForAny(
            (world, random) =>
            {
                Live(world, random);
                foreach (NodeCapacity node in world.Nodes.ToArray())
                {
                    world
                        .Planner.PlannedHeirs(node.Incarnation, world.Now)
                        .Select(h => h.Task)
                        .ShouldBeSubsetOf(world.Tasks.Where(t => world.OwnerOf(t) == node.Incarnation).Select(t => t.Task));
                }

                if (world.Nodes.Count < 2)
                {
                    return;
                }

                // Some of it may be on its way already.
                world.Drain(world.Nodes.First().Incarnation);
                world.Planner.BeginMoves(PlacementWorld.NothingMoves, world.Now);
                long lost = world.Nodes.ElementAt(random.Next(world.Nodes.Count)).Incarnation;
                IReadOnlyList<PlannedHeir> could = world.Planner.PlannedHeirs(lost, world.Now);
                IReadOnlyList<PlannedHeir> heirs = world.Planner.FailOver(lost, world.Now);
                heirs.ShouldBe(could);
                heirs.Select(h => world.Task(h.Task.Value).Priority).ShouldBeInOrder(SortDirection.Descending);
                world.Kill(lost);
                heirs.ShouldAllBe(h => world.Owners[h.Shard] == h.To);
            }
        );

    [Fact]
    public void AnyHistory_TheSameInAnotherOrderOfLists_GivesTheSameMoves() =>
        ForAnySeed(seed =>
        {
            PlacementWorld one = new();
            PlacementWorld other = new() { Reversed = true };
            Live(one, new DeterministicRandom(seed));
            Live(other, new DeterministicRandom(seed));
            one.Moves.ShouldBe(other.Moves);
            one.Owners.OrderBy(o => o.Key).ShouldBe(other.Owners.OrderBy(o => o.Key));
        });

    [Fact]
    public void AnyHistory_LoadsKeptBySmallChanges_AreThoseOfAPlannerThatIsToldAllAtOnce() =>
        ForAny(
            (world, random) =>
            {
                Live(world, random);
                world.Now += PlacementPlanner.Lag;
                world.Settle();
                world.Now += PlacementPlanner.Lag;
                world.Rebalance();
                PlacementPlanner fresh = new(new ShardingModel());
                fresh.SetNodes([.. world.Nodes]);
                fresh.SetOwners(world.Owners);
                foreach (TaskDemand task in world.Tasks)
                {
                    fresh.Show(task, world.Now);
                }

                for (int slots = 1; slots <= 3; slots++)
                {
                    fresh.ChooseNode(slots).ShouldBe(world.Planner.ChooseNode(slots));
                }

                foreach (NodeCapacity node in world.Nodes)
                {
                    fresh.PlannedHeirs(node.Incarnation, world.Now).ShouldBe(world.Planner.PlannedHeirs(node.Incarnation, world.Now));
                    fresh.PlanDrain(node.Incarnation).ShouldBe(world.Planner.PlanDrain(node.Incarnation));
                }
            }
        );

    private static bool IsForOthers(ShardMove move) => move.Reason is MoveReasons.Balance or MoveReasons.Room;

    private static bool Waits(PlacementWorld world, NodeCapacity node) =>
        world.Tasks.Any(t => t.Waiting && t.Slots > 0 && world.OwnerOf(t) == node.Incarnation);

    private static void ForAny(Action<PlacementWorld, DeterministicRandom> holds) =>
        ForAnySeed(seed => holds(new PlacementWorld(), new DeterministicRandom(seed)));

    private static void ForAnySeed(Action<ulong> holds) =>
        Prop.ForAll(Gen.Choose(0, int.MaxValue).ToArbitrary(), seed => holds((ulong)seed))
            .Check(Config.QuickThrowOnFailure.WithMaxTest(100));

    /// <summary>A life of some thirty events, with a look of the coordinator after each.</summary>
    /// <param name="world">The cluster.</param>
    /// <param name="random">What happens.</param>
    /// <param name="plain">Whether tasks have one slot, and neither they nor anybody else has wishes.</param>
    private static void Live(PlacementWorld world, DeterministicRandom random, bool plain = false)
    {
        int lives = 0;
        int tasks = 0;
        world.Join(++lives, 1 + random.Next(4));
        for (int i = 0; i < 30; i++)
        {
            switch (random.Next(10))
            {
                case 0 or 1:
                    world.Join(++lives, 1 + random.Next(4));
                    break;
                case 2 when world.Nodes.Count > 1:
                    world.Kill(world.Nodes.ElementAt(random.Next(world.Nodes.Count)).Incarnation);
                    break;
                case 3 when random.Next(2) == 0:
                    world.Drain(world.Nodes.ElementAt(random.Next(world.Nodes.Count)).Incarnation);
                    break;
                case 4 when world.Tasks.Any():
                    world.Finish(world.Tasks.ElementAt(random.Next(world.Tasks.Count())).Task.Value);
                    break;
                case 5 when !plain:
                    world.Planner.Request(random.Next(Shards), 1 + random.Next(lives), world.Now);
                    break;
                case 6:
                    world.Pass(Second * random.Next(90));
                    break;
                default:
                    world.Submit(Draw(++tasks, lives, random, plain));
                    break;
            }

            world.Rebalance();
            world.Pass(Second);
        }
    }

    private static TaskDemand Draw(int number, int lives, DeterministicRandom random, bool plain)
    {
        TaskId task = TaskId.Parse(string.Create(CultureInfo.InvariantCulture, $"t-{number}"));
        int shard = random.Next(Shards);
        return plain
            ? new TaskDemand(task, shard, random.Next(3), 1, Waiting: true, 0, Alone: false)
            : new TaskDemand(
                task,
                shard,
                random.Next(3),
                random.Next(4),
                Waiting: true,
                random.Next(5) == 0 ? 1 + random.Next(lives) : 0,
                random.Next(12) == 0
            )
            {
                TotalSteps = random.Next(2) == 0 ? 1 + random.Next(600) : null,
                Near = random.Next(3) == 0 ? [1 + random.Next(lives)] : [],
            };
    }
}
