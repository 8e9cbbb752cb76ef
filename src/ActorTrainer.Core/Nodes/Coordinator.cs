using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Journaling;
using ActorTrainer.Core.Membership;
using ActorTrainer.Core.Sharding;

namespace ActorTrainer.Core.Nodes;

/// <summary>
/// What the holder of the lease does: looks at the whole, again and again, and assigns what has no living owner, and asks owners to
/// move what should be elsewhere. By level, not by edge: nothing is remembered that the rows do not say.
/// </summary>
internal sealed class Coordinator(NodeContext context, LeaseKeeper lease)
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan AskAgainEvery = TimeSpan.FromSeconds(5);

    /// <summary>A member that joins owns nothing, so there is no hurry: on a machine under load it takes a while to be known.</summary>
    private static readonly TimeSpan JoinPatience = TimeSpan.FromSeconds(60);

    private readonly Dictionary<long, TimeSpan> _unknownSince = [];
    private readonly SortedDictionary<int, (long Term, long Owner, TimeSpan Until)> _activating = [];
    private readonly SortedDictionary<int, PendingMove> _moving = [];
    private readonly Dictionary<long, TimeSpan> _withoutJournal = [];
    private TimeSpan _lookAt;
    private bool _asking;

    /// <summary>Moves are asked for through here, for this node too.</summary>
    public Action<NodeAddress, RequestMoves> SendMoves { get; set; } = (_, _) => { };

    /// <summary>Called with rows that an assignment changed.</summary>
    public Action<IReadOnlyList<ShardRow>> Assigned { get; set; } = _ => { };

    /// <summary>Look at the next opportunity instead of at the next second.</summary>
    public void LookSoon() => _lookAt = context.Now;

    public void OnActive(ShardsActive active)
    {
        foreach (ShardTerm shard in active.Shards)
        {
            if (_activating.TryGetValue(shard.Shard, out var waiting) && shard.Term >= waiting.Term)
            {
                _activating.Remove(shard.Shard);
            }
        }
    }

    /// <summary>A node says that it cannot commit. What it says holds for as long as it says it.</summary>
    public void OnJournalUnreachable(long incarnation) => _withoutJournal[incarnation] = context.Now;

    public void Tick()
    {
        if (lease.Term == 0)
        {
            _activating.Clear();
            _moving.Clear();
            _unknownSince.Clear();
            return;
        }

        if (_asking || context.Now < _lookAt || context.Rows.Shards.Count == 0 || context.Ended)
        {
            return;
        }

        _lookAt = context.Now + LookEvery;
        MarkLost();
        ForgetMoves();
        if (!AssignOrphans())
        {
            Move();
        }
    }

    /// <summary>Lives that gossip has confirmed lost, or does not know for long enough, are down in the journal too.</summary>
    private void MarkLost()
    {
        foreach (MemberRow member in context.Rows.Members)
        {
            if (member.Incarnation == context.Self || member.Status is MemberStatus.Down or MemberStatus.Removed)
            {
                continue;
            }

            MemberState? state = context.View.Find(member.Incarnation)?.State;
            if (state is null)
            {
                _unknownSince.TryAdd(member.Incarnation, context.Now);
            }
            else
            {
                _unknownSince.Remove(member.Incarnation);
            }

            TimeSpan patience = member.Status == MemberStatus.Joining ? JoinPatience : context.Model.Sharding.Settle;
            bool unknown = state is null && context.Now - _unknownSince[member.Incarnation] >= patience;
            if (unknown || state is MemberState.Down or MemberState.Removed)
            {
                context.Say($"member {member.Incarnation} at {member.Address} is {(unknown ? "not known to anyone" : "confirmed lost")}", NoticeLevel.Warning);
                MemberStatus status = state == MemberState.Removed ? MemberStatus.Removed : MemberStatus.Down;
                context.Ask(new SetMemberRequest(member.Incarnation, status, null, context.Self, lease.Term), _ => { });
                if (unknown)
                {
                    context.Do(new DeclareMember(member.Incarnation, MemberState.Down));
                }
            }
        }
    }

    private bool AssignOrphans()
    {
        Dictionary<int, long> owned = [];
        List<int> orphans = [];
        Dictionary<int, long> terms = [];
        foreach (ShardRow row in context.Rows.Shards)
        {
            terms[row.Shard] = row.Term;
            if (row.Owner != 0 && IsUsable(row.Owner) && !IsStuck(row) && !IsStuckMove(row))
            {
                owned[row.Shard] = row.Owner;
            }
            else
            {
                orphans.Add(row.Shard);
            }
        }

        if (orphans.Count == 0)
        {
            return false;
        }

        IReadOnlyList<NodeCapacity> nodes = WithoutStuck(orphans);
        IReadOnlyList<ShardMove> plan = AllocationPolicy.PlanOrphans(orphans, owned, nodes, context.Demands(), context.Model.Sharding.Allocation);
        if (plan.Count == 0)
        {
            return false;
        }

        _asking = true;
        ShardAssignment[] assignments = [.. plan.Select(m => new ShardAssignment(m.Shard, terms[m.Shard], m.To))];
        context.Ask(new AssignRequest(context.Self, lease.Term, assignments), reply => OnAssigned(plan, assignments, reply));
        return true;
    }

    private void OnAssigned(IReadOnlyList<ShardMove> plan, ShardAssignment[] assignments, JournalReply reply)
    {
        _asking = false;
        if (reply is not AssignReply { LeaseHeld: true } answer)
        {
            return;
        }

        List<ShardRow> changed = [];
        for (int i = 0; i < assignments.Length; i++)
        {
            ShardRow row = answer.Rows[i];
            if (row.Term == assignments[i].ExpectedTerm + 1 && row.Owner == assignments[i].Owner)
            {
                changed.Add(row);
                _moving.Remove(row.Shard);
                if (plan[i].HasTasks)
                {
                    _activating[row.Shard] = (row.Term, row.Owner, context.Now + context.Model.Sharding.ActivationTimeout);
                }
            }
        }

        int withTasks = plan.Count(m => m.HasTasks);
        context.Say($"assigned {changed.Count} shards, {withTasks} of them with tasks");
        Assigned(changed);
        context.TellAll(new OwnershipChanged(changed.Count > 64 ? [.. changed.Where(r => _activating.ContainsKey(r.Shard))] : changed));
        LookSoon();
    }

    private void Move()
    {
        IReadOnlyList<NodeCapacity> nodes = Capacities();
        SortedDictionary<long, List<ShardMove>> byOwner = MovesToAskAgain();
        Dictionary<int, long> owned = context.Owners();
        foreach ((int shard, PendingMove pending) in _moving)
        {
            // Counted where it goes, so that the plan does not send others to the same free slots.
            owned[shard] = pending.Move.To;
        }

        IReadOnlyList<ShardMove> plan = AllocationPolicy.PlanMoves(
            owned, nodes, context.Demands(), context.Model.Sharding.Allocation, context.Model.Sharding.Rebalance && _activating.Count == 0);
        int free = context.Model.Sharding.MaxConcurrentMoves - _moving.Count;
        foreach (ShardMove move in plan)
        {
            if (_moving.ContainsKey(move.Shard) || (move.HasTasks && free-- <= 0))
            {
                continue;
            }

            Add(byOwner, move);
            if (move.HasTasks)
            {
                _moving[move.Shard] = new PendingMove(move, context.Now + context.Model.Sharding.MoveTimeout, context.Now + AskAgainEvery);
            }
        }

        foreach ((long owner, List<ShardMove> moves) in byOwner)
        {
            if (context.Row(owner) is { } row)
            {
                SendMoves(row.Address, new RequestMoves(lease.Term, moves));
            }
        }
    }

    /// <summary>Forgets moves that are done, or whose destination does not take them any more.</summary>
    private void ForgetMoves()
    {
        IReadOnlyList<NodeCapacity> nodes = Capacities();
        foreach ((int shard, PendingMove pending) in _moving.ToArray())
        {
            if (context.Rows.Shards[shard].Owner != pending.Move.From || !nodes.Any(n => n.Incarnation == pending.Move.To && n.Accepts))
            {
                _moving.Remove(shard);
            }
        }
    }

    /// <summary>A request may have been lost; an owner that has begun to move passes it over.</summary>
    private SortedDictionary<long, List<ShardMove>> MovesToAskAgain()
    {
        SortedDictionary<long, List<ShardMove>> again = [];
        foreach ((int shard, PendingMove pending) in _moving.ToArray())
        {
            if (context.Now >= pending.AskAgainAt)
            {
                _moving[shard] = pending with { AskAgainAt = context.Now + AskAgainEvery };
                Add(again, pending.Move);
            }
        }

        return again;
    }

    private static void Add(SortedDictionary<long, List<ShardMove>> byOwner, ShardMove move)
    {
        if (!byOwner.TryGetValue(move.From, out List<ShardMove>? moves))
        {
            byOwner[move.From] = moves = [];
        }

        moves.Add(move);
    }

    /// <summary>An owner that is up or hands over in order, and can commit.</summary>
    private bool IsUsable(long owner) =>
        context.Row(owner) is { } row && row.Status is MemberStatus.Up or MemberStatus.Leaving && context.IsAlive(row) && !IsWithoutJournal(owner);

    /// <summary>
    /// Whether a node says that it cannot commit while this one could for as long. When the journal comes back to all, this one hears it
    /// first perhaps; the others then have the same time to be heard.
    /// </summary>
    private bool IsWithoutJournal(long node) =>
        _withoutJournal.TryGetValue(node, out TimeSpan saidAt) && context.Now - saidAt < context.Model.Sharding.LeaseTimeout &&
        context.Now - context.JournalSteadySince >= context.Model.Sharding.JournalUnreachableAfter;

    private IReadOnlyList<NodeCapacity> Capacities() =>
        [.. context.Capacities().Select(n => IsWithoutJournal(n.Incarnation) ? n with { Accepts = false } : n)];

    /// <summary>Asked to move, and still there after the time for it.</summary>
    private bool IsStuckMove(ShardRow row) =>
        _moving.TryGetValue(row.Shard, out PendingMove? pending) && row.Owner == pending.Move.From && context.Now >= pending.Until;

    /// <summary>Assigned, and not active in time.</summary>
    private bool IsStuck(ShardRow row)
    {
        if (!_activating.TryGetValue(row.Shard, out var waiting))
        {
            return false;
        }

        if (waiting.Term != row.Term)
        {
            _activating.Remove(row.Shard);
            return false;
        }

        return context.Now >= waiting.Until;
    }

    /// <summary>A node that did not activate in time gets nothing in this round, unless nobody else is there.</summary>
    private IReadOnlyList<NodeCapacity> WithoutStuck(List<int> orphans)
    {
        HashSet<long> slow = [];
        foreach (int shard in orphans)
        {
            if (_activating.TryGetValue(shard, out var waiting) && context.Now >= waiting.Until)
            {
                slow.Add(waiting.Owner);
            }

            if (_moving.TryGetValue(shard, out PendingMove? stuck))
            {
                slow.Add(stuck.Move.From);
            }
        }

        IReadOnlyList<NodeCapacity> nodes = Capacities();
        NodeCapacity[] others = [.. nodes.Where(n => !slow.Contains(n.Incarnation))];
        return others.Any(n => n.Accepts) ? others : nodes;
    }

    private sealed record PendingMove(ShardMove Move, TimeSpan Until, TimeSpan AskAgainAt);
}
