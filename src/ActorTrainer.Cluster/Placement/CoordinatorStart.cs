using ActorTrainer.Cluster.Configuration;
using Akka.Actor;
using Akka.Cluster.Sharding;

namespace ActorTrainer.Cluster.Placement;

/// <summary>
/// A coordinator of the shards that follows a lost one reads where they are and then answers nobody for half a second: it wants to have
/// heard of regions that are gone before it names one of them. That only saves messages, which are sent again here, and the node that was
/// lost is none of the members any more. So it is told to go on. When it does not understand this it waits as long as Akka has it wait.
/// </summary>
internal static class CoordinatorStart
{
    private static readonly TimeSpan Every = TimeSpan.FromMilliseconds(10);
    private static readonly TimeSpan Within = TimeSpan.FromSeconds(1);

    /// <summary>
    /// What the coordinator sends itself after its wait; before it has read the state, and once it is active, it means nothing. Null: Akka
    /// has no such message.
    /// </summary>
    public static object? GoOn { get; } =
        AkkaTicks.Find(typeof(ClusterSharding), "Akka.Cluster.Sharding.ShardCoordinator+StateInitialized");

    /// <summary>
    /// Tells a coordinator that starts to go on, until this is cancelled: nothing shows from outside when it has read the state.
    /// </summary>
    /// <param name="scheduler">Of its system.</param>
    /// <param name="coordinator">The coordinator.</param>
    public static ICancelable? Hurry(IScheduler scheduler, IActorRef coordinator)
    {
        if (GoOn is null)
        {
            return null;
        }

        Cancelable until = new(scheduler, Within);
        scheduler.ScheduleTellRepeatedly(Every, Every, coordinator, GoOn, ActorRefs.NoSender, until);
        return until;
    }
}
