using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Journaling;
using ActorTrainer.Core.Sharding;
using ActorTrainer.Core.Tasks;

namespace ActorTrainer.Core.Nodes;

/// <summary>
/// Hands shards over to other nodes: the destination warms up, then the tasks save and stop here, then the journal is told, then the
/// destination. Also the destination's side of the warm-up.
/// </summary>
internal sealed class Mover(NodeContext context, ShardHost host)
{
    /// <summary>How long a destination may warm up before the source lets go without it.</summary>
    private static readonly TimeSpan WarmUpLimit = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan AgainAfter = TimeSpan.FromMilliseconds(250);

    private readonly SortedDictionary<int, Move> _moves = [];
    private readonly Dictionary<int, (NodeAddress From, long Term)> _warmingFor = [];
    private long _leaseTerm;

    public bool IsMoving(int shard) => _moves.ContainsKey(shard);

    /// <summary>The coordinator asks for moves.</summary>
    public void OnRequest(RequestMoves request)
    {
        if (request.LeaseTerm < _leaseTerm)
        {
            return;
        }

        _leaseTerm = request.LeaseTerm;
        List<Move> empty = [];
        foreach (ShardMove move in request.Moves)
        {
            if (Start(move.Shard, move.To, move.Reason) is { } started && !started.HasTasks)
            {
                empty.Add(started);
            }
        }

        HandOver(empty);
    }

    /// <summary>Moves one shard; false when it is not here or the target is not up.</summary>
    public bool Request(int shard, long to, string reason)
    {
        if (Start(shard, to, reason) is not { } move)
        {
            return false;
        }

        if (!move.HasTasks)
        {
            HandOver([move]);
        }

        return true;
    }

    /// <summary>Lets every task save and stop because the node goes and nobody takes over, or nobody is ready in time.</summary>
    public void ReleaseAll(string reason)
    {
        foreach (Move move in _moves.Values.Where(m => !m.Releasing).ToArray())
        {
            LetGo(move);
        }

        foreach (OwnedShard shard in host.Shards)
        {
            if (shard.Phase == ShardPhase.Active && !_moves.ContainsKey(shard.Number))
            {
                Release(shard, 0, null, reason);
            }
        }
    }

    public void OnWarm(NodeAddress from, WarmShard warm)
    {
        _warmingFor[warm.Shard] = (from, warm.Term);
        foreach (WarmTask task in warm.Tasks)
        {
            host.Warm(warm.Shard, warm.Term, task);
        }
    }

    public void OnWarmed(ShardWarmed warmed)
    {
        if (_moves.TryGetValue(warmed.Shard, out Move? move) && move.Term == warmed.Term && !move.Releasing)
        {
            LetGo(move);
        }
    }

    public void Tick()
    {
        foreach ((int shard, (NodeAddress from, long term)) in _warmingFor.OrderBy(w => w.Key).ToArray())
        {
            if (host.Warming.Where(c => c.Shard == shard).All(c => c.Entity.IsWarm))
            {
                _warmingFor.Remove(shard);
                context.Tell(from, new ShardWarmed(shard, term));
            }
        }

        List<Move> ready = [];
        foreach (Move move in _moves.Values.ToArray())
        {
            if (host.Find(move.Shard) is not { } shard || shard.Term != move.Term)
            {
                _moves.Remove(move.Shard);
            }
            else if (!move.Asking && context.Row(move.To) is not { Status: MemberStatus.Up })
            {
                Abort(move, shard, "its target is gone");
            }
            else if (!move.Releasing && context.Now >= move.WarmUntil)
            {
                LetGo(move);
            }
            else if (move.Releasing && !move.Asking && context.Now >= move.AgainAt && IsReleased(shard))
            {
                ready.Add(move);
            }
        }

        HandOver(ready);
    }

    private Move? Start(int number, long to, string reason)
    {
        if (_moves.ContainsKey(number) || to == context.Self || host.Find(number) is not { Phase: ShardPhase.Active } shard ||
            context.Row(to) is not { Status: MemberStatus.Up } target)
        {
            return null;
        }

        Move move = new(number, shard.Term, to, target.Address, reason)
        {
            HasTasks = shard.Cells.Count > 0,
            WarmUntil = context.Now + WarmUpLimit,
        };
        _moves[number] = move;
        WarmTask[] warm =
        [
            .. shard.Cells.Values
                .Where(c => c.Entity.State is { IsFinished: false } && c.Entity.TakesSlots)
                .Select(c => new WarmTask(c.Entity.Task, c.Entity.State!.Spec, c.Entity.State.LastUsable, c.Entity.State.Runs + 1)),
        ];
        if (warm.Length > 0)
        {
            // Its retention must not take away what the destination restores.
            foreach (WarmTask task in warm)
            {
                shard.Cells[task.Task].Entity.Protect(task.Checkpoint?.Name);
            }

            context.Say($"shard {number} moves to {target.Address} ({reason}); tasks: {string.Join(", ", warm.Select(w => w.Task))}");
            context.Tell(target.Address, new WarmShard(number, shard.Term, warm));
        }
        else
        {
            LetGo(move);
        }

        return move;
    }

    private void LetGo(Move move)
    {
        move.Releasing = true;
        if (host.Find(move.Shard) is { } shard)
        {
            Release(shard, move.To, move.Address, move.Reason == "drain" ? "drain" : "migration");
        }
    }

    private void Release(OwnedShard shard, long to, NodeAddress? address, string reason)
    {
        shard.Phase = ShardPhase.Releasing;
        foreach (TaskCell cell in shard.Cells.Values)
        {
            cell.Released = false;
            WhenFree(cell, () => cell.Entity.Releasing(to, address, reason, context.Now));
        }
    }

    /// <summary>Runs a step now, or as soon as the append that is under way is through.</summary>
    private void WhenFree(TaskCell cell, Func<EntityStep> step)
    {
        if (cell.Pending is null)
        {
            host.Journaling.Execute(cell, step());
        }
        else
        {
            cell.AfterPending = step;
        }
    }

    private static bool IsReleased(OwnedShard shard) =>
        shard.Cells.Values.All(c => c.Pending is null && c.AfterPending is null && (c.Released || (c.Entity.State is { IsFinished: true } && c.Entity.IsIdle)));

    private void HandOver(List<Move> moves)
    {
        if (moves.Count == 0)
        {
            return;
        }

        foreach (Move move in moves)
        {
            move.Asking = true;
        }

        HandOverRequest request = new(context.Self, [.. moves.Select(m => new ShardAssignment(m.Shard, m.Term, m.To))]);
        context.Ask(request, reply => OnHandedOver(moves, reply));
    }

    private void OnHandedOver(List<Move> moves, JournalReply reply)
    {
        if (reply is not HandOverReply answer)
        {
            // Not known whether it was done: ask again, the same, and let nothing run here before that is known.
            foreach (Move move in moves)
            {
                move.Releasing = true;
                move.Asking = false;
                move.AgainAt = context.Now + AgainAfter;
            }

            return;
        }

        List<ShardRow> gone = [];
        for (int i = 0; i < moves.Count; i++)
        {
            ShardRow row = answer.Rows[i];
            Move move = moves[i];
            if (host.Find(move.Shard) is not { } shard || shard.Term != move.Term)
            {
                _moves.Remove(move.Shard);
            }
            else if (row.Owner == context.Self && row.Term == move.Term)
            {
                Abort(move, shard, "its target is not up");
            }
            else
            {
                _moves.Remove(move.Shard);
                host.Drop(shard);
                gone.Add(row);
            }
        }

        if (gone.Count > 0)
        {
            context.TellAll(new OwnershipChanged(gone));
        }
    }

    private void Abort(Move move, OwnedShard shard, string why)
    {
        _moves.Remove(move.Shard);
        if (shard.Cells.Count > 0)
        {
            context.Say($"shard {move.Shard} stays here: {why}", NoticeLevel.Warning);
        }

        shard.Phase = ShardPhase.Active;
        foreach (TaskCell cell in shard.Cells.Values)
        {
            cell.AfterPending = null;
            cell.Released = false;
            cell.Entity.Protect(null);
            cell.Entity.ReleaseAborted();
        }
    }

    private sealed class Move(int shard, long term, long to, NodeAddress address, string reason)
    {
        public int Shard { get; } = shard;

        public long Term { get; } = term;

        public long To { get; } = to;

        public NodeAddress Address { get; } = address;

        public string Reason { get; } = reason;

        public bool HasTasks { get; init; }

        public TimeSpan WarmUntil { get; init; }

        public bool Releasing { get; set; }

        public bool Asking { get; set; }

        public TimeSpan AgainAt { get; set; }
    }
}
