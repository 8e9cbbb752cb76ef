using ActorTrainer.Core.Configuration;
using ActorTrainer.Core.Sharding;

namespace ActorTrainer.Core.Placement;

/// <summary>
/// The load of every node, kept up to date by small changes. A copy costs as much as there are nodes: plans are made on a copy.
/// </summary>
internal sealed class LoadBook
{
    private readonly SortedDictionary<long, NodeLoad> _nodes = [];
    private List<NodeLoad> _accepting = [];

    /// <summary>Shards with tasks that want slots, on the accepting nodes: whose turn it is in <c>round_robin</c>.</summary>
    private int _busy;

    /// <summary>Nodes looked at so far, for tests of how work grows.</summary>
    public long Visits { get; private set; }

    public IReadOnlyList<NodeLoad> Accepting => _accepting;

    /// <summary>All members, in order of life.</summary>
    public IEnumerable<NodeLoad> Members => _nodes.Values.Where(n => n.IsMember);

    public NodeLoad? Find(long life) => _nodes.GetValueOrDefault(life);

    public bool IsMember(long life) => Find(life) is { IsMember: true };

    public bool Accepts(long life) => Find(life) is { Accepts: true };

    /// <summary>Takes the members as they are now. A life that is not among them keeps its load until that goes elsewhere.</summary>
    public void SetNodes(IEnumerable<NodeCapacity> nodes)
    {
        SortedDictionary<long, NodeCapacity> now = [];
        foreach (NodeCapacity node in nodes)
        {
            now[node.Incarnation] = node;
            At(node.Incarnation);
        }

        foreach (NodeLoad node in _nodes.Values.ToArray())
        {
            node.Be(now.GetValueOrDefault(node.Life));
            if (node is { IsMember: false, Shards: 0 })
            {
                _nodes.Remove(node.Life);
            }
        }

        Recount();
    }

    /// <summary>A life is gone.</summary>
    public void RemoveLife(long life)
    {
        Find(life)?.Be(null);
        Recount();
    }

    public void Add(long life, ShardLoad load, int sign = 1)
    {
        if (life > 0)
        {
            NodeLoad node = At(life);
            int before = node.Busy;
            node.Add(load, sign);
            _busy += node.Accepts ? node.Busy - before : 0;
        }
    }

    public void Move(PlacedShard shard, long from, long to)
    {
        Add(from, shard.Load, -1);
        Add(to, shard.Load);
    }

    public LoadBook Copy()
    {
        LoadBook copy = new();
        foreach (NodeLoad node in _nodes.Values)
        {
            copy._nodes[node.Life] = node.Copy();
        }

        copy.Recount();
        return copy;
    }

    /// <summary>The node that the strategy names for a shard that is counted nowhere; null when none accepts.</summary>
    public NodeLoad? Choose(AllocationStrategy strategy, PlacedShard shard) => Choose(strategy, shard, except: 0);

    /// <summary>The best node besides its home that has nothing against the shard; null: none.</summary>
    public NodeLoad? Better(PlacedShard shard, long home) =>
        Choose(AllocationStrategy.LoadBalanced, shard, home) is { } node && Against(node, shard) == 0 ? node : null;

    /// <summary>
    /// What speaks against a node whatever its load, the worst in front: it is too small for ever, it is avoided, the shard's task must run
    /// alone and others are there, a task that runs alone is there. 0: nothing.
    /// </summary>
    private static int Against(NodeLoad node, PlacedShard shard)
    {
        int against = shard.Largest > node.Slots ? 8 : 0;
        against += shard.Avoid.Contains(node.Life) ? 4 : 0;
        against += shard.Load.Alone > 0 && node.Used > 0 ? 2 : 0;
        return against + (node.Alone > 0 ? 1 : 0);
    }

    private NodeLoad? Choose(AllocationStrategy strategy, PlacedShard shard, long except)
    {
        int least = int.MaxValue;
        List<NodeLoad> candidates = [];
        foreach (NodeLoad node in _accepting)
        {
            Visits++;
            int against = node.Life == except ? int.MaxValue : Against(node, shard);
            if (against < least)
            {
                least = against;
                candidates.Clear();
            }

            if (against == least && node.Life != except)
            {
                candidates.Add(node);
            }
        }

        if (candidates.Count == 0)
        {
            return null;
        }

        if (strategy == AllocationStrategy.RoundRobin)
        {
            return candidates[_busy % candidates.Count];
        }

        int demand = Math.Max(1, shard.Load.Demand);
        NodeLoad best = candidates[0];
        foreach (NodeLoad node in candidates)
        {
            best = Compare(node, best, demand, shard) < 0 ? node : best;
        }

        return best;
    }

    /// <summary>
    /// Least full first; of equally full ones that with the checkpoints near, then with most room, then with fewest shards, then the
    /// oldest.
    /// </summary>
    private static int Compare(NodeLoad a, NodeLoad b, int demand, PlacedShard shard)
    {
        int order = a.Part(demand).CompareTo(b.Part(demand));
        if (order == 0 && shard.Near.Count > 0)
        {
            order = shard.Near.GetValueOrDefault(b.Life).CompareTo(shard.Near.GetValueOrDefault(a.Life));
        }

        order = order != 0 ? order : b.Free.CompareTo(a.Free);
        order = order != 0 ? order : (a.Shards / (double)a.Slots).CompareTo(b.Shards / (double)b.Slots);
        return order != 0 ? order : a.Life.CompareTo(b.Life);
    }

    private void Recount()
    {
        _accepting = [.. _nodes.Values.Where(n => n.Accepts)];
        _busy = _accepting.Sum(n => n.Busy);
    }

    private NodeLoad At(long life)
    {
        if (!_nodes.TryGetValue(life, out NodeLoad? node))
        {
            _nodes[life] = node = new NodeLoad(life);
        }

        return node;
    }
}
