using System.Text.Json;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Journaling;
using ActorTrainer.Core.Sharding;
using ActorTrainer.Core.Tasks;

namespace ActorTrainer.Core.Nodes;

/// <summary>The shards that this node owns and the tasks in them, from claim to release or loss.</summary>
internal sealed class ShardHost
{
    private static readonly TimeSpan AgainAfter = TimeSpan.FromMilliseconds(250);

    private readonly NodeContext _context;
    private readonly SortedDictionary<int, OwnedShard> _shards = [];
    private readonly SortedDictionary<TaskId, TaskCell> _warming = [];
    private readonly List<ShardTerm> _newlyActive = [];

    public ShardHost(NodeContext context, TaskJournaling journaling)
    {
        _context = context;
        Journaling = journaling;
        journaling.TermOf = shard => _shards.TryGetValue(shard, out OwnedShard? owned) ? owned.Term : null;
        journaling.Refused = OnRefused;
    }

    public TaskJournaling Journaling { get; }

    public IEnumerable<OwnedShard> Shards => _shards.Values;

    public IEnumerable<TaskCell> Cells => _shards.Values.SelectMany(s => s.Cells.Values);

    public IEnumerable<TaskCell> Warming => _warming.Values;

    public OwnedShard? Find(int shard) => _shards.GetValueOrDefault(shard);

    public TaskCell? Find(TaskId task)
    {
        int shard = ShardMap.ShardOf(task, _context.Model.Sharding.NumberOfShards);
        return _shards.TryGetValue(shard, out OwnedShard? owned) && owned.Cells.TryGetValue(task, out TaskCell? cell)
            ? cell
            : _warming.GetValueOrDefault(task);
    }

    /// <summary>Takes up what the rows say this node owns and drops what another owns. Older rows than what is known are passed over.</summary>
    /// <returns>A shard whose term went back although it was known before the rows were read; null normally.</returns>
    public int? OnRows(IReadOnlyList<ShardRow> rows, TimeSpan readAt)
    {
        List<OwnedShard> claim = [];
        foreach (ShardRow row in rows)
        {
            OwnedShard? known = _shards.GetValueOrDefault(row.Shard);
            if (known is not null && row.Term < known.Term)
            {
                if (known.Since < readAt)
                {
                    return row.Shard;
                }

                continue;
            }

            if (known is not null && (row.Term > known.Term || row.Owner != _context.Self))
            {
                Drop(known);
                known = null;
            }

            if (known is null && row.Owner == _context.Self)
            {
                OwnedShard owned = new(row.Shard, row.Term, _context.Now);
                _shards[row.Shard] = owned;
                claim.Add(owned);
            }
        }

        Claim(claim);
        return null;
    }

    /// <summary>Loses everything: another life, another journal, or nobody to ask.</summary>
    public void DropAll()
    {
        foreach (OwnedShard shard in _shards.Values.ToArray())
        {
            Drop(shard);
        }

        foreach (TaskId task in _warming.Keys.ToArray())
        {
            DropWarm(task);
        }
    }

    public void Drop(OwnedShard shard)
    {
        _shards.Remove(shard.Number);
        foreach (TaskCell cell in shard.Cells.Values)
        {
            Forget(cell);
        }

        foreach ((TaskId _, TaskCommand _, Action<CommandReply> reply) in shard.Early)
        {
            reply(new CommandUnavailable("the task's shard moves to another node"));
        }
    }

    /// <summary>Adds a cell for a task that is being created in an active shard.</summary>
    public TaskCell Create(TaskId task, OwnedShard shard)
    {
        TaskCell cell = new(new TaskEntity(task, new EntityHome(_context.Self, _context.Address)), shard.Number);
        cell.Entity.Activated(shard.Term, _context.Now);
        shard.Cells[task] = cell;
        return cell;
    }

    /// <summary>Removes a cell whose task was never stored, or has ended.</summary>
    public void Remove(TaskCell cell) => Find(cell.Shard)?.Cells.Remove(cell.Entity.Task);

    public void Tick()
    {
        Claim([.. _shards.Values.Where(s => s.ClaimAgainAt <= _context.Now)]);
        Journaling.Tick(Cells);
        foreach (TaskCell cell in Cells.ToArray())
        {
            if (cell.Pending is null && cell.Waiting.Count == 0)
            {
                Journaling.Execute(cell, cell.Entity.Tick(_context.Now, _context.Random));
                if (cell.Pending is null && cell.Entity.State is { IsFinished: true } && !cell.Entity.TakesSlots && cell.Entity.IsIdle)
                {
                    Remove(cell);
                }
            }
        }

        foreach (TaskCell cell in _warming.Values.Where(c => c.WarmUntil <= _context.Now).ToArray())
        {
            DropWarm(cell.Entity.Task);
        }
    }

    /// <summary>Shards that became active since the last call.</summary>
    public IReadOnlyList<ShardTerm> TakeNewlyActive()
    {
        ShardTerm[] active = [.. _newlyActive];
        _newlyActive.Clear();
        return active;
    }

    /// <summary>Warms a task up for the term after <paramref name="term"/>; false when its slots are not free.</summary>
    public bool Warm(int shard, long term, WarmTask warm)
    {
        if (_warming.ContainsKey(warm.Task) || _shards.ContainsKey(shard) || UsedSlots() + warm.Spec.Slots > _context.Model.Slots)
        {
            return false;
        }

        TaskCell cell = new(new TaskEntity(warm.Task, new EntityHome(_context.Self, _context.Address)), shard)
        {
            WarmUntil = _context.Now + _context.Model.Sharding.MoveTimeout,
            WarmSlots = warm.Spec.Slots,
        };
        _warming[warm.Task] = cell;
        Journaling.Execute(cell, cell.Entity.Warm(warm.Spec, warm.Checkpoint, term + 1, warm.Run, _context.Now));
        return true;
    }

    public int UsedSlots() =>
        Cells.Concat(_warming.Values).Where(c => c.Entity.TakesSlots).Sum(c => c.Entity.State?.Spec.Slots ?? c.WarmSlots);

    private void DropWarm(TaskId task)
    {
        if (_warming.Remove(task, out TaskCell? cell))
        {
            Forget(cell);
        }
    }

    private void Forget(TaskCell cell)
    {
        PendingAppend? pending = cell.Pending;
        cell.Pending = null;
        pending?.Reply?.Invoke(new CommandUnavailable("the task moves to another node; ask again to learn what became of the command"));
        foreach (CellWork work in cell.Waiting)
        {
            work.Reply?.Invoke(new CommandUnavailable("the task moves to another node"));
        }

        cell.Waiting.Clear();
        foreach (TaskEffect effect in cell.Entity.Lost())
        {
            _context.Do(new StartTaskEffect(effect));
        }
    }

    private void Claim(List<OwnedShard> shards)
    {
        if (shards.Count == 0)
        {
            return;
        }

        foreach (OwnedShard shard in shards)
        {
            shard.ClaimAgainAt = null;
        }

        ClaimRequest request = new(_context.Self, [.. shards.Select(s => new ShardTerm(s.Number, s.Term))], TaskState.FoldVersion);
        _context.Ask(request, reply => OnClaimed(shards, reply));
    }

    private void OnClaimed(List<OwnedShard> shards, JournalReply reply)
    {
        OwnedShard[] current = [.. shards.Where(s => ReferenceEquals(Find(s.Number), s))];
        if (reply is not ClaimReply claimed)
        {
            foreach (OwnedShard shard in current)
            {
                shard.ClaimAgainAt = _context.Now + AgainAfter;
            }

            return;
        }

        HashSet<int> fenced = [.. claimed.Fenced.Select(r => r.Shard)];
        foreach (OwnedShard shard in current)
        {
            if (fenced.Contains(shard.Number))
            {
                Drop(shard);
            }
        }

        foreach (ClaimedTask task in claimed.Tasks)
        {
            int number = ShardMap.ShardOf(task.Task, _context.Model.Sharding.NumberOfShards);
            if (Find(number) is { Phase: ShardPhase.Claiming } shard)
            {
                Activate(shard, task);
            }
        }

        foreach (OwnedShard shard in current)
        {
            ActiveIfLoaded(shard);
        }
    }

    private void Activate(OwnedShard shard, ClaimedTask task)
    {
        TaskCell cell = _warming.Remove(task.Task, out TaskCell? warmed)
            ? warmed
            : new TaskCell(new TaskEntity(task.Task, new EntityHome(_context.Self, _context.Address)), shard.Number);
        cell.WarmUntil = null;
        cell.LastSequence = task.LastSequence;
        shard.Cells[task.Task] = cell;
        try
        {
            cell.Entity.Recover(ReadSnapshot(task.Snapshot), task.Events);
        }
        catch (Exception e) when (e is InvalidOperationException or JsonException)
        {
            shard.Cells.Remove(task.Task);
            HoldUnreadable(shard, task, e.Message);
            return;
        }

        shard.Activating++;
        Journaling.Execute(cell, cell.Entity.Activated(shard.Term, _context.Now), then: () =>
        {
            shard.Activating--;
            Journaling.Execute(cell, cell.Entity.Continue(_context.Now));
            ActiveIfLoaded(shard);
        });
    }

    /// <summary>A task whose events cannot be replayed waits for a person; its neighbours go on.</summary>
    private void HoldUnreadable(OwnedShard shard, ClaimedTask task, string problem)
    {
        string reason = $"its events cannot be replayed: {problem}";
        _context.Say($"task {task.Task} is held: {reason}", NoticeLevel.Warning);
        if (_context.Rows.Tasks.FirstOrDefault(t => t.Task == task.Task) is { Status: not Tasks.TaskStatus.Held } row)
        {
            string id = FormattableString.Invariant($"{_context.Random.NextUInt64():x16}{_context.Random.NextUInt64():x16}");
            TaskAppend append = new(
                task.Task, shard.Number, task.LastSequence, _context.Self, shard.Term, id, [new TaskHeld(reason)], row with { Status = Tasks.TaskStatus.Held, Detail = reason });
            _context.Ask(new AppendRequest([append]), _ => { });
        }
    }

    private void ActiveIfLoaded(OwnedShard shard)
    {
        if (shard is not { Phase: ShardPhase.Claiming, Activating: 0, ClaimAgainAt: null } || !ReferenceEquals(Find(shard.Number), shard))
        {
            return;
        }

        shard.Phase = ShardPhase.Active;
        _newlyActive.Add(new ShardTerm(shard.Number, shard.Term));
    }

    private static TaskState? ReadSnapshot(TaskSnapshotRow? row)
    {
        if (row is null || row.FoldVersion != TaskState.FoldVersion)
        {
            return null;
        }

        return JsonSerializer.Deserialize(row.Body, CoreJsonContext.Default.TaskState);
    }

    private void OnRefused(TaskCell cell, AppendResult result)
    {
        switch (result)
        {
            case AppendFenced fenced when Find(cell.Shard) is { } shard:
                _context.Say($"shard {cell.Shard} belongs to another owner now (term {fenced.Term}); its workers are stopped", NoticeLevel.Warning);
                Drop(shard);
                break;
            case AppendConflict conflict when Find(cell.Shard) is { } shard:
                // Another history than the one this node has in mind: forget it and read it again.
                _context.Say($"task {cell.Entity.Task} stands at sequence {conflict.LastSequence} in the journal, not {cell.LastSequence}; it is loaded again", NoticeLevel.Warning);
                Drop(shard);
                OwnedShard again = new(shard.Number, shard.Term, _context.Now);
                _shards[shard.Number] = again;
                Claim([again]);
                break;
            case AppendNameTaken:
                Remove(cell);
                break;
        }
    }
}
