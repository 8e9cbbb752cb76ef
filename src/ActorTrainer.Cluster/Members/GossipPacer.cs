using ActorTrainer.Cluster.Configuration;
using Akka.Actor;
using Akka.Cluster;
using Akka.Remote;
using AkkaCluster = Akka.Cluster.Cluster;
using AkkaStatus = Akka.Cluster.MemberStatus;

namespace ActorTrainer.Cluster.Members;

/// <summary>
/// Has a member of a cluster exchange gossip, look for silent members, act as the leader and ask for the places of shards often while
/// something changes in the cluster, so that it can do all of that seldom while nothing does: otherwise it would be most of what a node
/// without work uses.
/// </summary>
/// <remarks>
/// Akka has one interval for each, so what its own timers send to the actors concerned is sent to them in between. Where Akka has no
/// such messages any more (<see cref="AkkaTicks.AreKnown"/>), its timers have the short interval all the time.
/// </remarks>
internal sealed class GossipPacer : ReceiveActor, IWithTimers
{
    /// <summary>What has changed has to be seen by all, which shows nowhere from outside; it takes a few rounds.</summary>
    private static readonly TimeSpan GoOnFor = TimeSpan.FromSeconds(1);

    private readonly AkkaCluster _cluster;
    private readonly ICanTell _gossip;
    private readonly Func<IActorRef> _region;
    private readonly TimeSpan _every;
    private readonly Func<TimeSpan> _now;
    private TimeSpan _until;

    /// <param name="every">The interval while something changes.</param>
    /// <param name="gossip">Keeps the cluster's gossip.</param>
    /// <param name="region">Of the shards.</param>
    /// <param name="now">Monotonic time.</param>
    public GossipPacer(TimeSpan every, ICanTell gossip, Func<IActorRef> region, Func<TimeSpan> now)
    {
        _cluster = AkkaCluster.Get(Context.System);
        _gossip = gossip;
        _region = region;
        _every = every;
        _now = now;
        Receive<Tick>(_ => OnTick());
        ReceiveAny(_ => Hurry());
    }

    public ITimerScheduler Timers { get; set; } = null!;

    /// <summary>Whether nothing in this view of the cluster is on its way to something else.</summary>
    public static bool IsSettled(ClusterEvent.CurrentClusterState state) =>
        state.Unreachable.IsEmpty && state.Members.All(member => member.Status == AkkaStatus.Up);

    protected override void PreStart()
    {
        _cluster.Subscribe(
            Self,
            ClusterEvent.SubscriptionInitialStateMode.InitialStateAsEvents,
            typeof(ClusterEvent.IMemberEvent),
            typeof(ClusterEvent.IReachabilityEvent)
        );

        // A connection that ends or begins is the first that is heard of most changes.
        Context.System.EventStream.Subscribe(Self, typeof(AssociationEvent));
        Context.System.EventStream.Subscribe(Self, typeof(LifeDowned));
    }

    protected override void PostStop()
    {
        _cluster.Unsubscribe(Self);
        Context.System.EventStream.Unsubscribe(Self);
    }

    private void Hurry()
    {
        _until = _now() + GoOnFor;
        if (!Timers.IsTimerActive(nameof(Tick)))
        {
            Timers.StartPeriodicTimer(nameof(Tick), Tick.Instance, TimeSpan.Zero, _every);
        }
    }

    private void OnTick()
    {
        if (_cluster.IsTerminated || (_now() > _until && IsSettled(_cluster.State)))
        {
            Timers.Cancel(nameof(Tick));
            return;
        }

        foreach (object? message in AkkaTicks.ForGossip)
        {
            _gossip.Tell(message, ActorRefs.NoSender);
        }

        _region().Tell(AkkaTicks.ForRegion);
    }

    private sealed class Tick : INoSerializationVerificationNeeded
    {
        public static Tick Instance { get; } = new();
    }
}
