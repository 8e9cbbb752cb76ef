using ActorTrainer.Core.Checkpoints;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Tasks;

namespace ActorTrainer.Cluster.Rows;

/// <summary>
/// The unfinished tasks of the cluster in the memory of a node: placement, submits and lists read here instead of into the database.
/// Thread-safe.
/// </summary>
internal sealed class TaskIndex
{
    private readonly Lock _gate = new();
    private readonly Dictionary<TaskId, TaskRow> _tasks = [];
    private readonly Dictionary<string, TaskId> _names = new(StringComparer.Ordinal);
    private readonly Dictionary<long, Dictionary<TaskId, TaskRow>> _byOwner = [];
    private readonly Dictionary<int, Dictionary<TaskId, TaskRow>> _byShard = [];
    private readonly Dictionary<TaskId, TaskRow> _restless = [];
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
                return _all ??= [.. _tasks.Values.OrderBy(row => row.Summary.Task)];
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

    /// <summary>
    /// How large the largest state is that a task of another life has saved, in bytes, of those that are read into memory: trainers' own.
    /// 0: there is none.
    /// </summary>
    public long LargestStateBut(long life) =>
        All.Where(row => row.Owner != 0 && row.Owner != life)
            .Select(row => row.Summary.LastCheckpoint)
            .OfType<CheckpointRef>()
            .Where(checkpoint => checkpoint.Reason is not (CheckpointReasons.Files or CheckpointReasons.Inferred))
            .Select(checkpoint => checkpoint.Bytes)
            .DefaultIfEmpty(0)
            .Max();

    /// <summary>How many unfinished tasks a shard has.</summary>
    public int CountIn(int shard)
    {
        lock (_gate)
        {
            return _byShard.TryGetValue(shard, out Dictionary<TaskId, TaskRow>? tasks) ? tasks.Count : 0;
        }
    }

    /// <summary>The unfinished tasks of a shard, by id.</summary>
    public IReadOnlyList<TaskRow> In(int shard)
    {
        lock (_gate)
        {
            return _byShard.TryGetValue(shard, out Dictionary<TaskId, TaskRow>? tasks)
                ? [.. tasks.Values.OrderBy(row => row.Summary.Task)]
                : [];
        }
    }

    /// <summary>
    /// The tasks whose owner is none of these lives, highest priority first, then by id; those that nobody has had yet among them.
    /// </summary>
    /// <param name="lives">The lives.</param>
    /// <param name="which">Which tasks.</param>
    public IReadOnlyList<TaskRow> NotOwnedBy(IReadOnlySet<long> lives, Func<TaskRow, bool> which)
    {
        lock (_gate)
        {
            return ByPriority(_byOwner.Where(owner => !lives.Contains(owner.Key)).SelectMany(owner => owner.Value.Values).Where(which));
        }
    }

    /// <summary>The tasks of a life that may not rest, in no order: few even where thousands wait.</summary>
    /// <param name="life">The life.</param>
    public IReadOnlyList<TaskRow> RestlessOf(long life)
    {
        lock (_gate)
        {
            return [.. _restless.Values.Where(row => row.Owner == life)];
        }
    }

    /// <summary>Some tasks, highest priority first, then by id.</summary>
    /// <param name="which">Which tasks.</param>
    public IReadOnlyList<TaskRow> Where(Func<TaskRow, bool> which)
    {
        lock (_gate)
        {
            return ByPriority(_tasks.Values.Where(which));
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

        if (row.Summary.IsFinished || RestPolicy.MayRest(row.Summary.Status))
        {
            _restless.Remove(task);
        }
        else
        {
            _restless[task] = row;
        }

        if (row.Summary.IsFinished)
        {
            _tasks.Remove(task);
            _names.Remove(row.Summary.Name);
            return;
        }

        _tasks[task] = row;
        _names[row.Summary.Name] = task;
        Add(_byShard, row.Summary.Shard, row);
        Add(_byOwner, row.Owner, row);
    }

    private static TaskRow[] ByPriority(IEnumerable<TaskRow> rows) =>
        [.. rows.OrderByDescending(row => row.Summary.Priority).ThenBy(row => row.Summary.Task)];

    private static void Add<TKey>(Dictionary<TKey, Dictionary<TaskId, TaskRow>> groups, TKey key, TaskRow row)
        where TKey : notnull
    {
        if (!groups.TryGetValue(key, out Dictionary<TaskId, TaskRow>? tasks))
        {
            groups[key] = tasks = [];
        }

        tasks[row.Summary.Task] = row;
    }

    private static void Remove<TKey>(Dictionary<TKey, Dictionary<TaskId, TaskRow>> groups, TKey key, TaskId task)
        where TKey : notnull
    {
        if (groups[key] is { } tasks && tasks.Remove(task) && tasks.Count == 0)
        {
            groups.Remove(key);
        }
    }
}
