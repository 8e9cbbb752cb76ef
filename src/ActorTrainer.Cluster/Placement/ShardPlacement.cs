using System.Collections.Immutable;
using System.Globalization;
using ActorTrainer.Cluster.Rows;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Membership;
using ActorTrainer.Core.Sharding;
using Akka.Actor;
using Akka.Cluster.Sharding;
using Microsoft.Extensions.Logging;

namespace ActorTrainer.Cluster.Placement;

/// <summary>
/// Akka's allocation strategy over <see cref="ShardPlanner"/>: translates region actors into node lives and back. Every node has one; Akka
/// asks that of the coordinator. Everything comes from memory. A shard whose task runs is taken from its owner once the destination is
/// ready for it.
/// </summary>
/// <param name="planner">Decides.</param>
/// <param name="index">All unfinished tasks.</param>
/// <param name="view">The members.</param>
/// <param name="selfAddress">This node's address in the cluster.</param>
/// <param name="warm">Gets a worker ready for a task on a life; ends when it is, or cannot be made so.</param>
/// <param name="logger">Where it logs.</param>
internal sealed partial class ShardPlacement(
    ShardPlanner planner,
    TaskIndex index,
    Func<ClusterView> view,
    string selfAddress,
    Func<TaskId, long, Task> warm,
    ILogger logger
) : IActorSystemDependentAllocationStrategy
{
    /// <summary>The shards whose destinations get ready: the coordinator asks from one thread at a time.</summary>
    private readonly Dictionary<int, (long To, Task Ready)> _warming = [];
    private (object Allocations, ClusterView View, Dictionary<int, long> Owners)? _known;
    private ICancelable? _starting;

    /// <inheritdoc />
    public void Start(ActorSystem system)
    {
        // It is the coordinator that calls, while it starts.
        if (ActorCell.GetCurrentSelfOrNoSender() is { } coordinator)
        {
            _starting = CoordinatorStart.Hurry(system.Scheduler, coordinator);
        }
    }

    /// <inheritdoc />
    public Task<IActorRef> AllocateShard(
        IActorRef requester,
        string shardId,
        IImmutableDictionary<IActorRef, IImmutableList<string>> currentShardAllocations
    )
    {
        _starting?.Cancel();
        ClusterView now = view();
        Dictionary<IActorRef, long> lives = Lives(currentShardAllocations.Keys, now);
        Dictionary<long, int> counts = [];
        foreach ((IActorRef owner, IImmutableList<string> shards) in currentShardAllocations)
        {
            counts[lives[owner]] = counts.GetValueOrDefault(lives[owner]) + shards.Count;
        }

        long to = planner.Allocate(Parse(shardId), counts, () => Owners(currentShardAllocations, lives), now);
        IActorRef? region = lives.FirstOrDefault(r => r.Value == to && to != 0).Key;
        LogAllocated(logger, shardId, to);

        // A node that has just joined may have no region yet; its neighbours have.
        return Task.FromResult(region ?? (lives.ContainsKey(requester) ? requester : currentShardAllocations.Keys.First()));
    }

    /// <inheritdoc />
    public Task<IImmutableSet<string>> Rebalance(
        IImmutableDictionary<IActorRef, IImmutableList<string>> currentShardAllocations,
        IImmutableSet<string> rebalanceInProgress
    )
    {
        _starting?.Cancel();
        ClusterView now = view();
        HashSet<int> moving = [.. rebalanceInProgress.Select(Parse)];
        Dictionary<int, long> owners = KnownOwners(currentShardAllocations, now);
        IReadOnlyList<ShardMove> moves = planner.Rebalance(owners, moving, now);
        string[] take =
        [
            .. moves.Where(m => owners.ContainsKey(m.Shard) && IsReady(m)).Select(m => m.Shard.ToString(CultureInfo.InvariantCulture)),
        ];
        foreach (int gone in _warming.Keys.Where(s => moves.All(m => m.Shard != s)).ToArray())
        {
            _warming.Remove(gone);
        }

        if (take.Length > 0)
        {
            LogMoves(logger, string.Join(", ", take));
        }

        return Task.FromResult<IImmutableSet<string>>(take.ToImmutableHashSet());
    }

    /// <summary>The owners, made anew only when allocations or members have changed: this is asked several times a second.</summary>
    private Dictionary<int, long> KnownOwners(IImmutableDictionary<IActorRef, IImmutableList<string>> allocations, ClusterView now)
    {
        if (_known is not { } known || !ReferenceEquals(known.Allocations, allocations) || !ReferenceEquals(known.View, now))
        {
            _known = known = (allocations, now, Owners(allocations, Lives(allocations.Keys, now)));
        }

        return known.Owners;
    }

    /// <summary>Whether a shard may be taken away: nothing of it runs, or what runs has a worker that waits for it.</summary>
    private bool IsReady(ShardMove move)
    {
        if (!_warming.TryGetValue(move.Shard, out (long To, Task Ready) known) || known.To != move.To)
        {
            TaskId[] running =
            [
                .. index.In(move.Shard).Where(row => row.Summary.Status == Core.Tasks.TaskStatus.Running).Select(row => row.Summary.Task),
            ];
            known = (move.To, Task.WhenAll(running.Select(task => warm(task, move.To))));
            _warming[move.Shard] = known;
        }

        return known.Ready.IsCompleted;
    }

    /// <summary>The newest life at each region's address; a region in this process has a path without address.</summary>
    private Dictionary<IActorRef, long> Lives(IEnumerable<IActorRef> regions, ClusterView now)
    {
        Dictionary<string, long> byAddress = [];
        foreach (ClusterMember member in now.Members)
        {
            byAddress[member.System.Address] = member.Incarnation;
        }

        return regions.ToDictionary(
            region => region,
            region => byAddress.GetValueOrDefault(region.Path.Address.HasLocalScope ? selfAddress : region.Path.Address.ToString())
        );
    }

    private static Dictionary<int, long> Owners(
        IImmutableDictionary<IActorRef, IImmutableList<string>> allocations,
        Dictionary<IActorRef, long> lives
    )
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
