using System.Collections.Immutable;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Sharding;

namespace ActorTrainer.Core.Placement;

/// <summary>Where a shard is to go.</summary>
/// <param name="From">Who has it; 0: nobody.</param>
/// <param name="To">Who gets it.</param>
/// <param name="Until">When this is forgotten if nobody asked for it.</param>
/// <param name="Reason">As in <see cref="ShardMove.Reason"/>.</param>
/// <param name="Warmed">Whether the destination may have begun to get ready: then it stays the destination while it accepts.</param>
/// <param name="Quiet">Whether nothing of it ran when this was planned, so that the move interrupts nobody.</param>
internal sealed record PlannedPlace(long From, long To, TimeSpan Until, string Reason, bool Warmed, bool Quiet);

/// <summary>
/// A shard with its unfinished tasks, its owner and its plans. The totals are kept with every change, so that a decision about it need not
/// look at its tasks again.
/// </summary>
internal sealed class PlacedShard(int number)
{
    /// <summary>Somebody has the shard, but nobody can say yet which life that is.</summary>
    public const long UnknownLife = -1;

    /// <summary>
    /// A shard without tasks on record that was just given away is about to get one, and what that asks is not known yet: most take one
    /// slot.
    /// </summary>
    private const int UnknownDemand = 1;

    private static readonly long[] Nobody = [];
    private static readonly ImmutableSortedDictionary<long, int> NothingNear = ImmutableSortedDictionary<long, int>.Empty;
    private readonly SortedDictionary<TaskId, PlacedTask> _tasks = [];
    private long _shownOn;

    public int Number { get; } = number;

    public IReadOnlyCollection<PlacedTask> Tasks => _tasks.Values;

    public bool HasTasks => _tasks.Count > 0;

    /// <summary>Its owner, as the keeper of ownership says or as it was given; 0: none.</summary>
    public long Owner { get; set; }

    /// <summary>Until when the gift to <see cref="Owner"/> is taken for true although nobody shows it; null: it was shown.</summary>
    public TimeSpan? GivenUntil { get; set; }

    public PlannedPlace? Plan { get; set; }

    /// <summary>Who has it now; what the tasks' rows say where the keeper of ownership was not heard. 0: nobody.</summary>
    public long Holder => Owner != 0 ? Owner : _shownOn;

    /// <summary>The life that its load is counted at: where it goes, otherwise where it is.</summary>
    public long Home => Plan?.To ?? Holder;

    public ShardLoad Load => !HasTasks && GivenUntil is not null ? new ShardLoad(UnknownDemand, 0) : Totals;

    /// <summary>The highest priority among its tasks; <see cref="int.MinValue"/> when it has none.</summary>
    public int Priority { get; private set; } = int.MinValue;

    /// <summary>Slots of its tasks that run.</summary>
    public int Running { get; private set; }

    /// <summary>Slots of the task that is served first.</summary>
    public int Head { get; private set; }

    /// <summary>Slots of its largest task: a smaller node can never run it.</summary>
    public int Largest { get; private set; }

    /// <summary>Lives that its tasks avoid.</summary>
    public IReadOnlyList<long> Avoid { get; private set; } = Nobody;

    /// <summary>How many of its tasks' last checkpoints a life has near.</summary>
    public IReadOnlyDictionary<long, int> Near { get; private set; } = NothingNear;

    private ShardLoad Totals { get; set; }

    /// <summary>Whether the rows of all its tasks name this life.</summary>
    public bool IsAllOn(long life) => _tasks.Values.All(t => t.Demand.On == life);

    /// <summary>Nobody has it, whatever its tasks' rows say, and it is planned for nobody.</summary>
    public void Disown()
    {
        (Owner, GivenUntil, Plan, _shownOn) = (0, null, null, 0);
    }

    /// <summary>Takes a task as it is now; returns how many tasks were looked at.</summary>
    public int Show(TaskDemand demand, TimeSpan now)
    {
        if (_tasks.TryGetValue(demand.Task, out PlacedTask? known))
        {
            known.Show(demand, now);
        }
        else
        {
            _tasks[demand.Task] = new PlacedTask(demand, now);
        }

        if (GivenUntil is not null && (demand.On == Owner || demand.On == 0))
        {
            GivenUntil = null;
        }

        return Sum();
    }

    /// <summary>Forgets a task that has ended; returns how many tasks were looked at.</summary>
    public int Remove(TaskId task)
    {
        // It is not about to get a task any more: it had it.
        GivenUntil = _tasks.Remove(task) ? null : GivenUntil;
        return Sum();
    }

    private int Sum()
    {
        (Priority, Running, Head, Largest, _shownOn) = (int.MinValue, 0, 0, 0, 0);
        (int demand, int alone) = (0, 0);
        SortedSet<long>? avoid = null;
        SortedDictionary<long, int>? near = null;
        int headPriority = int.MinValue;
        foreach (PlacedTask placed in _tasks.Values)
        {
            TaskDemand task = placed.Demand;
            demand += task.Slots;
            alone += task.Alone && task.Slots > 0 ? 1 : 0;
            Running += task.Runs ? task.Slots : 0;
            Largest = Math.Max(Largest, task.Slots);
            Priority = Math.Max(Priority, task.Priority);
            _shownOn = Math.Max(_shownOn, task.On);
            if (task.Slots > 0 && task.Priority > headPriority)
            {
                (headPriority, Head) = (task.Priority, task.Slots);
            }

            if (task.Avoid != 0 && task.Slots > 0)
            {
                (avoid ??= []).Add(task.Avoid);
            }

            if (task.Unfit.Count > 0 && task.Slots > 0)
            {
                (avoid ??= []).UnionWith(task.Unfit);
            }

            foreach (long life in task.Near)
            {
                near ??= [];
                near[life] = near.GetValueOrDefault(life) + 1;
            }
        }

        Avoid = avoid is null ? Nobody : [.. avoid];
        Near = near is null ? NothingNear : near;
        Totals = new ShardLoad(demand, alone);
        return _tasks.Count;
    }
}
