using ActorTrainer.Core.Placement;
using ActorTrainer.Core.Sharding;

namespace ActorTrainer.Core.Tests.Placement;

/// <summary>Where resting tasks belong, whose shards nobody may have asked for.</summary>
public sealed class PlacementPlaceTests
{
    private readonly PlacementWorld _world = new();

    public PlacementPlaceTests()
    {
        _world.Join(8);
        _world.Join(9);
    }

    [Fact]
    public void Place_OfAShardThatSomebodyHas_IsThere()
    {
        Show(1, on: 8);
        _world.Planner.SetOwners(new Dictionary<int, long> { [1] = 9 });

        Place(1).ShouldBe(9);
    }

    [Fact]
    public void Place_OfAShardThatNobodyHas_IsWhereItsTasksAreAndAllocateSaysTheSame()
    {
        for (int shard = 1; shard <= 8; shard++)
        {
            Show(shard, on: 9);
        }

        Place(3).ShouldBe(9);

        _world
            .Planner.Allocate(3, _world.Now)
            .ShouldBe(9, "however full it is there: whoever waits is moved by a plan and not by being asked for");
    }

    [Fact]
    public void Place_AfterALoss_DividesTheTasksAndHoldsOnceTheirRowsSaySo()
    {
        for (int shard = 1; shard <= 8; shard++)
        {
            Show(shard, on: 7);
        }

        long[] placed = [.. Enumerable.Range(1, 8).Select(Place)];
        placed.Count(life => life == 8).ShouldBe(4);
        for (int shard = 1; shard <= 8; shard++)
        {
            Show(shard, on: placed[shard - 1]);
        }

        _world.Now += TimeSpan.FromHours(1);

        Enumerable.Range(1, 8).Select(Place).ShouldBe(placed);
        Enumerable.Range(1, 8).Select(shard => _world.Planner.Allocate(shard, _world.Now)).ShouldBe(placed);
    }

    [Fact]
    public void Place_OfAWaitingShardForWhichAMoveIsPlanned_IsWhereItGoes()
    {
        for (int shard = 1; shard <= 5; shard++)
        {
            Show(shard, on: 8);
        }

        ShardMove move = _world.Planner.BeginMoves(PlacementWorld.NothingMoves, _world.Now)[0];

        Place(move.Shard).ShouldBe(9);
        Show(move.Shard, on: 9);
        _world.Planner.BeginMoves(PlacementWorld.NothingMoves, _world.Now).ShouldNotContain(m => m.Shard == move.Shard);
    }

    [Fact]
    public void Place_WhenNobodyAcceptsOrTheOwnerIsNotKnown_IsNone()
    {
        Show(1, on: 7);
        Show(2, on: 8);
        _world.Planner.SetOwners(new Dictionary<int, long> { [2] = 0 });
        Place(2).ShouldBe(0);

        _world.Drain(8);
        _world.Drain(9);

        Place(1).ShouldBe(0);
        Place(99).ShouldBe(0, "it has no tasks");
    }

    [Fact]
    public void Version_GrowsWithWhatAPlaceFollowsFromAndNotWithProgress()
    {
        Show(1, on: 8);
        PlacementPlanner planner = _world.Planner;
        long before = planner.Version;
        planner.Show(PlacementWorld.New(1) with { On = 8, Step = 7 }, _world.Now);
        planner.SetOwners(new Dictionary<int, long>());
        planner.Version.ShouldBe(before);

        planner.SetOwners(new Dictionary<int, long> { [1] = 9 });
        long owned = planner.Version;
        owned.ShouldBeGreaterThan(before);
        _world.Join(10);

        planner.Version.ShouldBeGreaterThan(owned);
    }

    private long Place(int shard) => _world.Planner.Place(shard, _world.Now);

    private void Show(int shard, long on) => _world.Planner.Show(PlacementWorld.New(shard) with { On = on }, _world.Now);
}
