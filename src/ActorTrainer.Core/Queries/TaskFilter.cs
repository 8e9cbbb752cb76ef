using ActorTrainer.Core.Identity;

namespace ActorTrainer.Core.Queries;

/// <summary>Which tasks are listed; all of them by default.</summary>
/// <param name="Unfinished">Only unfinished ones.</param>
/// <param name="Name">Only the task of this name, or null.</param>
/// <param name="Task">Only this task, or null.</param>
public sealed record TaskFilter(bool Unfinished = false, string? Name = null, TaskId? Task = null);
