using ActorTrainer.Core.Configuration;

namespace ActorTrainer.Core.Sharding;

/// <summary>Running totals while a plan is made: slots in use and shards of each node, in order of life.</summary>
internal sealed class NodeLoads
{
    private readonly List<NodeCapacity> _accepting;
    private readonly SortedDictionary<long, int> _used = [];
    private readonly SortedDictionary<long, int> _shards = [];
    private readonly SortedDictionary<long, int> _slots = [];
    private int _turn;

    public NodeLoads(IReadOnlyList<NodeCapacity> nodes, IReadOnlyList<TaskDemand> tasks, IReadOnlyDictionary<int, long> owned)
    {
        foreach (NodeCapacity node in nodes)
        {
            _used[node.Incarnation] = 0;
            _shards[node.Incarnation] = 0;
            _slots[node.Incarnation] = Math.Max(1, node.Slots);
        }

        foreach ((int _, long owner) in owned.OrderBy(o => o.Key))
        {
            if (_shards.TryGetValue(owner, out int count))
            {
                _shards[owner] = count + 1;
            }
        }

        foreach (TaskDemand task in tasks)
        {
            if (owned.TryGetValue(task.Shard, out long owner) && _used.TryGetValue(owner, out int used))
            {
                _used[owner] = used + task.Slots;
            }
        }

        _accepting = [.. nodes.Where(n => n.Accepts && !n.MustEmpty).OrderBy(n => n.Incarnation)];
        _turn = tasks.Count(t => t.Slots > 0 && owned.TryGetValue(t.Shard, out long owner) && _used.ContainsKey(owner));
    }

    public bool Any => _accepting.Count > 0;

    public int Used(long node) => _used.GetValueOrDefault(node);

    public int Free(long node) => _slots.GetValueOrDefault(node) - Used(node);

    /// <summary>Slots in use for the node's size, after a change.</summary>
    public double UsedAfter(long node, int change) => (Used(node) + change) / (double)_slots[node];

    public double ShardsPerSlot(long node, int change) => (_shards[node] + change) / (double)_slots[node];

    public long Choose(AllocationStrategy strategy, int demand, IReadOnlyList<long> avoid, bool alone)
    {
        List<NodeCapacity> candidates = [.. _accepting.Where(n => !avoid.Contains(n.Incarnation))];
        if (candidates.Count == 0)
        {
            candidates = _accepting;
        }

        if (alone && candidates.Any(n => Used(n.Incarnation) == 0))
        {
            candidates = [.. candidates.Where(n => Used(n.Incarnation) == 0)];
        }

        if (strategy == AllocationStrategy.RoundRobin)
        {
            return candidates[_turn++ % candidates.Count].Incarnation;
        }

        return candidates
            .OrderBy(n => UsedAfter(n.Incarnation, demand))
            .ThenByDescending(n => Free(n.Incarnation))
            .ThenBy(n => n.Incarnation)
            .First()
            .Incarnation;
    }

    public long FewestShards() => _accepting.OrderBy(n => ShardsPerSlot(n.Incarnation, 1)).ThenBy(n => n.Incarnation).First().Incarnation;

    public void Add(long node, int demand, bool hasTasks)
    {
        _used[node] += hasTasks ? demand : 0;
        _shards[node]++;
    }

    public void Move(long from, long to, int demand)
    {
        _used[from] -= demand;
        _used[to] += demand;
        MoveShard(from, to);
    }

    public void MoveShard(long from, long to)
    {
        _shards[from]--;
        _shards[to]++;
    }
}
