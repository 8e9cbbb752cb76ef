using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Tasks;

namespace ActorTrainer.Core.Membership;

/// <summary>What the <c>member</c> table says of a node's life. Changed by the node itself and by the lease holder.</summary>
public enum MemberStatus
{
    /// <summary>Registered, not ready for shards.</summary>
    Joining,

    /// <summary>May own shards.</summary>
    Up,

    /// <summary>Hands its shards over and goes.</summary>
    Leaving,

    /// <summary>Lost; owns nothing any more.</summary>
    Down,

    /// <summary>Gone after it handed everything over.</summary>
    Removed,
}

/// <summary>One life of a node process.</summary>
/// <param name="Incarnation">Numbered by the journal, from 1.</param>
/// <param name="Address">Where it listens.</param>
/// <param name="Name">The node's name.</param>
/// <param name="Roles">Its roles, sorted.</param>
/// <param name="Slots">Its capacity in slots.</param>
/// <param name="Status">See <see cref="MemberStatus"/>.</param>
/// <param name="Cordoned">Whether it takes no new tasks.</param>
/// <param name="Pid">Its process id.</param>
/// <param name="Version">Its product version.</param>
public sealed record MemberRow(
    long Incarnation,
    NodeAddress Address,
    string Name,
    IReadOnlyList<string> Roles,
    int Slots,
    MemberStatus Status,
    bool Cordoned,
    int Pid,
    string Version);

/// <summary>Who owns a shard. Shards that were never assigned have term 0 and owner 0.</summary>
public readonly record struct ShardRow(int Shard, long Owner, long Term);

/// <summary>Members, shards and unfinished tasks on record.</summary>
/// <param name="Version">Grows with every change of the unfinished tasks.</param>
/// <param name="Coordinator">The life that coordinates the shards; 0: not known.</param>
/// <param name="Members">Every member that is not removed or down, and the newest of each address whatever its status; by incarnation.</param>
/// <param name="Shards">All shards, by number.</param>
/// <param name="Tasks">Unfinished tasks, by id.</param>
public sealed record ClusterRows(
    long Version,
    long Coordinator,
    IReadOnlyList<MemberRow> Members,
    IReadOnlyList<ShardRow> Shards,
    IReadOnlyList<TaskSummary> Tasks)
{
    /// <summary>Nothing read yet.</summary>
    public static ClusterRows Empty { get; } = new(-1, 0, [], [], []);
}
