using ActorTrainer.Core.Identity;

namespace ActorTrainer.Core.Sharding;

/// <summary>
/// The tasks of one node that wait for slots at rest, in the order in which they get them. Whoever gives the slots wakes those that could
/// have some. Tasks that are awake may be among these; they are passed over.
/// </summary>
/// <param name="slots">The node's capacity: tasks that are larger never get anything here and are not kept.</param>
public sealed class RestingTasks(int slots)
{
    /// <summary>
    /// Tasks that were taken over from another life leave slots to those that were interrupted with it for that long: these have to be
    /// recovered first.
    /// </summary>
    public static readonly TimeSpan TakeOverPatience = TimeSpan.FromSeconds(2);

    /// <summary>A task that was woken has its slots kept for that long.</summary>
    public static readonly TimeSpan ComesWithin = TimeSpan.FromSeconds(5);

    /// <summary>One that has not come is woken again after that long; others may have its slots until then.</summary>
    public static readonly TimeSpan AgainAfter = TimeSpan.FromSeconds(30);

    private readonly SortedSet<SlotCandidate> _order = new(SlotPolicy.Order);
    private readonly Dictionary<TaskId, Rest> _rests = [];

    /// <summary>How many there are, awake ones included.</summary>
    public int Count => _rests.Count;

    /// <summary>A task of this node waits for slots.</summary>
    /// <param name="task">The task.</param>
    /// <param name="from">From when on it may be woken, if it was not known; see <see cref="TakeOverPatience"/>.</param>
    public void Put(SlotCandidate task, TimeSpan from)
    {
        if (task.Slots > slots)
        {
            Remove(task.Task);
        }
        else if (_rests.TryGetValue(task.Task, out Rest? known) && known.Task == task)
        {
            return;
        }
        else
        {
            Remove(task.Task);
            _order.Add(task);
            _rests[task.Task] = known is null ? new Rest(task, from) : known with { Task = task };
        }
    }

    /// <summary>A task does not wait here any more.</summary>
    public void Remove(TaskId task)
    {
        if (_rests.Remove(task, out Rest? known))
        {
            _order.Remove(known.Task);
        }
    }

    /// <summary>A task is awake: the next time that it rests it may be woken at once.</summary>
    public void Awake(TaskId task, TimeSpan now)
    {
        if (_rests.TryGetValue(task, out Rest? known) && (known.WokenAt is not null || known.From > now))
        {
            _rests[task] = new Rest(known.Task, now);
        }
    }

    /// <summary>The first ones that may have slots.</summary>
    /// <param name="most">How many of them.</param>
    /// <param name="isAwake">Whether a task is awake.</param>
    /// <param name="now">The time.</param>
    public IEnumerable<SlotCandidate> First(int most, Func<TaskId, bool> isAwake, TimeSpan now) =>
        _order.Where(task => !isAwake(task.Task) && _rests[task.Task].MayCome(now)).Take(most);

    /// <summary>Whether one is to be woken now; from then on its slots are kept for a while.</summary>
    public bool Wake(TaskId task, TimeSpan now)
    {
        if (!_rests.TryGetValue(task, out Rest? known) || now - known.WokenAt < ComesWithin)
        {
            return false;
        }

        _rests[task] = known with { WokenAt = now };
        return true;
    }

    private sealed record Rest(SlotCandidate Task, TimeSpan From)
    {
        public TimeSpan? WokenAt { get; init; }

        public bool MayCome(TimeSpan now) =>
            now >= From && (WokenAt is not { } woken || now - woken < ComesWithin || now - woken >= AgainAfter);
    }
}
