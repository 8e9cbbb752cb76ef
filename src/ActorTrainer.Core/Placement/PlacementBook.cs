using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Sharding;

namespace ActorTrainer.Core.Placement;

/// <summary>
/// All shards that are owned, planned or have tasks, with the loads that follow from them. Every change goes through here, so that loads
/// and the set of orphans are always right without looking at everything.
/// </summary>
internal sealed class PlacementBook
{
    private readonly SortedDictionary<int, PlacedShard> _shards = [];
    private readonly SortedDictionary<int, PlacedShard> _orphans = [];
    private readonly SortedDictionary<int, PlacedShard> _planned = [];
    private readonly SortedDictionary<int, PlacedShard> _given = [];
    private readonly SortedDictionary<TaskId, int> _shardOf = [];
    private readonly SortedSet<long> _lost = [];
    private readonly SortedDictionary<long, int> _ownedCounts = [];
    private readonly SortedDictionary<long, int> _givenCounts = [];

    public LoadBook Loads { get; } = new();

    /// <summary>Tasks and shards looked at so far, for tests of how work grows.</summary>
    public long Visits { get; private set; }

    /// <summary>Grows with every change of who has a shard, where one is planned to go, and of the members.</summary>
    public long Version { get; private set; }

    public IReadOnlyCollection<PlacedShard> Shards => _shards.Values;

    /// <summary>Shards with tasks that no member has and that are planned for none.</summary>
    public IReadOnlyCollection<PlacedShard> Orphans => _orphans.Values;

    public IReadOnlyCollection<PlacedShard> Planned => _planned.Values;

    /// <summary>Shards that were given away, which nobody has shown yet.</summary>
    public IReadOnlyCollection<PlacedShard> Given => _given.Values;

    /// <summary>How many shards each life has.</summary>
    public IReadOnlyDictionary<long, int> OwnedCounts => _ownedCounts;

    /// <summary>How many of them were given and are not shown yet.</summary>
    public IReadOnlyDictionary<long, int> GivenCounts => _givenCounts;

    public PlacedShard? Find(int shard) => _shards.GetValueOrDefault(shard);

    public IEnumerable<TaskId> Tasks => _shardOf.Keys;

    public void Show(TaskDemand demand, TimeSpan now)
    {
        if (_shardOf.TryGetValue(demand.Task, out int before) && before != demand.Shard)
        {
            Remove(demand.Task);
        }

        _shardOf[demand.Task] = demand.Shard;
        Change(demand.Shard, shard => Visits += shard.Show(demand, now));
    }

    public void Remove(TaskId task)
    {
        if (_shardOf.Remove(task, out int number))
        {
            Change(number, shard => Visits += shard.Remove(task));
        }
    }

    /// <summary>Changes a shard and keeps what follows from it.</summary>
    public PlacedShard Change(int number, Action<PlacedShard> change)
    {
        Visits++;
        if (!_shards.TryGetValue(number, out PlacedShard? shard))
        {
            shard = new PlacedShard(number);
        }
        else
        {
            Loads.Add(shard.Home, shard.Load, -1);
            Tally(shard, -1);
        }

        (long owner, PlannedPlace? plan) = (shard.Owner, shard.Plan);
        change(shard);
        Version += owner != shard.Owner || plan != shard.Plan ? 1 : 0;
        if (shard is { HasTasks: false, Owner: 0, Plan: null })
        {
            _shards.Remove(number);
            File(_orphans, shard, false);
        }
        else
        {
            _shards[number] = shard;
            Loads.Add(shard.Home, shard.Load);
            Tally(shard, 1);
            File(_orphans, shard, IsOrphan(shard));
        }

        File(_planned, shard, shard.Plan is not null);
        File(_given, shard, shard.GivenUntil is not null);
        return shard;
    }

    /// <summary>Takes the members as they are now; one that was said to be lost stays lost, whatever the list says.</summary>
    public void SetNodes(IReadOnlyList<NodeCapacity> nodes)
    {
        _lost.IntersectWith(nodes.Select(n => n.Incarnation));
        Loads.SetNodes(nodes.Where(n => !_lost.Contains(n.Incarnation)));
        Refile();
    }

    /// <summary>A life has died: it has nothing from now on, although it may still be listed.</summary>
    public void RemoveLife(long life)
    {
        _lost.Add(life);
        Loads.RemoveLife(life);
        Refile();
    }

    private void Tally(PlacedShard shard, int sign)
    {
        Tally(_ownedCounts, shard.Owner, sign);
        Tally(_givenCounts, shard.GivenUntil is null ? 0 : shard.Owner, sign);
    }

    private static void Tally(SortedDictionary<long, int> counts, long life, int sign)
    {
        int count = counts.GetValueOrDefault(life) + sign;
        if (life == 0 || count == 0)
        {
            counts.Remove(life);
        }
        else
        {
            counts[life] = count;
        }
    }

    private void Refile()
    {
        Version++;
        foreach (PlacedShard shard in _shards.Values)
        {
            Visits++;
            File(_orphans, shard, IsOrphan(shard));
        }
    }

    private bool IsOrphan(PlacedShard shard) => shard.HasTasks && shard.Home != PlacedShard.UnknownLife && !Loads.IsMember(shard.Home);

    private static void File(SortedDictionary<int, PlacedShard> drawer, PlacedShard shard, bool belongs)
    {
        if (belongs)
        {
            drawer[shard.Number] = shard;
        }
        else
        {
            drawer.Remove(shard.Number);
        }
    }
}
