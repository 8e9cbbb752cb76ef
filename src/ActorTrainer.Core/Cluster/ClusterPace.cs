namespace ActorTrainer.Core.Cluster;

/// <summary>
/// How often the members exchange what they know, and how often the leader acts on it, while something changes in the cluster. A message
/// grows with the number of members, so the interval does too: what a node sends in a second stays about the same.
/// </summary>
public static class ClusterPace
{
    /// <summary>Up to this many nodes the interval is the shortest.</summary>
    public const int SmallCluster = 10;

    /// <summary>For a small cluster: a loss that is known is acted upon within two or three of these.</summary>
    public static readonly TimeSpan Shortest = TimeSpan.FromMilliseconds(50);

    /// <summary>For a large one, and while nothing changes; Akka's own default.</summary>
    public static readonly TimeSpan Longest = TimeSpan.FromSeconds(1);

    /// <summary>How often at least it is looked whether a member is silent, which nothing announces.</summary>
    private static readonly TimeSpan ShortestReaper = TimeSpan.FromMilliseconds(200);

    /// <summary>The interval for so many nodes: 50 ms up to 10, then 5 ms for each, at most 1 s.</summary>
    /// <param name="nodes">The larger of the living nodes and of those expected; less than one counts as one.</param>
    public static TimeSpan IntervalFor(int nodes)
    {
        long ticks = Shortest.Ticks * Math.Max(SmallCluster, (long)nodes) / SmallCluster;
        return TimeSpan.FromTicks(Math.Min(ticks, Longest.Ticks));
    }

    /// <summary>How often a node looks for silent members while nothing changes: <see cref="IntervalFor"/>, but not below 200 ms.</summary>
    /// <param name="nodes">As for <see cref="IntervalFor"/>.</param>
    public static TimeSpan ReaperIntervalFor(int nodes) => TimeSpan.FromTicks(Math.Max(IntervalFor(nodes).Ticks, ShortestReaper.Ticks));
}
