using ActorTrainer.Core.Configuration;
using ActorTrainer.Core.Identity;

namespace ActorTrainer.Core.Membership;

/// <summary>
/// Membership and failure detection of one node, without I/O: an input and the time go in, effects come out. It gossips, suspects,
/// confirms and publishes views; it owns nothing and decides no ownership. Not thread-safe: one caller at a time.
/// </summary>
/// <remarks>
/// SWIM (Das, Gupta, Motivala, 2002) over standing connections, with Lifeguard's local health (2018), phi-accrual (Hayashibara and
/// others, 2004) and positive crash evidence: the end of a stream and a refused connection. Two distinct observers confirm a loss.
/// No view is published until the node has joined a founded cluster or founded one.
/// </remarks>
public sealed partial class MembershipCore
{
    private static readonly TimeSpan SyncInterval = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan ForgetAfter = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan LongestConnectBackoff = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan LongestConnect = TimeSpan.FromSeconds(5);
    private const int MostForgotten = 4096;

    private readonly long _self;
    private readonly MembershipModel _options;
    private readonly SeedJoin _seeds;
    private readonly AccusationTable _accusations = new();
    private readonly NewsQueue _news = new();
    private readonly LocalHealth _health = new();
    private readonly SortedDictionary<long, Peer> _peers = [];
    private readonly SortedDictionary<long, TimeSpan> _finalSince = [];
    // Lives that were dropped from the table: a late rumour must not bring them back.
    private readonly SortedSet<long> _forgotten = [];

    private IReadOnlyList<MemberRecord> _members;
    private List<GossipEffect> _effects = [];
    private TimeSpan _now;
    private DeterministicRandom _random = new(0);
    private TimeSpan? _lastTick;
    private TimeSpan _nextHeartbeat;
    private TimeSpan _nextSync;
    private bool _joined;
    private IReadOnlyList<MemberRecord> _publishedMembers = [];

    /// <param name="self">This life's first record; its state is normally <see cref="MemberState.Joining"/>.</param>
    /// <param name="seeds">Where to join; empty: this node founds a cluster.</param>
    /// <param name="options">Intervals and thresholds.</param>
    public MembershipCore(MemberRecord self, IReadOnlyList<NodeAddress> seeds, MembershipModel options)
    {
        _self = self.Incarnation;
        _options = options;
        _seeds = new SeedJoin(self.Address, seeds);
        _members = [self];
        View = new MembershipView(0, _self, _members, [_self]);
        _news.Add(self);
    }

    /// <summary>The newest view; version 0 until the node has joined.</summary>
    public MembershipView View { get; private set; }

    private MemberRecord Own => Find(_self)!;

    private bool Over => MemberMerge.IsFinal(Own.State);

    private TimeSpan Pause => _options.AcceptablePause * _health.Factor;

    /// <summary>Handles one input. <paramref name="now"/> is monotonic and never goes back.</summary>
    public IReadOnlyList<GossipEffect> Step(GossipInput input, TimeSpan now, DeterministicRandom random)
    {
        _effects = [];
        _now = now;
        _random = random;
        NoticeOwnPause();
        if (input is GossipSelfChanged changed)
        {
            OnSelfChanged(changed);
        }
        else if (!Over)
        {
            Handle(input);
        }

        if (!Over)
        {
            ConfirmLost();
        }

        Broadcast();
        Publish();
        return _effects;
    }

    private void Handle(GossipInput input)
    {
        switch (input)
        {
            case GossipTick:
                OnTick();
                break;
            case GossipReceived received:
                OnReceived(received.From, received.Message);
                break;
            case GossipConnected connected:
                OnConnected(connected.Address, connected.Incarnation);
                break;
            case GossipConnectFailed failed:
                OnConnectFailed(failed.Address);
                break;
            case GossipStreamEnded ended:
                OnStreamEnded(ended.Incarnation);
                break;
            case GossipFreshProbed probed:
                OnProbed(probed.Incarnation, probed.Outcome);
                break;
            case GossipLifeLockChecked { Free: true } freed when _peers.TryGetValue(freed.Incarnation, out Peer? peer):
                peer.LifeLockFree = true;
                break;
            case GossipDeclared declared when MemberMerge.IsFinal(declared.State) && Find(declared.Incarnation) is { } record:
                Learn([record with { State = declared.State }], "declared by an operator or the lease holder");
                Announce(Find(declared.Incarnation) ?? record);
                break;
            default:
                break;
        }
    }

    private void OnTick()
    {
        TimeSpan gap = _now - (_lastTick ?? _now);
        _lastTick = _now;
        if (gap > _options.HeartbeatInterval)
        {
            _health.Doubt();
        }

        TrySeeds();
        Forget();
        _accusations.Lapse(_self, _now - AccusationLife);
        ArrangeRing();
        if (_now >= _nextHeartbeat)
        {
            _nextHeartbeat = TimeSpan.FromTicks(long.Max((_nextHeartbeat + _options.HeartbeatInterval).Ticks, (_now + (_options.HeartbeatInterval / 2)).Ticks));
            Heartbeat();
        }

        DetectSilence();
        if (_now >= _nextSync)
        {
            _nextSync = _now + (SyncInterval * (0.75 + (0.5 * _random.NextDouble())));
            SyncWithSomeone();
        }
    }

    private void TrySeeds()
    {
        if (!_joined && _seeds.MayFound(_now))
        {
            Joined();
        }

        foreach (NodeAddress seed in _seeds.Due(_joined, Known, _now, _random))
        {
            _effects.Add(new ConnectGossip(seed));
        }

        bool Known(NodeAddress address) => _members.Any(member => member.Address == address && !MemberMerge.IsFinal(member.State));
    }

    private void Joined()
    {
        if (_joined)
        {
            return;
        }

        _joined = true;
        foreach (MemberRecord other in Others())
        {
            SendSync(other.Incarnation, other.Address, reply: false);
        }
    }

    private void ArrangeRing()
    {
        long[] ring = [.. _members.Where(member => !MemberMerge.IsFinal(member.State)).Select(member => member.Incarnation)];
        SortedSet<long> watched = RingPolicy.Watched(ring, _self, _options.RingWatchers, life => _accusations.Find(life, _self) is not null);
        foreach ((long life, Peer peer) in _peers)
        {
            MemberRecord record = Find(life)!;
            bool watch = watched.Contains(life);
            if (watch && !peer.Watched)
            {
                peer.LastAckAt = null;
            }

            peer.Watched = watch;
            if (!watch)
            {
                Disconnect(peer, record);
            }
            else if (!peer.Connected && _now >= peer.NextConnectAt && !(_now - peer.ConnectingSince < LongestConnect))
            {
                peer.ConnectingSince = _now;
                _effects.Add(new ConnectGossip(record.Address));
            }
        }
    }

    private void Disconnect(Peer peer, MemberRecord record)
    {
        if (peer.Connected)
        {
            peer.Connected = false;
            _effects.Add(new DisconnectGossip(record.Incarnation, record.Address));
        }
    }

    private void OnConnected(NodeAddress address, long incarnation)
    {
        if (incarnation == _self)
        {
            _seeds.Failed(address, _joined, _now, _random);
            return;
        }

        _seeds.Connected(address, _now);
        foreach ((long life, Peer peer) in _peers)
        {
            if (Find(life)!.Address == address)
            {
                peer.ConnectingSince = null;
                peer.ConnectBackoff = _options.HeartbeatInterval;
                // Another life at the address: the old one cannot be connected to any more.
                peer.NextConnectAt = life == incarnation ? _now : _now + LongestConnectBackoff;
                peer.Connected |= life == incarnation;
                peer.StreamEnded &= life != incarnation;
            }
        }

        SendSync(incarnation, address, reply: true);
    }

    private void OnConnectFailed(NodeAddress address)
    {
        _seeds.Failed(address, _joined, _now, _random);
        foreach ((long life, Peer peer) in _peers)
        {
            MemberRecord record = Find(life)!;
            if (record.Address == address && !MemberMerge.IsFinal(record.State) && !peer.Connected)
            {
                peer.ConnectingSince = null;
                peer.NextConnectAt = _now + (peer.ConnectBackoff * (0.5 + (0.5 * _random.NextDouble())));
                peer.ConnectBackoff = TimeSpan.FromTicks(long.Min(LongestConnectBackoff.Ticks, peer.ConnectBackoff.Ticks * 2));
                if (peer.StreamEnded)
                {
                    Probe(record);
                }
            }
        }
    }

    private void OnSelfChanged(GossipSelfChanged changed)
    {
        if (Over)
        {
            return;
        }

        SetOwn(Own with { State = changed.State, Cordoned = changed.Cordoned, Refutation = Own.Refutation + 1 });
        if (!Over)
        {
            return;
        }

        _joined = true;
        foreach ((long life, Peer peer) in _peers)
        {
            Disconnect(peer, Find(life)!);
        }
    }

    private void SetOwn(MemberRecord own)
    {
        _members = [.. _members.Select(member => member.Incarnation == _self ? own : member)];
        _news.Add(own);
        Announce(own);
    }

    private void Forget()
    {
        long[] old = [.. _finalSince.Where(entry => entry.Value <= _now - ForgetAfter).Select(entry => entry.Key)];
        if (old.Length == 0)
        {
            return;
        }

        foreach (long life in old)
        {
            _finalSince.Remove(life);
            _peers.Remove(life);
            _forgotten.Add(life);
        }

        while (_forgotten.Count > MostForgotten)
        {
            _forgotten.Remove(_forgotten.Min);
        }

        _members = [.. _members.Where(member => !old.Contains(member.Incarnation))];
    }

    private void Publish()
    {
        if (!_joined)
        {
            return;
        }

        long[] reachable = [.. _members.Where(Reaches).Select(member => member.Incarnation)];
        if (View.Version == 0 || !ReferenceEquals(_members, _publishedMembers) || !reachable.AsSpan().SequenceEqual([.. View.Reachable]))
        {
            _publishedMembers = _members;
            View = new MembershipView(View.Version + 1, _self, _members, reachable);
            _effects.Add(new PublishView(View));
        }
    }

    private MemberRecord? Find(long incarnation) => MemberMerge.Find(_members, incarnation);

    private string NameOf(long incarnation) => Find(incarnation) is { } record
        ? FormattableString.Invariant($"{record.Name} (life {incarnation})")
        : FormattableString.Invariant($"life {incarnation}");

    private IEnumerable<MemberRecord> Others() =>
        _members.Where(member => member.Incarnation != _self && !MemberMerge.IsFinal(member.State));
}
