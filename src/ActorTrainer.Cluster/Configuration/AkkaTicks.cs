using Akka.Cluster.Sharding;
using AkkaCluster = Akka.Cluster.Cluster;

namespace ActorTrainer.Cluster.Configuration;

/// <summary>
/// What Akka's timers send to the actors that they keep going. These messages are Akka's own, so they are looked for by their names; an
/// Akka that has others is left with its timers, at a short interval.
/// </summary>
internal static class AkkaTicks
{
    /// <summary>For the actor that keeps a member's gossip: exchange it, look for silent members, act as the leader.</summary>
    public static IReadOnlyList<object?> ForGossip { get; } =
    [
        .. ((string[])["GossipTick", "ReapUnreachableTick", "LeaderActionsTick"]).Select(name =>
            Find(typeof(AkkaCluster), $"Akka.Cluster.InternalClusterAction+{name}")
        ),
    ];

    /// <summary>For the region of the shards: ask again for the places that are not known yet.</summary>
    public static object? ForRegion { get; } = Find(typeof(ClusterSharding), "Akka.Cluster.Sharding.ShardRegion+Retry");

    /// <summary>Whether this version of Akka has all of them.</summary>
    public static bool AreKnown => ForRegion is not null && !ForGossip.Contains(null);

    /// <summary>A message of Akka's own that there is one of, or null.</summary>
    /// <param name="neighbour">Any type of its assembly.</param>
    /// <param name="name">Of its type.</param>
    public static object? Find(Type neighbour, string name) =>
        neighbour.Assembly.GetType(name) is { } type
            ? type.GetProperty("Instance")?.GetValue(null) ?? type.GetField("Instance")?.GetValue(null)
            : null;
}
