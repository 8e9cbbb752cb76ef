namespace ActorTrainer.Core.Placement;

/// <summary>What a shard puts on the node that has it, or will have it.</summary>
/// <param name="Demand">Slots that its tasks want, running or not.</param>
/// <param name="Alone">Tasks among them that need a node for themselves.</param>
internal readonly record struct ShardLoad(int Demand, int Alone);
