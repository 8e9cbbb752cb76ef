using System.Collections.Immutable;
using System.Globalization;
using ActorTrainer.Akka.Members;
using ActorTrainer.Akka.Rows;
using ActorTrainer.Core.Sharding;
using Akka.Actor;
using Akka.Cluster.Sharding;
using Microsoft.Extensions.Logging;

namespace ActorTrainer.Akka.Placement;

/// <summary>
/// Akka's allocation strategy over <see cref="ShardPlanner"/>: translates region actors into node lives and back. Every node has one; Akka asks
/// that of the coordinator. Everything comes from memory.
/// </summary>
internal sealed partial class ShardPlacement(
    ShardPlanner planner, TaskIndex index, Func<ClusterSight> sight, string selfAddress, ILogger logger) : IShardAllocationStrategy
{
    private (long Version, IReadOnlyList<TaskDemand> Tasks) _demands = (-1, []);

    /// <inheritdoc />
    public Task<IActorRef> AllocateShard(
        IActorRef requester, string shardId, IImmutableDictionary<IActorRef, IImmutableList<string>> currentShardAllocations)
    {
        ClusterSight now = sight();
        Dictionary<IActorRef, long> lives = Lives(currentShardAllocations.Keys, now);
        long to = planner.Allocate(Parse(shardId), Owners(currentShardAllocations, lives), now, Demands());
        IActorRef? region = lives.FirstOrDefault(r => r.Value == to && to != 0).Key;
        LogAllocated(logger, shardId, to);

        // A node that has just joined may have no region yet; its neighbours have.
        return Task.FromResult(region ?? (lives.ContainsKey(requester) ? requester : currentShardAllocations.Keys.First()));
    }

    /// <inheritdoc />
    public Task<IImmutableSet<string>> Rebalance(
        IImmutableDictionary<IActorRef, IImmutableList<string>> currentShardAllocations, IImmutableSet<string> rebalanceInProgress)
    {
        ClusterSight now = sight();
        Dictionary<IActorRef, long> lives = Lives(currentShardAllocations.Keys, now);
        IReadOnlyList<int> take = planner.Rebalance(
            Owners(currentShardAllocations, lives), rebalanceInProgress.Select(Parse).ToHashSet(), now, Demands());
        if (take.Count > 0)
        {
            LogMoves(logger, string.Join(", ", take));
        }

        return Task.FromResult<IImmutableSet<string>>(take.Select(s => s.ToString(CultureInfo.InvariantCulture)).ToImmutableHashSet());
    }

    private IReadOnlyList<TaskDemand> Demands()
    {
        long version = index.Version;
        if (_demands.Version != version)
        {
            _demands = (version, PlacementInputs.Demands(index.All.Select(row => row.Summary)));
        }

        return _demands.Tasks;
    }

    /// <summary>The newest life at each region's address; a region in this process has a path without address.</summary>
    private Dictionary<IActorRef, long> Lives(IEnumerable<IActorRef> regions, ClusterSight now)
    {
        Dictionary<string, long> byAddress = [];
        foreach (MemberPlace place in now.Places)
        {
            byAddress[place.AkkaAddress] = place.Row.Incarnation;
        }

        return regions.ToDictionary(
            region => region,
            region => byAddress.GetValueOrDefault(region.Path.Address.HasLocalScope ? selfAddress : region.Path.Address.ToString()));
    }

    private static Dictionary<int, long> Owners(
        IImmutableDictionary<IActorRef, IImmutableList<string>> allocations, Dictionary<IActorRef, long> lives)
    {
        Dictionary<int, long> owners = [];
        foreach ((IActorRef region, IImmutableList<string> shards) in allocations)
        {
            foreach (string shard in shards)
            {
                owners[Parse(shard)] = lives[region];
            }
        }

        return owners;
    }

    private static int Parse(string shardId) => int.Parse(shardId, CultureInfo.InvariantCulture);

    [LoggerMessage(Level = LogLevel.Information, Message = "shard {Shard} goes to life {To}")]
    private static partial void LogAllocated(ILogger logger, string shard, long to);

    [LoggerMessage(Level = LogLevel.Information, Message = "shards {Shards} move")]
    private static partial void LogMoves(ILogger logger, string shards);
}
