namespace ActorTrainer.Runtime.Workers;

/// <summary>Workers can not be run on this node; the message says why and what to do.</summary>
public sealed class WorkerHostException(string message, Exception? inner = null) : Exception(message, inner);
