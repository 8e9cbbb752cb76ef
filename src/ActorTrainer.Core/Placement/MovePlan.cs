using ActorTrainer.Core.Configuration;
using ActorTrainer.Core.Sharding;

namespace ActorTrainer.Core.Placement;

/// <summary>
/// One plan of moves between living nodes, on a copy of the loads: what was asked for, what is planned already and did not begin, what has
/// to leave, what waits, and last what pays. Moves that interrupt a task are limited by <c>max-concurrent-moves</c> in the cluster; those
/// of tasks that wait only by <see cref="QuietMoves"/>, for they cost nobody anything.
/// </summary>
internal sealed class MovePlan
{
    /// <summary>How many shards of which nothing runs may move at once.</summary>
    public const int QuietMoves = 64;

    private readonly PlacementBook _book;
    private readonly MoveMemory _memory;
    private readonly ShardingModel _model;
    private readonly IReadOnlySet<int> _moving;
    private readonly TimeSpan _now;
    private readonly LoadBook _loads;
    private readonly SortedDictionary<int, ShardMove> _byShard = [];
    private readonly List<ShardMove> _plan = [];
    private int _free;
    private int _freeQuiet = QuietMoves;

    public MovePlan(PlacementBook book, MoveMemory memory, ShardingModel model, IReadOnlySet<int> moving, TimeSpan now)
    {
        (_book, _memory, _model, _moving, _now) = (book, memory, model, moving, now);
        _loads = book.Loads.Copy();
        _free = model.MaxConcurrentMoves;
        foreach (int shard in moving)
        {
            // Whether it ran when it was taken is not asked: by now its tasks have stopped for the move.
            bool quiet = book.Find(shard) is { } placed && placed.Plan is { Quiet: true };
            _free -= quiet ? 0 : 1;
            _freeQuiet -= quiet ? 1 : 0;
        }
    }

    /// <summary>Makes the plan.</summary>
    /// <param name="requests">Where somebody wants shards to be.</param>
    public IReadOnlyList<ShardMove> Make(IReadOnlyDictionary<int, long> requests)
    {
        foreach ((int shard, long to) in requests)
        {
            if (_book.Find(shard) is { Holder: > 0 } placed && placed.Holder != to && _loads.Accepts(to))
            {
                Take(placed, to, MoveReasons.Request);
            }
        }

        foreach (PlacedShard shard in _book.Planned.Where(s => s.Plan!.Reason != MoveReasons.Lost && s.Holder == s.Plan.From))
        {
            Take(shard, shard.Plan!.To, shard.Plan.Reason);
        }

        Drain();
        if (_model.Rebalance)
        {
            SendWaiting();
            if (_moving.Count == 0 && _byShard.Count == 0)
            {
                MakeRoom();
                EvenOut();
            }
        }

        return _plan;
    }

    private void Drain()
    {
        if (_loads.Accepting.Count == 0 || !_loads.Members.Any(n => n.MustEmpty))
        {
            return;
        }

        foreach (PlacedShard shard in ByPriority(s => _loads.Find(s.Holder) is { IsMember: true, MustEmpty: true }))
        {
            if (MayTake(shard) && _loads.Choose(_model.Allocation, shard) is { } node)
            {
                Take(shard, node.Life, MoveReasons.Drain);
            }
        }
    }

    /// <summary>Whoever waits, or is where it should not be, goes where that is mended.</summary>
    private void SendWaiting()
    {
        foreach (PlacedShard shard in ByPriority(s => IsOn(s) && s.Load.Demand > 0))
        {
            NodeLoad home = _loads.Find(shard.Home)!;
            bool avoids =
                shard.Avoid.Contains(home.Life) && (shard.Running == 0 || MovePolicy.MayInterrupt(shard, _model.BalanceAfter, _now));
            bool waits = MovePolicy.Waits(shard, home) || (shard.Running == 0 && shard.Largest > home.Slots);
            if (
                (avoids || waits)
                && MayTake(shard)
                && _loads.Better(shard, home.Life) is { } to
                && (avoids || MovePolicy.RunsSooner(shard, home, to))
            )
            {
                Take(shard, to.Life, avoids ? MoveReasons.Elsewhere : MoveReasons.Slots);
            }
        }
    }

    /// <summary>
    /// The first of those that wait and fit nowhere gets a node on which few running tasks, that fit elsewhere, are in its way. It goes
    /// there by the same plan: counted there, its room is not given to others.
    /// </summary>
    private void MakeRoom()
    {
        PlacedShard? large = ByPriority(s => IsOn(s) && s.Load.Alone == 0 && MovePolicy.Waits(s, _loads.Find(s.Home)!)).FirstOrDefault();
        if (large is null || large.Load.Demand != large.Head)
        {
            return;
        }

        (NodeLoad Node, List<(PlacedShard Shard, long To)> Away)? best = null;
        foreach (NodeLoad node in _loads.Accepting.Where(n => n.Slots >= large.Head && n.Alone == 0 && !large.Avoid.Contains(n.Life)))
        {
            if (InTheWay(node, large) is { } away && (best is null || away.Count < best.Value.Away.Count))
            {
                best = (node, away);
            }
        }

        if (best is not { } found)
        {
            return;
        }

        found.Away.ForEach(a => Take(a.Shard, a.To, MoveReasons.Room));
        if (found.Node.Life != large.Home)
        {
            Take(large, found.Node.Life, MoveReasons.Slots);
        }
    }

    /// <summary>What has to leave a node so that a task fits, with where it goes; null when that is too much.</summary>
    private List<(PlacedShard Shard, long To)>? InTheWay(NodeLoad node, PlacedShard large)
    {
        LoadBook trial = _loads.Copy();
        int need = large.Head - (node.Free + (large.Home == node.Life ? large.Load.Demand : 0));
        List<(PlacedShard, long)> away = [];
        PlacedShard[] candidates =
        [
            .. _book
                .Shards.Where(s =>
                    s.Home == node.Life
                    && IsOn(s)
                    && s.Running > 0
                    && s.Running == s.Load.Demand
                    && MovePolicy.MayInterrupt(s, _model.BalanceAfter, _now)
                )
                .OrderByDescending(s => s.Running)
                .ThenBy(s => s.Priority)
                .ThenBy(s => s.Number),
        ];
        while (need > 0 && away.Count < _free)
        {
            // The smallest that is enough by itself, otherwise the largest: as few as can be.
            PlacedShard? next = null;
            NodeLoad? to = null;
            foreach (PlacedShard shard in candidates.Where(s => away.All(a => a.Item1 != s)))
            {
                if (
                    (next is null || shard.Running >= need)
                    && trial.Better(shard, node.Life) is { } other
                    && other.Room >= shard.Running
                    && !_memory.CameFrom(shard.Number, other.Life, _now)
                )
                {
                    (next, to) = (shard, other);
                }
            }

            if (next is null)
            {
                return null;
            }

            trial.Move(next, node.Life, to!.Life);
            away.Add((next, to.Life));
            need -= next.Running;
        }

        return need <= 0 && away.Count > 0 ? away : null;
    }

    /// <summary>Least priority first: who matters more is interrupted less.</summary>
    private void EvenOut()
    {
        foreach (
            PlacedShard shard in _book.Shards.Where(s => IsOn(s) && s.Running > 0).OrderBy(s => s.Priority).ThenBy(s => s.Number).ToArray()
        )
        {
            if (_free <= 0)
            {
                return;
            }

            NodeLoad home = _loads.Find(shard.Home)!;
            if (
                !_byShard.ContainsKey(shard.Number)
                && _loads.Better(shard, home.Life) is { } to
                && MovePolicy.EvensOut(shard, home, to, _model.Allocation)
                && !_memory.CameFrom(shard.Number, to.Life, _now)
                && MovePolicy.MayInterrupt(shard, _model.BalanceAfter, _now)
            )
            {
                Take(shard, to.Life, MoveReasons.Balance);
            }
        }
    }

    private PlacedShard[] ByPriority(Func<PlacedShard, bool> which) =>
        [
            .. _book
                .Shards.Where(s => s.HasTasks && !_byShard.ContainsKey(s.Number) && which(s))
                .OrderByDescending(s => s.Priority)
                .ThenBy(s => s.Number),
        ];

    /// <summary>Whether a shard rests on a member that may keep it, and nobody has asked for it to be there.</summary>
    private bool IsOn(PlacedShard shard) =>
        shard.Plan is null
        && !_moving.Contains(shard.Number)
        && _loads.Find(shard.Home) is { IsMember: true, MustEmpty: false }
        && !_memory.IsWanted(shard.Number, shard.Home, _now);

    private bool MayTake(PlacedShard shard) =>
        !_moving.Contains(shard.Number) && !_byShard.ContainsKey(shard.Number) && (shard.Running > 0 ? _free : _freeQuiet) > 0;

    private void Take(PlacedShard shard, long to, string reason)
    {
        if (!MayTake(shard))
        {
            return;
        }

        bool quiet = shard.Running == 0;
        _free -= quiet ? 0 : 1;
        _freeQuiet -= quiet ? 1 : 0;
        _loads.Move(shard, shard.Home, to);
        ShardMove move = new(shard.Number, shard.Holder, to, shard.Priority, shard.HasTasks, reason);
        _byShard[shard.Number] = move;
        _plan.Add(move);
    }
}
