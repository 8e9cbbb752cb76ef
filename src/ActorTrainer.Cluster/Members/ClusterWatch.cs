using ActorTrainer.Core.Membership;
using Akka.Actor;
using Akka.Cluster;
using Akka.Remote;
using Microsoft.Extensions.Logging;
using AkkaCluster = Akka.Cluster.Cluster;
using AkkaStatus = Akka.Cluster.MemberStatus;
using RowStatus = ActorTrainer.Core.Membership.MemberStatus;

namespace ActorTrainer.Cluster.Members;

/// <summary>
/// Turns the events of Akka.Cluster into views of the members: who they are stands in the member table, how they are Akka says.
/// Writes down who was lost, and says when its own life is.
/// </summary>
internal sealed partial class ClusterWatch : ReceiveActor, IWithTimers
{
    private static readonly TimeSpan ReadEvery = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan ReadSoon = TimeSpan.FromMilliseconds(50);

    private readonly MemberTable _table;
    private readonly ClusterTable _clusterTable;
    private readonly ListeningTime _time;
    private readonly Dictionary<UniqueAddress, MemberState> _unrecorded = [];
    private readonly HashSet<UniqueAddress> _logged = [];
    private readonly long _self;
    private readonly string _role;
    private readonly Action<ClusterView> _publish;
    private readonly Action<string> _fenced;
    private readonly Func<TimeSpan> _now;
    private readonly ILogger _logger;
    private readonly AkkaCluster _cluster;
    private readonly ClusterViewTracker _tracker;
    private readonly CancellationTokenSource _stopping = new();
    private bool _reading;

    public ClusterWatch(
        MemberTable table,
        ClusterTable clusterTable,
        long self,
        string role,
        Action<ClusterView> publish,
        Action<string> fenced,
        Func<TimeSpan> now,
        ILogger logger
    )
    {
        _table = table;
        _clusterTable = clusterTable;
        _time = ListeningTime.Of(Context.System.EventStream, ReadEvery);
        _self = self;
        _role = role;
        _publish = publish;
        _fenced = fenced;
        _now = now;
        _logger = logger;
        _cluster = AkkaCluster.Get(Context.System);
        _tracker = new ClusterViewTracker(self);
        Receive<ClusterEvent.CurrentClusterState>(_ => PublishView());
        Receive<ClusterEvent.IMemberEvent>(
            e => e is ClusterEvent.MemberDowned or ClusterEvent.MemberRemoved && e.Member.UniqueAddress.Equals(_cluster.SelfUniqueAddress),
            _ => fenced("the cluster has downed this node")
        );

        // The end of this node's own membership takes all others away from it.
        Receive<ClusterEvent.MemberRemoved>(_ => !IsMember, _ => { });
        Receive<ClusterEvent.MemberRemoved>(removed =>
        {
            UniqueAddress gone = removed.Member.UniqueAddress;
            MemberState state = GossipStates.GoneAs(removed.PreviousStatus);
            _tracker.Gone(GossipStates.KeyOf(gone), state, _now());
            _unrecorded[gone] = state;
            Record(atOnce: true);
            PublishView();
            Context.System.EventStream.Publish(LifeRemoved.Instance);
        });
        Receive<ClusterEvent.MemberDowned>(downed =>
        {
            _unrecorded[downed.Member.UniqueAddress] = MemberState.Down;
            Record(atOnce: true);
            PublishView();
        });
        Receive<ClusterEvent.IClusterDomainEvent>(_ => PublishView());
        Receive<ReadNow>(_ => Read());
        Receive<RowsWanted>(_ => Read());
        Receive<ThisActorSystemQuarantinedEvent>(_ => Read()); // another one has given this system up: the rows say why
        Receive<LifeLost>(lost => fenced(lost.Reason));
        Receive<RowsRead>(OnRows);
        Receive<NotWritten>(failed => LogNotRead(_logger, failed.Problem)); // the next reading shows what is still to be written
        Receive<ReadFailed>(failed =>
        {
            _reading = false;
            LogNotRead(_logger, failed.Problem);
        });
    }

    public ITimerScheduler Timers { get; set; } = null!;

    protected override void PreStart()
    {
        foreach (Type signal in (Type[])[typeof(RowsWanted), typeof(LifeLost), typeof(ThisActorSystemQuarantinedEvent)])
        {
            Context.System.EventStream.Subscribe(Self, signal);
        }

        _cluster.Subscribe(
            Self,
            ClusterEvent.SubscriptionInitialStateMode.InitialStateAsSnapshot,
            typeof(ClusterEvent.IMemberEvent),
            typeof(ClusterEvent.IReachabilityEvent)
        );
        Timers.StartPeriodicTimer(nameof(ReadNow), ReadNow.Instance, TimeSpan.Zero, ReadEvery);
    }

    protected override void PostStop()
    {
        _cluster.Unsubscribe(Self);
        Context.System.EventStream.Unsubscribe(Self);
        _stopping.Cancel();
        _stopping.Dispose();
    }

    /// <summary>Whether this node is in the cluster, and what it sees of it means something.</summary>
    private bool IsMember =>
        !_cluster.IsTerminated
        && _cluster.SelfMember.Status is AkkaStatus.Joining or AkkaStatus.WeaklyUp or AkkaStatus.Up or AkkaStatus.Leaving;

    private void PublishView()
    {
        if (_cluster.IsTerminated)
        {
            return;
        }

        ClusterEvent.CurrentClusterState state = _cluster.State;
        MemberKey? coordinator = Oldest(state) is { } oldest ? GossipStates.KeyOf(oldest) : null;
        if (_tracker.Update(GossipStates.Of(state), coordinator, _now()) is { } view)
        {
            _publish(view);
        }

        if (_tracker.HasUnknown && !Timers.IsTimerActive(nameof(ReadSoon)))
        {
            Timers.StartSingleTimer(nameof(ReadSoon), ReadNow.Instance, ReadSoon);
        }
    }

    /// <summary>The coordinator of the shards is a singleton: it lives on the oldest member of the role.</summary>
    private Member? Oldest(ClusterEvent.CurrentClusterState state) =>
        GossipStates.OldestOf(
            state.Members.Where(m => m.HasRole(_role) && m.Status is AkkaStatus.Up or AkkaStatus.Leaving or AkkaStatus.Exiting)
        );

    private void Read()
    {
        if (_reading)
        {
            return;
        }

        _reading = true;
        TimeSpan clock = _time.Clock;
        TimeSpan listened = _time.Now;
        Task.Run(() => _clusterTable.ReadAsync(_stopping.Token), _stopping.Token)
            .PipeTo(Self, success: record => new RowsRead(record, clock, listened), failure: e => new ReadFailed(e.Message));
    }

    private void OnRows(RowsRead rows)
    {
        _reading = false;
        _tracker.Rows = rows.Record.Rows;
        Context.System.EventStream.Publish(rows);
        if (rows.Record.Find(_self) is not { } own || own.Member.Status == RowStatus.Down)
        {
            _fenced("the journal counts this life as lost");
        }
        else if (own.Epoch != 0 && own.Epoch != rows.Record.Epoch)
        {
            _fenced("another cluster was founded on this journal, and this life is of the one before");
        }
        else if (own.Member.Status == RowStatus.Joining && !_cluster.IsTerminated && _cluster.SelfMember.Status == AkkaStatus.Up)
        {
            Write(_table.SetStatusAsync, _self, RowStatus.Up);
        }

        Record(atOnce: false);
        PublishView();
    }

    /// <summary>
    /// A lost node cannot write down that it is gone. Everybody who has seen it go does, for as long as it does not stand there; the oldest
    /// at once, the others when they read the next time.
    /// </summary>
    private void Record(bool atOnce)
    {
        foreach ((UniqueAddress gone, MemberState state) in _unrecorded.ToArray())
        {
            MemberRow? row = _tracker.Find(GossipStates.KeyOf(gone));
            if (row is { Member.IsRegistered: false } || gone.Equals(_cluster.SelfUniqueAddress))
            {
                _unrecorded.Remove(gone);
                _logged.Remove(gone);
            }
            else if (
                row is not null
                && row.Member.Incarnation != _self
                && (!atOnce || Oldest(_cluster.State)?.UniqueAddress == _cluster.SelfUniqueAddress)
            )
            {
                if (_logged.Add(gone))
                {
                    LogGone(_logger, row.Member.Incarnation, gone.Address.ToString(), state);
                }

                Write(
                    (life, status, stop) => _table.RecordGoneAsync(_self, life, status, stop),
                    row.Member.Incarnation,
                    state == MemberState.Down ? RowStatus.Down : RowStatus.Removed
                );
            }
        }
    }

    private void Write(Func<long, RowStatus, CancellationToken, Task> write, long life, RowStatus status) =>
        Task.Run(() => write(life, status, _stopping.Token), _stopping.Token).PipeTo(Self, failure: e => new NotWritten(e.Message));

    [LoggerMessage(Level = LogLevel.Warning, Message = "the members on record could not be read or written now: {Problem}")]
    private static partial void LogNotRead(ILogger logger, string problem);

    [LoggerMessage(Level = LogLevel.Warning, Message = "member {Incarnation} at {Address} is {State}")]
    private static partial void LogGone(ILogger logger, long incarnation, string address, MemberState state);

    private sealed record NotWritten(string Problem) : INoSerializationVerificationNeeded;

    private sealed record ReadFailed(string Problem) : INoSerializationVerificationNeeded;

    private sealed class ReadNow : INoSerializationVerificationNeeded
    {
        public static ReadNow Instance { get; } = new();
    }
}
