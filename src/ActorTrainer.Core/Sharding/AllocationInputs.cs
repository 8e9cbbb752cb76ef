using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Tasks;

namespace ActorTrainer.Core.Sharding;

/// <summary>A node as allocation sees it.</summary>
/// <param name="Incarnation">Its life.</param>
/// <param name="Slots">Its capacity, at least 1.</param>
/// <param name="Accepts">Whether it may be given tasks: up, reachable, not cordoned.</param>
/// <param name="MustEmpty">Whether everything has to leave it: leaving, drained.</param>
public sealed record NodeCapacity(long Incarnation, int Slots, bool Accepts, bool MustEmpty);

/// <summary>An unfinished task as allocation sees it.</summary>
/// <param name="Task">The task.</param>
/// <param name="Shard">Its shard.</param>
/// <param name="Priority">Higher goes first.</param>
/// <param name="Slots">Its demand; 0 for one that does not want to run now (paused, held).</param>
/// <param name="Waiting">Whether it waits for slots.</param>
/// <param name="Avoid">A node life that should not get it, or 0.</param>
/// <param name="Alone">Whether it needs a node for itself.</param>
public sealed record TaskDemand(TaskId Task, int Shard, int Priority, int Slots, bool Waiting, long Avoid, bool Alone)
{
    /// <summary>The life that has it, as its row says; 0: none yet, or not known.</summary>
    public long On { get; init; }

    /// <summary>Number of its present or last run: tells one run from the next. 0: never started, or not known.</summary>
    public int Run { get; init; }

    /// <summary>How long its present run has lasted at least; zero: just started, or not known.</summary>
    public TimeSpan RanFor { get; init; }

    /// <summary>Steps done.</summary>
    public long Step { get; init; }

    /// <summary>Steps in all; null: not known.</summary>
    public long? TotalSteps { get; init; }

    /// <summary>Lives that could not start it; may be empty.</summary>
    public IReadOnlyList<long> Unfit { get; init; } = [];

    /// <summary>Lives that have the task's last checkpoint near (a cache, a local store); may be empty.</summary>
    public IReadOnlyList<long> Near { get; init; } = [];

    /// <summary>Whether it has its slots and trains, or restores to train.</summary>
    public bool Runs => Slots > 0 && !Waiting;

    /// <summary>What allocation sees of a task in the lists.</summary>
    /// <param name="task">An unfinished task.</param>
    /// <param name="on">The life that has it; 0: not known.</param>
    public static TaskDemand Of(TaskSummary task, long on = 0)
    {
        ArgumentNullException.ThrowIfNull(task);
        return new TaskDemand(
            task.Task,
            task.Shard,
            task.Priority,
            task.IsRunnable ? task.Slots : 0,
            task.Status is Tasks.TaskStatus.Pending or Tasks.TaskStatus.Retrying,
            task.AvoidIncarnation,
            task.Alone
        )
        {
            On = on,
            Run = task.Runs,
            Step = task.Progress.Step,
            TotalSteps = task.Progress.TotalSteps,
            Unfit = task.UnfitIncarnations ?? [],
        };
    }
}

/// <summary>One move of a plan.</summary>
/// <param name="Shard">The shard.</param>
/// <param name="From">Its owner, or 0 when it has none.</param>
/// <param name="To">The node that gets it.</param>
/// <param name="Priority">The highest priority among its tasks; <see cref="int.MinValue"/> when it has none.</param>
/// <param name="HasTasks">Whether it has unfinished tasks: such a move is a migration.</param>
/// <param name="Reason">Why: lost, drain, slots, room, balance, elsewhere, request.</param>
public sealed record ShardMove(int Shard, long From, long To, int Priority, bool HasTasks, string Reason);
