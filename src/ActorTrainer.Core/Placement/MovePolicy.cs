using ActorTrainer.Core.Configuration;

namespace ActorTrainer.Core.Placement;

/// <summary>
/// What a move between living nodes is worth. A task that runs has its slots wherever it is, so it gains nothing by running elsewhere; a
/// move costs it a save, a start and a restore. A task that waits has nothing to lose and goes wherever it would run sooner. So:
/// <list type="bullet">
/// <item>A shard of which nothing runs moves from a node that is asked for more slots than it has (or has a task that runs alone) to one
/// where its first task fits: <c>slots</c>.</item>
/// <item>Tasks that run make room for one that waits and fits nowhere, only if as few as may move at once are enough: <c>room</c>.</item>
/// <item>Tasks that run even out only from a node of which more than half is taken to one that is emptier by at least half a node. Workers
/// are not confined to their slots, a full node's loss interrupts more, and the next task finds room; a smaller difference does not pay for
/// an interruption: <c>balance</c>.</item>
/// </list>
/// Whoever runs is left alone for <c>sharding.balance-after</c> from the start of the run, during the last minute that it is expected to
/// take, and is not moved back within ten minutes to where it was moved away from for room or balance. What somebody asked for to be on a
/// node stays there for as long, even if it waits. What has to go (drain, a request) is not weighed here. Each move for slots or balance
/// makes the fuller of two nodes less full and never the other one as full as that was, so that planning ends.
/// </summary>
internal static class MovePolicy
{
    /// <summary>What is expected to end within this time is not interrupted: about what a move costs with a large checkpoint.</summary>
    public static readonly TimeSpan EndsSoon = TimeSpan.FromMinutes(1);

    /// <summary>For this long nothing goes back to where it was moved away from without need.</summary>
    public static readonly TimeSpan NotBackWithin = TimeSpan.FromMinutes(10);

    /// <summary>A node is worth relieving when more than this part of its slots is taken.</summary>
    private const double Crowded = 0.5;

    /// <summary>And another one is emptier by at least this part.</summary>
    private const double WorthAMove = 0.5;

    /// <summary>Whether everything that runs in a shard may be interrupted for somebody's gain.</summary>
    /// <param name="shard">The shard.</param>
    /// <param name="after">Runs shorter than this are left alone.</param>
    /// <param name="now">The time.</param>
    public static bool MayInterrupt(PlacedShard shard, TimeSpan after, TimeSpan now) =>
        shard.Tasks.All(t => !t.Demand.Runs || (t.RanFor(now) >= after && !(t.Left(now) < EndsSoon)));

    /// <summary>Whether nothing of the shard gets slots where it is.</summary>
    public static bool Waits(PlacedShard shard, NodeLoad home) =>
        shard is { Running: 0, Load.Demand: > 0 }
        && (home.Free < 0 || home.Alone > shard.Load.Alone || (shard.Load.Alone > 0 && home.Used > shard.Load.Demand));

    /// <summary>Whether a waiting shard runs sooner on another node.</summary>
    public static bool RunsSooner(PlacedShard shard, NodeLoad home, NodeLoad to)
    {
        int demand = shard.Load.Demand;
        if (shard.Largest > home.Slots)
        {
            return true;
        }

        return to.Room >= demand || (home.Free < 0 && to.Room >= shard.Head && to.Part(demand) < home.Part());
    }

    /// <summary>Whether it pays to move a running shard only to even out.</summary>
    public static bool EvensOut(PlacedShard shard, NodeLoad home, NodeLoad to, AllocationStrategy strategy)
    {
        int demand = shard.Load.Demand;
        return strategy == AllocationStrategy.LoadBalanced
            && to.Room >= shard.Running
            && home.Part() > Crowded
            && home.Part() - to.Part() >= WorthAMove
            && to.Part(demand) <= home.Part(-demand);
    }
}
