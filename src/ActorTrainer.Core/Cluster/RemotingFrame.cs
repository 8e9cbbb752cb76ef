namespace ActorTrainer.Core.Cluster;

/// <summary>
/// How large a message between nodes may be. The largest is the state of the shards' coordinator: it names, for every shard, the region
/// that has it by its whole path. A state that does not fit could never be stored, and no shard would be given out any more.
/// </summary>
public static class RemotingFrame
{
    /// <summary>Every number of shards up to this is tested to fit, with the longest names.</summary>
    public const int MaxShards = 4096;

    /// <summary>The longest name of a host that the domain name system knows.</summary>
    public const int MaxHostLength = 253;

    /// <summary>
    /// Of a path without the names of cluster and host: protocol, port, <c>/system/sharding/actortrainer-task</c>, the number of the actor.
    /// </summary>
    private const int PathLength = 80;

    /// <summary>Of an entry beside its path: the shard's number, tags and lengths.</summary>
    private const int EntryLength = 16;

    /// <summary>
    /// Around the state: the replicated register, its clock, the envelope, and everything else that is sent, which is small.
    /// </summary>
    private const int Rest = 128_000;

    /// <summary>The least number of nodes that room is left for; each is named once more as a region.</summary>
    private const int LeastNodes = 100;

    /// <summary>The largest message, in bytes, of a cluster with a name of this length.</summary>
    /// <param name="shards">All of them given out.</param>
    /// <param name="nodes">Nodes with a region; fewer than 100 count as 100.</param>
    /// <param name="clusterName">How long the cluster's name is.</param>
    /// <remarks>Hosts count with the longest name there is: a node does not know the names of those that join later.</remarks>
    public static int Bytes(int shards, int nodes, int clusterName) =>
        Rest + ((shards + Math.Max(LeastNodes, nodes)) * (clusterName + MaxHostLength + PathLength + EntryLength));
}
