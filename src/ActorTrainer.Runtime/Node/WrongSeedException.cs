namespace ActorTrainer.Runtime.Node;

/// <summary>A seed is a node that this one cannot join. The message says which, why and what to do.</summary>
public sealed class WrongSeedException(string message) : Exception(message);
