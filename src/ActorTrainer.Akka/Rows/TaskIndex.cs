using ActorTrainer.Core.Identity;

namespace ActorTrainer.Akka.Rows;

/// <summary>
/// The unfinished tasks of the cluster in the memory of a node: placement, submits and lists look here instead of into the database.
/// Thread-safe.
/// </summary>
/// <param name="numberOfShards">Shards of the cluster.</param>
internal sealed class TaskIndex(int numberOfShards)
{
    private readonly Lock _gate = new();
    private readonly SortedDictionary<TaskId, TaskRow> _tasks = [];
    private readonly Dictionary<string, TaskId> _names = new(StringComparer.Ordinal);
    private readonly SortedDictionary<long, HashSet<TaskId>> _byOwner = [];
    private readonly int[] _perShard = new int[numberOfShards];
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
            return _perShard[shard];
        }
    }

    /// <summary>The unfinished tasks of a shard, by id.</summary>
    public IReadOnlyList<TaskRow> In(int shard)
    {
        lock (_gate)
        {
            return _perShard[shard] == 0 ? [] : [.. _tasks.Values.Where(row => row.Summary.Shard == shard)];
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
            return _byOwner.TryGetValue(life, out HashSet<TaskId>? tasks) ? [.. tasks.Order().Select(task => _tasks[task])] : [];
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
            _perShard[known.Summary.Shard]--;
            if (_byOwner[known.Owner] is { } before && before.Remove(task) && before.Count == 0)
            {
                _byOwner.Remove(known.Owner);
            }
        }

        if (row.Summary.IsFinished)
        {
            _tasks.Remove(task);
            _names.Remove(row.Summary.Name);
            return;
        }

        _tasks[task] = row;
        _names[row.Summary.Name] = task;
        _perShard[row.Summary.Shard]++;
        if (!_byOwner.TryGetValue(row.Owner, out HashSet<TaskId>? owned))
        {
            _byOwner[row.Owner] = owned = [];
        }

        owned.Add(task);
    }
}
