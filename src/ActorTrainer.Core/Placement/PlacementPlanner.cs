using ActorTrainer.Core.Configuration;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Sharding;

namespace ActorTrainer.Core.Placement;

/// <summary>
/// Decides who gets a shard that has no owner, and which shards go elsewhere. It is told of every change (members, tasks, owners) and keeps
/// the loads, so an answer costs as much as there are nodes and tasks of that shard. Who carries plans out asks in two steps, take away and
/// give, so what was planned is kept until it was given, and what was given until the owner shows it. The same changes in the same order
/// give the same answers; time is handed in, on a clock that only goes forward. Not safe for several threads.
/// </summary>
/// <param name="model">Strategy, limits and times.</param>
public sealed class PlacementPlanner(ShardingModel model)
{
    /// <summary>For how long what was given is taken for true although neither a row nor the keeper of ownership shows it.</summary>
    public static readonly TimeSpan Lag = TimeSpan.FromSeconds(10);

    private readonly PlacementBook _book = new();
    private readonly SortedDictionary<int, (long To, TimeSpan Until)> _requests = [];
    private readonly MoveMemory _memory = new();
    private TimeSpan _nextExpiry = TimeSpan.MaxValue;

    /// <summary>How many nodes, shards and tasks were looked at so far, for tests of how work grows.</summary>
    internal long Visits => _book.Visits + _book.Loads.Visits;

    /// <summary>Grows whenever <see cref="Place"/> may answer something else than before.</summary>
    public long Version => _book.Version;

    /// <summary>Ids of all tasks that were shown and not removed, in order.</summary>
    public IEnumerable<TaskId> Tasks => _book.Tasks;

    /// <summary>
    /// Takes the members as they are now. When one accepts that did not, what is planned for lost shards but not warmed is planned anew.
    /// </summary>
    /// <param name="nodes">All members that may own shards.</param>
    public void SetNodes(IReadOnlyList<NodeCapacity> nodes)
    {
        ArgumentNullException.ThrowIfNull(nodes);
        HashSet<long> before = [.. _book.Loads.Accepting.Select(n => n.Life)];
        _book.SetNodes(nodes);
        bool joined = _book.Loads.Accepting.Any(n => !before.Contains(n.Life));
        foreach (PlacedShard shard in _book.Planned.ToArray())
        {
            bool again = joined && shard.Plan is { Reason: MoveReasons.Lost, Warmed: false };
            if (again || !_book.Loads.Accepts(shard.Plan!.To))
            {
                _book.Change(shard.Number, s => s.Plan = null);
            }
        }
    }

    /// <summary>Takes an unfinished task as it is now.</summary>
    public void Show(TaskDemand task, TimeSpan now)
    {
        ArgumentNullException.ThrowIfNull(task);
        _book.Show(task, now);
        if (_book.Find(task.Shard) is { Owner: 0, Plan: { } plan } shard && shard.IsAllOn(plan.To))
        {
            // Its tasks rest, so nobody has to be given the shard: with their rows it has arrived.
            Settle(shard.Number, now);
        }
    }

    /// <summary>Forgets a task that has ended.</summary>
    public void Remove(TaskId task) => _book.Remove(task);

    /// <summary>Somebody got a shard.</summary>
    /// <param name="shard">The shard.</param>
    /// <param name="life">Its owner; 0 when somebody has it but not known which life that is.</param>
    public void Own(int shard, long life)
    {
        long owner = life == 0 ? PlacedShard.UnknownLife : life;
        if (_book.Find(shard) is { } known && known.Owner == owner && known.GivenUntil is null && known.Plan?.To != owner)
        {
            return;
        }

        _book.Change(
            shard,
            s =>
            {
                s.GivenUntil = s.HasTasks || s.Owner != owner ? null : s.GivenUntil;
                s.Owner = owner;

                // It has arrived; or it was lost, planned for one node and taken by another.
                s.Plan =
                    s.Plan is { } plan && (plan.To == owner || (plan.Reason == MoveReasons.Lost && _book.Loads.IsMember(owner)))
                        ? null
                        : s.Plan;
            }
        );
    }

    /// <summary>Takes the owners as they are now; what was given and is not among them yet stays given for <see cref="Lag"/>.</summary>
    /// <param name="owned">Owner of every shard that has one; 0: not known which life.</param>
    public void SetOwners(IReadOnlyDictionary<int, long> owned)
    {
        ArgumentNullException.ThrowIfNull(owned);
        foreach ((int shard, long owner) in owned.OrderBy(o => o.Key))
        {
            Own(shard, owner);
        }

        foreach (
            PlacedShard shard in _book.Shards.Where(s => s.Owner != 0 && s.GivenUntil is null && !owned.ContainsKey(s.Number)).ToArray()
        )
        {
            _book.Change(shard.Number, s => s.Owner = 0);
        }
    }

    /// <summary>
    /// Whether the owners known here can be those that somebody counted: then <see cref="SetOwners"/> need not be called. What was given
    /// lately may or may not be counted already.
    /// </summary>
    /// <param name="counts">How many shards each life has.</param>
    public bool OwnersAgree(IReadOnlyDictionary<long, int> counts)
    {
        ArgumentNullException.ThrowIfNull(counts);
        IReadOnlyDictionary<long, int> owned = _book.OwnedCounts;
        return owned.All(o => Agrees(o.Key, counts.GetValueOrDefault(o.Key))) && counts.All(c => c.Value == 0 || owned.ContainsKey(c.Key));

        bool Agrees(long life, int count) => count <= owned[life] && count >= owned[life] - _book.GivenCounts.GetValueOrDefault(life);
    }

    /// <summary>
    /// Somebody asked for a move. It is planned with the next plan, and forgotten when the shard is there or after <c>move-timeout</c>.
    /// </summary>
    public void Request(int shard, long to, TimeSpan now) => _requests[shard] = (to, Expires(now + model.MoveTimeout));

    /// <summary>The life that gets a shard which nobody has; 0 when none accepts.</summary>
    /// <param name="shard">The shard.</param>
    /// <param name="now">The time.</param>
    public long Allocate(int shard, TimeSpan now)
    {
        Expire(now);
        if (_requests.Remove(shard, out (long To, TimeSpan _) request) && _book.Loads.Accepts(request.To))
        {
            return Give(shard, request.To, now);
        }

        if (_book.Find(shard)?.Plan is { } plan && _book.Loads.Accepts(plan.To))
        {
            return Give(shard, plan.To, now);
        }

        if (_book.Find(shard) is { Owner: 0, HasTasks: true } resting && _book.Loads.Accepts(resting.Holder))
        {
            // Nobody was given it so far, but that is where its resting tasks are.
            return Give(shard, resting.Holder, now);
        }

        // Counted nowhere while it is chosen for; whoever had it has it no more.
        PlacedShard placed = _book.Change(shard, s => s.Disown());
        if (placed.HasTasks)
        {
            ReserveOrphans(placed, warmed: false, now);
            return placed.Plan is { } reserved ? Give(shard, reserved.To, now) : 0;
        }

        return _book.Loads.Choose(model.Allocation, placed) is { } node ? Give(shard, node.Life, now) : 0;
    }

    /// <summary>
    /// The life that a shard's resting tasks belong to: that which has the shard, otherwise that to which it goes when somebody asks for
    /// it; a shard without either is planned for. 0: nobody accepts, or it is not known who has it.
    /// </summary>
    public long Place(int shard, TimeSpan now)
    {
        Expire(now);
        if (_book.Find(shard) is not { HasTasks: true } placed || placed.Owner == PlacedShard.UnknownLife)
        {
            return 0;
        }

        if (_book.Loads.IsMember(placed.Owner))
        {
            return placed.Owner;
        }

        if (!_book.Loads.IsMember(placed.Home))
        {
            ReserveOrphans(null, warmed: false, now);
        }

        return placed.Plan is { } plan && _book.Loads.Accepts(plan.To) ? plan.To
            : _book.Loads.IsMember(placed.Holder) ? placed.Holder
            : 0;
    }

    /// <summary>
    /// A life has died: every shard with tasks that it had gets its next owner now, in order of priority, and that is what
    /// <see cref="Allocate"/> will answer for as long as the destination accepts.
    /// </summary>
    /// <param name="life">The life; it stays dead here although <see cref="SetNodes"/> may still list it.</param>
    /// <param name="now">The time.</param>
    /// <returns>Where the tasks that ran there go on, highest priority first: the destinations can get ready.</returns>
    public IReadOnlyList<PlannedHeir> FailOver(long life, TimeSpan now)
    {
        Expire(now);
        PlacedShard[] had = [.. _book.Shards.Where(s => s.Holder == life && s.Running > 0)];
        _book.RemoveLife(life);
        foreach (PlacedShard shard in _book.Planned.Where(s => s.Plan!.To == life).ToArray())
        {
            _book.Change(shard.Number, s => s.Plan = null);
        }

        ReserveOrphans(null, warmed: true, now);
        return Heirs(had, s => s.Plan?.To ?? 0);
    }

    /// <summary>
    /// Where the tasks that run on a life would go on if it died now, highest priority first. Changes nothing: <see cref="FailOver"/> does
    /// it.
    /// </summary>
    /// <param name="life">The life.</param>
    /// <param name="now">The time.</param>
    public IReadOnlyList<PlannedHeir> PlannedHeirs(long life, TimeSpan now)
    {
        Expire(now);
        LoadBook trial = _book.Loads.Copy();
        trial.RemoveLife(life);

        // What was on its way to it stays where it is, or has nobody again.
        PlacedShard[] coming = [.. _book.Planned.Where(s => s.Plan!.To == life && s.Holder != life)];
        foreach (PlacedShard shard in coming.Where(s => trial.IsMember(s.Holder)))
        {
            trial.Add(shard.Holder, shard.Load);
        }

        PlacedShard[] had = [.. _book.Shards.Where(s => s.Holder == life && s.HasTasks)];
        Dictionary<int, long> to = OrphanPlan
            .Make(
                had.Where(s => s.Home == life).Concat(_book.Orphans).Concat(coming.Where(s => s.HasTasks && !trial.IsMember(s.Holder))),
                trial,
                model.Allocation
            )
            .ToDictionary(m => m.Shard, m => m.To);
        return Heirs(had.Where(s => s.Running > 0), s => to.GetValueOrDefault(s.Number, s.Home == life ? 0 : s.Home));
    }

    /// <summary>What may begin to move now; changes nothing. <see cref="BeginMoves"/> begins it.</summary>
    /// <param name="moving">Shards that move already.</param>
    /// <param name="now">The time.</param>
    public IReadOnlyList<ShardMove> PlanMoves(IReadOnlySet<int> moving, TimeSpan now)
    {
        ArgumentNullException.ThrowIfNull(moving);
        SortedDictionary<int, long> requests = [];
        foreach ((int shard, (long to, TimeSpan until)) in _requests)
        {
            if (until > now)
            {
                requests[shard] = to;
            }
        }

        return new MovePlan(_book, _memory, model, moving, now).Make(requests);
    }

    /// <summary>
    /// Plans as <see cref="PlanMoves"/> does and keeps the destinations for <see cref="Allocate"/>, at most for <c>move-timeout</c>.
    /// </summary>
    public IReadOnlyList<ShardMove> BeginMoves(IReadOnlySet<int> moving, TimeSpan now)
    {
        Expire(now);
        IReadOnlyList<ShardMove> plan = PlanMoves(moving, now);
        foreach (ShardMove move in plan)
        {
            TimeSpan until = _book.Find(move.Shard)?.Plan is { } known ? known.Until : now + model.MoveTimeout;
            until = _requests.Remove(move.Shard, out (long _, TimeSpan Until) request) ? request.Until : until;
            bool quiet = _book.Find(move.Shard) is { } shard && (shard.Plan?.Quiet ?? shard.Running == 0);
            Plan(move.Shard, new PlannedPlace(move.From, move.To, until, move.Reason, Warmed: true, quiet));
        }

        return plan;
    }

    /// <summary>Everything that would leave a node if it were drained now, in the order in which it would. Changes nothing.</summary>
    public IReadOnlyList<ShardMove> PlanDrain(long life)
    {
        LoadBook trial = _book.Loads.Copy();
        trial.RemoveLife(life);
        return
        [
            .. OrphanPlan
                .Make(_book.Shards.Where(s => s.HasTasks && s.Home == life), trial, model.Allocation)
                .Select(m => m with { From = life, Reason = MoveReasons.Drain }),
        ];
    }

    /// <summary>Whether a life has no shard with unfinished tasks any more and gets none.</summary>
    public bool IsEmpty(long life) => !_book.Shards.Any(s => s.HasTasks && (s.Holder == life || s.Home == life));

    /// <summary>The node for a task of so many slots; 0 when none accepts. Changes nothing.</summary>
    /// <param name="slots">Its demand.</param>
    /// <param name="except">A life that it must not be; 0: none.</param>
    public long ChooseNode(int slots, long except = 0)
    {
        LoadBook trial = _book.Loads.Copy();
        trial.RemoveLife(except);
        PlacedShard task = new(-1);
        task.Show(new TaskDemand(TaskId.Parse("new"), -1, 0, slots, Waiting: true, 0, Alone: false), TimeSpan.Zero);
        return trial.Choose(model.Allocation, task)?.Life ?? 0;
    }

    /// <summary>The life that a shard is on its way to, otherwise that which has it; 0: none.</summary>
    public long HomeOf(int shard) => Math.Max(0, _book.Find(shard)?.Home ?? 0);

    private static List<PlannedHeir> Heirs(IEnumerable<PlacedShard> shards, Func<PlacedShard, long> to) =>
        [
            .. shards
                .SelectMany(s =>
                    s.Tasks.Where(t => t.Demand.Runs)
                        .Select(t => (t.Demand.Priority, Heir: new PlannedHeir(t.Demand.Task, s.Number, to(s))))
                )
                .Where(h => h.Heir.To != 0)
                .OrderByDescending(h => h.Priority)
                .ThenBy(h => h.Heir.Task)
                .Select(h => h.Heir),
        ];

    /// <summary>Plans all orphans at once, so that the highest priority goes first in whatever order they are asked for.</summary>
    private void ReserveOrphans(PlacedShard? also, bool warmed, TimeSpan now)
    {
        IEnumerable<PlacedShard> orphans = also is null || _book.Orphans.Contains(also) ? _book.Orphans : _book.Orphans.Append(also);
        foreach (ShardMove move in OrphanPlan.Make(orphans.ToArray(), _book.Loads.Copy(), model.Allocation))
        {
            Plan(move.Shard, new PlannedPlace(move.From, move.To, now + model.MoveTimeout, MoveReasons.Lost, warmed, Quiet: true));
        }
    }

    private void Plan(int shard, PlannedPlace plan)
    {
        Expires(plan.Until);
        _book.Change(shard, s => s.Plan = plan);
    }

    private long Give(int shard, long to, TimeSpan now)
    {
        Settle(shard, now);
        _book.Change(
            shard,
            s =>
            {
                s.Owner = to;
                s.GivenUntil = Expires(now + Lag);
            }
        );
        return to;
    }

    /// <summary>What was planned for a shard has come about.</summary>
    private void Settle(int shard, TimeSpan now)
    {
        if (_book.Find(shard)?.Plan is { } plan)
        {
            _memory.Remember(shard, plan, Expires(now + MovePolicy.NotBackWithin));
            _book.Change(shard, s => s.Plan = null);
        }
    }

    private TimeSpan Expires(TimeSpan at)
    {
        _nextExpiry = at < _nextExpiry ? at : _nextExpiry;
        return at;
    }

    private void Expire(TimeSpan now)
    {
        if (now < _nextExpiry)
        {
            return;
        }

        foreach (PlacedShard shard in _book.Planned.Where(s => s.Plan!.Until <= now).ToArray())
        {
            _book.Change(shard.Number, s => s.Plan = null);
        }

        foreach (PlacedShard shard in _book.Given.Where(s => s.GivenUntil <= now).ToArray())
        {
            _book.Change(shard.Number, s => s.GivenUntil = null);
        }

        foreach (int shard in _requests.Where(r => r.Value.Until <= now).Select(r => r.Key).ToArray())
        {
            _requests.Remove(shard);
        }

        _memory.Expire(now);
        _nextExpiry = _book
            .Planned.Select(s => s.Plan!.Until)
            .Concat(_book.Given.Select(s => s.GivenUntil!.Value))
            .Concat(_requests.Values.Select(r => r.Until))
            .Append(_memory.NextExpiry)
            .Min();
    }
}
