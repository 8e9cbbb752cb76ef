using ActorTrainer.Core.Identity;

namespace ActorTrainer.Core.Placement;

/// <summary>Where a task that ran on a life that has died goes on.</summary>
/// <param name="Task">The task.</param>
/// <param name="Shard">Its shard.</param>
/// <param name="To">The life that gets it.</param>
public readonly record struct PlannedHeir(TaskId Task, int Shard, long To);
