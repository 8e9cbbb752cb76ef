using ActorTrainer.Core.Membership;
using Akka.Actor;
using Akka.Cluster;
using Microsoft.Extensions.Logging;
using AkkaStatus = Akka.Cluster.MemberStatus;
using RowStatus = ActorTrainer.Core.Journaling.MemberStatus;

namespace ActorTrainer.Akka.Members;

/// <summary>What an observer of the members is told: the view, and the rows behind it.</summary>
/// <param name="View">The members as failure detection sees them.</param>
/// <param name="Places">The members on record, by incarnation.</param>
/// <param name="Coordinator">The life that coordinates the shards; 0: not known.</param>
internal sealed record ClusterSight(MembershipView View, IReadOnlyList<MemberPlace> Places, long Coordinator)
{
    /// <summary>The lives that are not known to be gone, neither by Akka nor on record.</summary>
    public IReadOnlySet<long> Living { get; } = Places
        .Where(p => p.Row.Status is not (RowStatus.Down or RowStatus.Removed) &&
            View.Find(p.Row.Incarnation)?.State is not (null or MemberState.Down or MemberState.Removed))
        .Select(p => p.Row.Incarnation)
        .ToHashSet();
}

/// <summary>
/// Turns the events of Akka.Cluster into views of the members: who they are stands in the member table, how they are Akka says. The oldest
/// member also writes down who was lost.
/// </summary>
internal sealed partial class ClusterWatch : ReceiveActor, IWithTimers
{
    private static readonly TimeSpan ReadEvery = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan ReadSoon = TimeSpan.FromMilliseconds(50);

    private readonly MemberTable _table;
    private readonly long _self;
    private readonly string _role;
    private readonly Action<ClusterSight> _publish;
    private readonly Func<TimeSpan> _now;
    private readonly ILogger _logger;
    private readonly Cluster _cluster;
    private readonly SightKeeper _keeper;
    private readonly CancellationTokenSource _stopping = new();
    private bool _reading;

    public ClusterWatch(MemberTable table, long self, string role, Action<ClusterSight> publish, Action<string> fenced, Func<TimeSpan> now, ILogger logger)
    {
        _table = table;
        _self = self;
        _role = role;
        _publish = publish;
        _now = now;
        _logger = logger;
        _cluster = Cluster.Get(Context.System);
        _keeper = new SightKeeper(self);
        Receive<ClusterEvent.CurrentClusterState>(_ => Look());
        Receive<ClusterEvent.IMemberEvent>(
            e => e is ClusterEvent.MemberDowned or ClusterEvent.MemberRemoved && e.Member.UniqueAddress.Equals(_cluster.SelfUniqueAddress),
            _ => fenced("the cluster has downed this node"));
        Receive<ClusterEvent.MemberRemoved>(_ => !IsMember, _ => { }); // the end of this node's own membership takes all others away from it
        Receive<ClusterEvent.MemberRemoved>(removed =>
        {
            UniqueAddress gone = removed.Member.UniqueAddress;
            MemberState state = AkkaMember.GoneAs(removed.PreviousStatus);
            _keeper.Gone(new AkkaMember(gone.Address.ToString(), gone.Uid, state), _now());
            Record(gone, state);
            Look();
        });
        Receive<ClusterEvent.IClusterDomainEvent>(_ => Look());
        Receive<ReadNow>(_ => Read());
        Receive<Places>(places =>
        {
            _reading = false;
            _keeper.Places = places.Rows;
            if (places.Rows.All(p => p.Row.Incarnation != self || p.Row.Status == RowStatus.Down))
            {
                fenced("the journal counts this life as lost");
            }

            Look();
        });
        Receive<ReadFailed>(failed =>
        {
            _reading = false;
            LogNotRead(_logger, failed.Problem);
        });
    }

    public ITimerScheduler Timers { get; set; } = null!;

    protected override void PreStart()
    {
        _cluster.Subscribe(
            Self,
            ClusterEvent.SubscriptionInitialStateMode.InitialStateAsSnapshot,
            typeof(ClusterEvent.IMemberEvent),
            typeof(ClusterEvent.IReachabilityEvent));
        Timers.StartPeriodicTimer(nameof(ReadNow), ReadNow.Instance, TimeSpan.Zero, ReadEvery);
    }

    protected override void PostStop()
    {
        _cluster.Unsubscribe(Self);
        _stopping.Cancel();
        _stopping.Dispose();
    }

    /// <summary>Whether this node is in the cluster, and what it sees of it means something.</summary>
    private bool IsMember => !_cluster.IsTerminated && _cluster.SelfMember.Status is AkkaStatus.Joining or AkkaStatus.WeaklyUp or AkkaStatus.Up or AkkaStatus.Leaving;

    private void Look()
    {
        if (_cluster.IsTerminated)
        {
            return;
        }

        ClusterEvent.CurrentClusterState state = _cluster.State;
        HashSet<UniqueAddress> unreachable = [.. state.Unreachable.Select(m => m.UniqueAddress)];
        AkkaMember[] members =
        [
            .. state.Members.Select(m => new AkkaMember(
                m.UniqueAddress.Address.ToString(), m.UniqueAddress.Uid, AkkaMember.StateOf(m.Status, !unreachable.Contains(m.UniqueAddress)))),
        ];
        UniqueAddress? oldest = Oldest(state)?.UniqueAddress;
        if (_keeper.Look(members, oldest?.Address.ToString(), oldest?.Uid ?? 0, _now()) is { } sight)
        {
            _publish(sight);
        }

        if (_keeper.HasUnknown && !Timers.IsTimerActive(nameof(ReadSoon)))
        {
            Timers.StartSingleTimer(nameof(ReadSoon), ReadNow.Instance, ReadSoon);
        }
    }

    /// <summary>The coordinator of the shards is a singleton: it lives on the oldest member of the role.</summary>
    private Member? Oldest(ClusterEvent.CurrentClusterState state) => state.Members
        .Where(m => m.HasRole(_role) && m.Status is AkkaStatus.Up or AkkaStatus.Leaving or AkkaStatus.Exiting)
        .Aggregate((Member?)null, (oldest, m) => oldest is null || m.IsOlderThan(oldest) ? m : oldest);

    private void Read()
    {
        if (_reading)
        {
            return;
        }

        _reading = true;
        _table.ReadAsync(_stopping.Token).PipeTo(Self, success: rows => new Places(rows), failure: e => new ReadFailed(e.Message));
    }

    /// <summary>A lost node cannot write down that it is gone.</summary>
    private void Record(UniqueAddress gone, MemberState state)
    {
        long incarnation = _keeper.Find(gone.Address.ToString(), gone.Uid)?.Row.Incarnation ?? 0;
        if (incarnation == 0 || incarnation == _self || Oldest(_cluster.State)?.UniqueAddress != _cluster.SelfUniqueAddress)
        {
            return;
        }

        LogGone(_logger, incarnation, gone.Address.ToString(), state);
        _table.RecordGoneAsync(_self, incarnation, state == MemberState.Down ? RowStatus.Down : RowStatus.Removed, _stopping.Token)
            .PipeTo(Self, success: () => ReadNow.Instance, failure: e => new ReadFailed(e.Message));
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "the members on record could not be read or written now: {Problem}")]
    private static partial void LogNotRead(ILogger logger, string problem);

    [LoggerMessage(Level = LogLevel.Warning, Message = "member {Incarnation} at {Address} is {State}")]
    private static partial void LogGone(ILogger logger, long incarnation, string address, MemberState state);

    private sealed record Places(IReadOnlyList<MemberPlace> Rows) : INoSerializationVerificationNeeded;

    private sealed record ReadFailed(string Problem) : INoSerializationVerificationNeeded;

    private sealed class ReadNow : INoSerializationVerificationNeeded
    {
        public static ReadNow Instance { get; } = new();
    }
}
