namespace ActorTrainer.Cluster;

/// <summary>How a node of the cluster ended.</summary>
/// <param name="ExitCode">What the process should exit with: 0 left in order, 1 broken.</param>
/// <param name="Failure">Why it ended, when nobody asked it to; null otherwise.</param>
public sealed record ClusterNodeEnd(int ExitCode, string? Failure);
