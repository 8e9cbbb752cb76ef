using Akka.Actor;

namespace ActorTrainer.Cluster.Members;

/// <summary>On the event stream of a system: the rows were read.</summary>
/// <param name="Record">What stands there.</param>
/// <param name="StartedAt">When the reading began, by <see cref="ListeningTime.Clock"/>.</param>
/// <param name="ListenedAt">The same by <see cref="ListeningTime.Now"/>.</param>
internal sealed record RowsRead(ClusterRecord Record, TimeSpan StartedAt, TimeSpan ListenedAt) : INoSerializationVerificationNeeded;

/// <summary>On the event stream of a system: somebody needs the rows anew.</summary>
internal sealed record RowsWanted : INoSerializationVerificationNeeded
{
    public static RowsWanted Instance { get; } = new();
}

/// <summary>On the event stream of a system: its life is lost, the others have gone on without it or are about to.</summary>
internal sealed record LifeLost(string Reason) : INoSerializationVerificationNeeded;

/// <summary>
/// On the event stream of a system: this node has just downed a life, 0 when its number is not known. It is still a member for a moment.
/// </summary>
internal sealed record LifeDowned(long Life) : INoSerializationVerificationNeeded;

/// <summary>On the event stream of a system: the cluster has removed a member, and what watched it hears that it is gone.</summary>
internal sealed record LifeRemoved : INoSerializationVerificationNeeded
{
    public static LifeRemoved Instance { get; } = new();
}
