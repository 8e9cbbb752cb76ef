using System.Globalization;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Journaling;
using ActorTrainer.Core.Tasks;
using ActorTrainer.Journal.Tables;

namespace ActorTrainer.Journal.Memory;

/// <summary>The rows in memory. Nothing is enumerated in an order that depends on hashing.</summary>
internal sealed class MemoryTables : IJournalTables
{
    private readonly ShardRow[] _shards;
    private readonly List<MemberRow> _members = [];
    private readonly List<TaskRecord> _tasks = [];
    private readonly Dictionary<TaskId, TaskRecord> _byTask = [];
    private readonly Dictionary<string, TaskRecord> _byName = new(StringComparer.Ordinal);
    private readonly List<CheckpointListing> _checkpoints = [];
    private long _version;
    private LeaseRow _lease = new(0, 0, 0);

    public MemoryTables(int numberOfShards)
    {
        _shards = new ShardRow[numberOfShards];
        for (int i = 0; i < numberOfShards; i++)
        {
            _shards[i] = new ShardRow(i, 0, 0);
        }
    }

    public string Identity => string.Create(CultureInfo.InvariantCulture, $"memory-{_shards.Length}");

    public int NumberOfShards => _shards.Length;

    public long ReadVersion() => _version;

    public void BumpVersion() => _version++;

    public LeaseRow ReadLease() => _lease;

    public void WriteLease(LeaseRow lease) => _lease = lease;

    public ShardRow ReadShard(int shard) => shard >= 0 && shard < _shards.Length ? _shards[shard] : new ShardRow(shard, 0, 0);

    public void WriteShard(ShardRow row) => _shards[row.Shard] = row;

    public IReadOnlyList<ShardRow> ReadShards() => [.. _shards];

    public long AddMember(MemberRow member)
    {
        long incarnation = _members.Count + 1;
        _members.Add(member with { Incarnation = incarnation });
        return incarnation;
    }

    public MemberRow? FindMember(long incarnation) =>
        incarnation >= 1 && incarnation <= _members.Count ? _members[(int)incarnation - 1] : null;

    public void WriteMemberStatus(long incarnation, MemberStatus status, bool cordoned)
    {
        int index = (int)incarnation - 1;
        _members[index] = _members[index] with { Status = status, Cordoned = cordoned };
    }

    public IReadOnlyList<MemberRow> ReadMembers()
    {
        var newest = new Dictionary<NodeAddress, long>();
        foreach (MemberRow member in _members)
        {
            newest[member.Address] = member.Incarnation;
        }

        return
        [
            .. _members.Where(member =>
                member.Status is not (MemberStatus.Down or MemberStatus.Removed) || newest[member.Address] == member.Incarnation),
        ];
    }

    public TaskHead? FindTask(TaskId task) => _byTask.TryGetValue(task, out TaskRecord? record) ? record.Head : null;

    public NameOwner? FindName(string name) =>
        _byName.TryGetValue(name, out TaskRecord? record) ? new NameOwner(record.Head.Task, record.Summary.SpecHash) : null;

    public long? FindAppend(TaskHead task, long afterSequence, string appendId)
    {
        List<StoredEvent> events = _byTask[task.Task].Events;
        for (int i = events.Count - 1; i >= Math.Max(0, afterSequence); i--)
        {
            if (string.Equals(events[i].AppendId, appendId, StringComparison.Ordinal))
            {
                return i + 1;
            }
        }

        return null;
    }

    public void WriteAppend(TaskHead? head, PreparedAppend append, long lastSequence, DateTimeOffset time)
    {
        TaskAppend part = append.Append;
        PlanningFields planning = PlanningFields.Of(part.Summary);
        TaskRecord record;
        if (head is null)
        {
            record = new TaskRecord(new TaskHead(_tasks.Count + 1, part.Task, part.Shard, lastSequence, planning), part.Summary, time);
            _tasks.Add(record);
            _byTask.Add(part.Task, record);
            _byName.Add(part.Summary.Name, record);
        }
        else
        {
            record = _byTask[part.Task];
            record.Head = head with { LastSequence = lastSequence, Planning = planning };
            record.Summary = part.Summary;
            record.ChangedAt = time;
        }

        foreach (TaskEvent taskEvent in part.Events)
        {
            record.Events.Add(new StoredEvent(part.AppendId, new EventRow(part.Task, record.Events.Count + 1, part.Term, time, taskEvent)));
            FoldCheckpoint(part.Task, taskEvent, part.Term, time);
        }

        if (part.Snapshot is { } snapshot && snapshot.Sequence <= lastSequence)
        {
            record.Snapshot = snapshot;
        }
    }

    public IReadOnlyList<TaskHead> ReadUnfinished(int shard) =>
        [.. _tasks.Where(record => record.Head.Shard == shard && !record.Summary.IsFinished).Select(record => record.Head)];

    public TaskSnapshotRow? ReadSnapshot(TaskHead task) => _byTask[task.Task].Snapshot;

    public IReadOnlyList<EventRow> ReadEvents(TaskHead task, long afterSequence, int limit)
    {
        List<StoredEvent> events = _byTask[task.Task].Events;
        int from = (int)Math.Clamp(afterSequence, 0, events.Count);
        int count = Math.Min(limit, events.Count - from);
        return [.. events.GetRange(from, count).Select(stored => stored.Row)];
    }

    public IReadOnlyList<TaskSummary> ReadUnfinishedSummaries() =>
        [.. _tasks.Where(record => !record.Summary.IsFinished).Select(record => record.Summary).OrderBy(summary => summary.Task)];

    public IReadOnlyList<TaskListing> ListTasks(ListTasksRequest request)
    {
        var listings = new List<TaskListing>();
        for (int i = _tasks.Count - 1; i >= 0; i--)
        {
            TaskRecord record = _tasks[i];
            if ((!request.Unfinished || !record.Summary.IsFinished) &&
                (request.Name is null || string.Equals(request.Name, record.Summary.Name, StringComparison.Ordinal)) &&
                (request.Task is null || request.Task == record.Head.Task))
            {
                listings.Add(new TaskListing(record.Summary, record.SubmittedAt, record.ChangedAt));
            }
        }

        return listings;
    }

    public IReadOnlyList<CheckpointListing> ListCheckpoints(TaskId? task) =>
        [.. Enumerable.Reverse(_checkpoints).Where(listing => task is null || listing.Task == task)];

    /// <summary>Accepted appends whose term is below that of an earlier event of the task.</summary>
    public long CountDoubleWriters()
    {
        long count = 0;
        foreach (TaskRecord record in _tasks)
        {
            long highest = 0;
            foreach (StoredEvent stored in record.Events)
            {
                count += stored.Row.Term < highest ? 1 : 0;
                highest = Math.Max(highest, stored.Row.Term);
            }
        }

        return count;
    }

    private void FoldCheckpoint(TaskId task, TaskEvent taskEvent, long term, DateTimeOffset time)
    {
        switch (taskEvent)
        {
            case TaskCheckpointed e:
                Remove(task, e.Checkpoint.Name);
                _checkpoints.Add(new CheckpointListing(task, e.Checkpoint, term, time, Damaged: false));
                break;
            case TaskCheckpointDamaged e when IndexOf(task, e.Checkpoint) is var index and >= 0:
                _checkpoints[index] = _checkpoints[index] with { Damaged = true };
                break;
            case TaskCheckpointRemoved e:
                Remove(task, e.Checkpoint);
                break;
        }
    }

    private int IndexOf(TaskId task, string checkpoint) =>
        _checkpoints.FindIndex(listing => listing.Task == task && string.Equals(listing.Checkpoint.Name, checkpoint, StringComparison.Ordinal));

    private void Remove(TaskId task, string checkpoint)
    {
        if (IndexOf(task, checkpoint) is var index and >= 0)
        {
            _checkpoints.RemoveAt(index);
        }
    }

    private sealed record StoredEvent(string AppendId, EventRow Row);

    private sealed class TaskRecord(TaskHead head, TaskSummary summary, DateTimeOffset submittedAt)
    {
        public TaskHead Head { get; set; } = head;

        public TaskSummary Summary { get; set; } = summary;

        public DateTimeOffset SubmittedAt { get; } = submittedAt;

        public DateTimeOffset ChangedAt { get; set; } = submittedAt;

        public List<StoredEvent> Events { get; } = [];

        public TaskSnapshotRow? Snapshot { get; set; }
    }
}
