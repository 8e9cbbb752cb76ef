using ActorTrainer.Core.Configuration;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Membership;
using ActorTrainer.Core.Tasks;

namespace ActorTrainer.Core.Sharding;

/// <summary>Where a task that somebody wants moved goes, or why it cannot be moved.</summary>
/// <param name="To">The life that gets it; 0 when refused.</param>
/// <param name="Refusal">What to answer; null: it can go.</param>
public readonly record struct MoveTarget(long To, CommandReply? Refusal)
{
    /// <summary>
    /// Chooses: the node asked for, or the one that the policy names among the others. Up is whom gossip counts as that, as in every
    /// list of the members; the record of a node that has only just come up says so later.
    /// </summary>
    /// <param name="task">The task.</param>
    /// <param name="slots">Its demand.</param>
    /// <param name="owner">The life that it is on.</param>
    /// <param name="asked">The node asked for, or null.</param>
    /// <param name="living">The members that are not known to be gone, by life.</param>
    /// <param name="nodes">The nodes as allocation sees them.</param>
    /// <param name="owners">Owner of every shard that has one.</param>
    /// <param name="demands">All unfinished tasks.</param>
    /// <param name="strategy">The strategy.</param>
    public static MoveTarget Choose(
        TaskId task,
        int slots,
        long owner,
        NodeAddress? asked,
        IReadOnlyList<ClusterMember> living,
        IReadOnlyList<NodeCapacity> nodes,
        IReadOnlyDictionary<int, long> owners,
        IReadOnlyList<TaskDemand> demands,
        AllocationStrategy strategy
    )
    {
        long to = asked is { } address
            ? living.LastOrDefault(m => m.Address == address && m.State == MemberState.Up && m.Status != MemberStatus.Leaving)?.Incarnation
                ?? -1
            : AllocationPolicy.ChooseNode(slots, owners, [.. nodes.Where(n => n.Incarnation != owner)], demands, strategy);
        return to switch
        {
            -1 => new MoveTarget(0, new CommandRefused($"there is no node up at {asked}; see 'actortrainer cluster show'")),
            0 => new MoveTarget(0, new CommandRefused("there is no other node that takes tasks; see 'actortrainer cluster show'")),
            _ when to == owner => new MoveTarget(
                0,
                new CommandRefused($"task {task} is on {living.LastOrDefault(m => m.Incarnation == owner)?.Address} already")
            ),
            _ => new MoveTarget(to, null),
        };
    }
}
