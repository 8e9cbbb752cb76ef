using ActorTrainer.Core.Identity;

namespace ActorTrainer.Cluster.Rows;

/// <summary>
/// The unfinished tasks of the cluster in the memory of a node: placement, submits and lists read here instead of into the database.
/// Thread-safe.
/// </summary>
internal sealed class TaskIndex
{
    private readonly Lock _gate = new();
    private readonly SortedDictionary<TaskId, TaskRow> _tasks = [];
    private readonly Dictionary<string, TaskId> _names = new(StringComparer.Ordinal);
    private readonly SortedDictionary<long, HashSet<TaskId>> _byOwner = [];
    private readonly Dictionary<int, HashSet<TaskId>> _byShard = [];
    private IReadOnlyList<TaskRow>? _all;
    private long _version;

    /// <summary>Raised after changes with the rows that are new, on the thread that brought them; must return at once.</summary>
    public event Action<IReadOnlyList<TaskRow>>? Changed;

    /// <summary>Grows with every change.</summary>
    public long Version => Interlocked.Read(ref _version);

    /// <summary>All unfinished tasks, by id.</summary>
    public IReadOnlyList<TaskRow> All
    {
        get
        {
            lock (_gate)
            {
                return _all ??= [.. _tasks.Values];
            }
        }
    }

    public TaskRow? Find(TaskId task)
    {
        lock (_gate)
        {
            return _tasks.GetValueOrDefault(task);
        }
    }

    public TaskRow? Find(string name)
    {
        lock (_gate)
        {
            return _names.TryGetValue(name, out TaskId task) ? _tasks.GetValueOrDefault(task) : null;
        }
    }

    /// <summary>How many unfinished tasks a shard has.</summary>
    public int CountIn(int shard)
    {
        lock (_gate)
        {
            return _byShard.TryGetValue(shard, out HashSet<TaskId>? tasks) ? tasks.Count : 0;
        }
    }

    /// <summary>The unfinished tasks of a shard, by id.</summary>
    public IReadOnlyList<TaskRow> In(int shard)
    {
        lock (_gate)
        {
            return Rows(_byShard, shard);
        }
    }

    /// <summary>The tasks whose owner is none of these lives, highest priority first, then by id; those that nobody has had yet among them.</summary>
    public IReadOnlyList<TaskRow> NotOwnedBy(IReadOnlySet<long> lives)
    {
        lock (_gate)
        {
            return
            [
                .. _byOwner.Where(owner => !lives.Contains(owner.Key))
                    .SelectMany(owner => owner.Value)
                    .Select(task => _tasks[task])
                    .OrderByDescending(row => row.Summary.Priority)
                    .ThenBy(row => row.Summary.Task),
            ];
        }
    }

    /// <summary>The tasks that a life has, by id.</summary>
    public IReadOnlyList<TaskRow> OwnedBy(long life)
    {
        lock (_gate)
        {
            return Rows(_byOwner, life);
        }
    }

    /// <summary>Takes rows in; an older version of a row than the one that is known is passed over.</summary>
    public void Apply(IReadOnlyList<TaskRow> rows)
    {
        List<TaskRow> changed = [];
        lock (_gate)
        {
            foreach (TaskRow row in rows)
            {
                TaskId task = row.Summary.Task;
                TaskRow? known = _tasks.GetValueOrDefault(task);
                if (known?.Version >= row.Version || (known is null && row.Summary.IsFinished))
                {
                    continue;
                }

                changed.Add(row);
                Replace(task, known, row);
            }

            if (changed.Count == 0)
            {
                return;
            }

            _all = null;
            Interlocked.Increment(ref _version);
        }

        Changed?.Invoke(changed);
    }

    private void Replace(TaskId task, TaskRow? known, TaskRow row)
    {
        if (known is not null)
        {
            Remove(_byShard, known.Summary.Shard, task);
            Remove(_byOwner, known.Owner, task);
        }

        if (row.Summary.IsFinished)
        {
            _tasks.Remove(task);
            _names.Remove(row.Summary.Name);
            return;
        }

        _tasks[task] = row;
        _names[row.Summary.Name] = task;
        Add(_byShard, row.Summary.Shard, task);
        Add(_byOwner, row.Owner, task);
    }

    private IReadOnlyList<TaskRow> Rows<TKey>(IDictionary<TKey, HashSet<TaskId>> groups, TKey key) =>
        groups.TryGetValue(key, out HashSet<TaskId>? tasks) ? [.. tasks.Order().Select(task => _tasks[task])] : [];

    private static void Add<TKey>(IDictionary<TKey, HashSet<TaskId>> groups, TKey key, TaskId task)
    {
        if (!groups.TryGetValue(key, out HashSet<TaskId>? tasks))
        {
            groups[key] = tasks = [];
        }

        tasks.Add(task);
    }

    private static void Remove<TKey>(IDictionary<TKey, HashSet<TaskId>> groups, TKey key, TaskId task)
    {
        if (groups[key] is { } tasks && tasks.Remove(task) && tasks.Count == 0)
        {
            groups.Remove(key);
        }
    }
}
