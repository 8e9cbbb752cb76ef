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
public sealed record TaskDemand(Identity.TaskId Task, int Shard, int Priority, int Slots, bool Waiting, long Avoid, bool Alone);

/// <summary>One move of a plan.</summary>
/// <param name="Shard">The shard.</param>
/// <param name="From">Its owner, or 0 when it has none.</param>
/// <param name="To">The node that gets it.</param>
/// <param name="Priority">The highest priority among its tasks; <see cref="int.MinValue"/> when it has none.</param>
/// <param name="HasTasks">Whether it has unfinished tasks: such a move is a migration.</param>
/// <param name="Reason">Why: lost, drain, slots, balance, elsewhere, request.</param>
public sealed record ShardMove(int Shard, long From, long To, int Priority, bool HasTasks, string Reason);
