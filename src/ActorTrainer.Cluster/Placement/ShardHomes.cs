using System.Globalization;
using System.Reflection;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Sharding;
using Akka.Actor;
using Akka.Cluster.Sharding;

namespace ActorTrainer.Cluster.Placement;

/// <summary>
/// Has a node's region ask anew where a shard is. A region that is told of a place on a node at the moment in which that node is removed
/// from the cluster begins to watch it too late: Akka's remote watcher, which gives up all it watches there just then, takes the new watch
/// along without a word. The region would forward to the dead node for ever. So whoever got no answer has it forget the place first.
/// </summary>
internal static class ShardHomes
{
    /// <summary>What the coordinator sends to all regions before a shard moves; Akka's own, found by its name.</summary>
    private static readonly ConstructorInfo? BeginHandOff = typeof(ClusterSharding)
        .Assembly.GetType("Akka.Cluster.Sharding.ShardCoordinator+BeginHandOff")
        ?.GetConstructor([typeof(string)]);

    /// <summary>Whether this version of Akka has the message.</summary>
    public static bool CanForget => BeginHandOff is not null;

    /// <param name="region">Of this node.</param>
    /// <param name="task">In the shard.</param>
    /// <param name="numberOfShards">Of the cluster.</param>
    public static void Forget(IActorRef region, TaskId task, int numberOfShards)
    {
        string shard = ShardMap.ShardOf(task, numberOfShards).ToString(CultureInfo.InvariantCulture);
        if (BeginHandOff?.Invoke([shard]) is { } message)
        {
            region.Tell(message, ActorRefs.NoSender);
        }
    }
}
