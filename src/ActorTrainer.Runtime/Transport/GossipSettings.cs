using ActorTrainer.Core.Configuration;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Membership;

namespace ActorTrainer.Runtime.Transport;

/// <summary>What one life's gossip is made of. The callbacks run on the gossip thread and must return at once.</summary>
public sealed record GossipSettings
{
    /// <summary>Cluster name, seeds, slots, token, membership options.</summary>
    public required NodeModel Model { get; init; }

    /// <summary>This life's number.</summary>
    public required long Incarnation { get; init; }

    /// <summary>Where this life listens, with its actual port.</summary>
    public required NodeAddress Address { get; init; }

    /// <summary>The node's name.</summary>
    public required string Name { get; init; }

    /// <summary>Whether it takes no new tasks.</summary>
    public bool Cordoned { get; init; }

    /// <summary>Asks the journal whether a life lock is free: true, false, or null when it cannot be told.</summary>
    public required Func<long, CancellationToken, Task<bool?>> LifeLock { get; init; }

    /// <summary>Called with each new view; the first when the node has joined. A view in which this life is down ends it.</summary>
    public required Action<MembershipView> ViewChanged { get; init; }

    /// <summary>Called when a member is confirmed lost.</summary>
    public Action<MemberLost>? Lost { get; init; }

    /// <summary>
    /// Called once, before the node has joined, when the seeds refuse it for a reason that waiting does not mend (cluster name, protocol
    /// version, token, address): the node ends with this reason.
    /// </summary>
    public Action<string>? Refused { get; init; }

    /// <summary>Seeds the jitter.</summary>
    public ulong Seed { get; init; } = 1;
}
