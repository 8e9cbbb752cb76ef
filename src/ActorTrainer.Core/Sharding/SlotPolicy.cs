using ActorTrainer.Core.Identity;

namespace ActorTrainer.Core.Sharding;

/// <summary>A task that waits on its node for slots.</summary>
/// <param name="Task">The task.</param>
/// <param name="Priority">Higher goes first.</param>
/// <param name="Slots">Its demand.</param>
/// <param name="Alone">Whether it runs only when nothing else does.</param>
public readonly record struct SlotCandidate(TaskId Task, int Priority, int Slots, bool Alone);

/// <summary>What a node's slots are taken by now.</summary>
/// <param name="Used">Slots of the tasks that have some.</param>
/// <param name="Restoring">Tasks that restore.</param>
/// <param name="AnyRuns">Whether any task has slots.</param>
/// <param name="AloneRuns">Whether a task has slots that runs alone.</param>
public readonly record struct SlotUsage(int Used, int Restoring, bool AnyRuns, bool AloneRuns);

/// <summary>Which waiting tasks get a node's slots. Pure: the same input gives the same tasks.</summary>
public static class SlotPolicy
{
    /// <summary>The order in which tasks get slots: highest priority first, then by id.</summary>
    public static IComparer<SlotCandidate> Order { get; } =
        Comparer<SlotCandidate>.Create(
            (a, b) => b.Priority.CompareTo(a.Priority) is var order && order != 0 ? order : a.Task.CompareTo(b.Task)
        );

    /// <summary>
    /// The tasks that get slots now: highest priority first, then by id. The first that does not fit ends the giving, so that a large task
    /// is not passed by small ones for ever. A task that is larger than the node is passed over: it can never fit here and must not block
    /// the rest.
    /// </summary>
    /// <param name="waiting">Tasks that want slots, in any order.</param>
    /// <param name="usage">What is taken.</param>
    /// <param name="slots">The node's capacity.</param>
    /// <param name="maxConcurrentRestores">How many tasks may restore at once; one that gets slots restores first.</param>
    public static IReadOnlyList<TaskId> Grant(IReadOnlyList<SlotCandidate> waiting, SlotUsage usage, int slots, int maxConcurrentRestores)
    {
        ArgumentNullException.ThrowIfNull(waiting);
        List<TaskId> granted = [];
        int free = slots - usage.Used;
        int restoring = usage.Restoring;
        bool anyRuns = usage.AnyRuns;
        bool aloneRuns = usage.AloneRuns;
        foreach (SlotCandidate task in waiting.Order(Order))
        {
            if (task.Slots > slots)
            {
                continue;
            }

            if (task.Slots > free || restoring >= maxConcurrentRestores || aloneRuns || (task.Alone && anyRuns))
            {
                break;
            }

            free -= task.Slots;
            restoring++;
            anyRuns = true;
            aloneRuns = task.Alone;
            granted.Add(task.Task);
        }

        return granted;
    }
}
