using ActorTrainer.Cluster.Messages;
using ActorTrainer.Cluster.Systems;
using ActorTrainer.Core.Cluster;
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
/// Carries <see cref="DowningRule"/> out: collects what it needs to know (who is unreachable, whose process is gone, what the others hear,
/// the rows) and does what it says. Driven by events; one timer, which runs only while somebody is suspected or unreachable.
/// </summary>
internal sealed partial class DowningActor : ReceiveActor, IWithTimers
{
    private static readonly TimeSpan ProofFirst = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan ProofEvery = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan TakeWithin = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan TickEvery = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan TakeAgainAfter = TimeSpan.FromMilliseconds(500);

    private readonly AkkaCluster _cluster;
    private readonly bool _proofsOnly;
    private readonly long _life;
    private readonly ILogger _logger;
    private readonly MemberKey _self;
    private readonly ListeningTime _time;
    private readonly ClusterTable _table;
    private readonly CrashSuspects _suspects;
    private readonly DowningRule _rule = new(new DowningTimes());
    private readonly BeatLedger _beats = new();
    private readonly HashSet<MemberKey> _dead = [];

    /// <summary>Downed by this node, until they are removed. Once more would be another change that all have to hear of first.</summary>
    private readonly HashSet<MemberKey> _downed = [];
    private readonly Dictionary<MemberKey, HashSet<MemberKey>> _silentFor = [];
    private readonly CancellationTokenSource _stopping = new();
    private ClusterRecord? _record;
    private TimeSpan? _rowsReadAt;
    private TimeSpan _trustedFrom;
    private bool _asking;
    private bool _taking;
    private TimeSpan _nextProof = ProofFirst;

    /// <param name="setup">Of the life.</param>
    /// <param name="cluster">Of the system; the extension may still be under construction.</param>
    /// <param name="proofsOnly">Whether all but dead processes is left to another downing provider, that of a host's own system.</param>
    public DowningActor(SessionSetup setup, AkkaCluster cluster, bool proofsOnly)
    {
        _cluster = cluster;
        _proofsOnly = proofsOnly;
        _life = setup.Incarnation;
        _logger = setup.Loggers.CreateLogger<DowningActor>();
        _self = GossipStates.KeyOf(cluster.SelfUniqueAddress);
        _time = ListeningTime.Of(Context.System.EventStream, TickEvery);
        _table = new ClusterTable(setup.Database);
        _suspects = new CrashSuspects(setup.Proof);
        Receive<AssociationEvent>(
            e => e is DisassociatedEvent or AssociationErrorEvent && e.RemoteAddress is not null,
            e => Suspect(e.RemoteAddress)
        );
        Receive<AssociationEvent>(_ => { });
        Receive<ClusterEvent.UnreachableMember>(e =>
        {
            Suspect(e.Member.Address);
            Decide();
        });
        Receive<ClusterEvent.MemberRemoved>(e => Forget(GossipStates.KeyOf(e.Member)));
        Receive<ClusterEvent.IClusterDomainEvent>(_ => Decide());
        Receive<RowsRead>(OnRows);
        Receive<DecisionDue>(_ => Decide());
        Receive<ProofDue>(_ => Ask());
        Receive<Tick>(tick => _ = _time.Now);
        Receive<Dead>(OnDead);
        Receive<Taken>(OnTaken);
        Receive<SilenceQuestion>(q => Sender.Tell(new SilenceAnswer(_self.Address, _self.Uid, [.. q.Members.Where(IsSilent)])));
        Receive<SilenceAnswer>(answer =>
        {
            _silentFor[new MemberKey(answer.Address, answer.Uid)] = [.. answer.Silent.Select(s => new MemberKey(s.Address, s.Uid))];
            Decide();
        });
        ReceiveAny(_ => { });
    }

    public ITimerScheduler Timers { get; set; } = null!;

    protected override void PreStart()
    {
        Context.System.EventStream.Subscribe(Self, typeof(AssociationEvent));
        Context.System.EventStream.Subscribe(Self, typeof(RowsRead));
        _cluster.Subscribe(
            Self,
            ClusterEvent.SubscriptionInitialStateMode.InitialStateAsEvents,
            typeof(ClusterEvent.IReachabilityEvent),
            typeof(ClusterEvent.IMemberEvent)
        );

        // So that a time in which this process stood still is known when something is to be decided.
        Timers.StartPeriodicTimer(nameof(Tick), Tick.Instance, TickEvery);
    }

    protected override void PostStop()
    {
        Context.System.EventStream.Unsubscribe(Self);
        _cluster.Unsubscribe(Self);
        _stopping.Cancel();
        _stopping.Dispose();
    }

    /// <summary>Whether this process stood still, and what it knows may be from before.</summary>
    private bool Distrusts()
    {
        _ = _time.Now;
        return _time.PausedUntil is { } paused && paused > _trustedFrom;
    }

    private void OnRows(RowsRead rows)
    {
        _record = rows.Record;
        _trustedFrom = rows.StartedAt;
        _rowsReadAt = rows.ListenedAt;
        _beats.Observe([.. rows.Record.Rows.Select(p => (p.Member.Incarnation, p.Beat))], rows.ListenedAt);
        Decide();
    }

    private MemberRow? Find(MemberKey key) => _record?.Rows.LastOrDefault(p => p.Member.System == key);

    private void Decide()
    {
        if (_cluster.IsTerminated)
        {
            return;
        }

        DowningInput input = new(_self, Members(), _rowsReadAt, Distrusts());
        switch (_rule.Decide(input, _time.Now))
        {
            case DowningStep.Down down:
                Down(down.Victims);
                break;
            case DowningStep.Wait { For: null }:
                _silentFor.Clear();
                break;
            case DowningStep.Wait { For: { } wait }:
                AskOthers(input);
                DecideIn(wait);
                break;
            case DowningStep.Take take when !_taking:
                Take(take.Victims);
                break;
            case DowningStep.EndLife end:
                Context.System.EventStream.Publish(new LifeLost(end.Reason));
                break;
        }
    }

    /// <summary>
    /// Those that are down already, or leave and have said goodbye, are none any more. A life that is down on record counts as dead: it has
    /// to end.
    /// </summary>
    private DowningMember[] Members()
    {
        ClusterEvent.CurrentClusterState state = _cluster.State;
        Member[] members =
        [
            .. state.Members.Where(m =>
                m.Status is not (AkkaStatus.Down or AkkaStatus.Exiting or AkkaStatus.Removed) && !_downed.Contains(GossipStates.KeyOf(m))
            ),
        ];
        HashSet<MemberKey> unreachable = _proofsOnly ? [] : [.. members.Where(state.Unreachable.Contains).Select(GossipStates.KeyOf)];
        return
        [
            .. members.Select(m =>
            {
                MemberKey key = GossipStates.KeyOf(m);
                MemberRow? row = Find(key);
                bool dead = _dead.Contains(key) || row?.Member.Status == RowStatus.Down;
                return new DowningMember(key, m.Status is AkkaStatus.Up or AkkaStatus.Leaving, !unreachable.Contains(key), dead)
                {
                    Agrees = _silentFor.TryGetValue(key, out HashSet<MemberKey>? silent) && silent.IsSupersetOf(unreachable),
                    BeatMovedAt = row is null ? null : _beats.MovedAt(row.Member.Incarnation),
                };
            }),
        ];
    }

    /// <summary>Asks the reachable ones whether they hear any of the others. Those that changed since are asked anew every time.</summary>
    private void AskOthers(DowningInput input)
    {
        SilenceQuestion question = new([.. _rule.Unreachable.Select(k => new SilentMember(k.Address, k.Uid))]);
        foreach (DowningMember member in input.Members.Where(m => m.Reachable && m.Votes && !m.Agrees && m.Key != _self))
        {
            Context.ActorSelection(member.Key.Address + Self.Path.ToStringWithoutAddress()).Tell(question);
        }
    }

    private bool IsSilent(SilentMember member)
    {
        Address address = Address.Parse(member.Address);
        return !_cluster.FailureDetector.IsAvailable(address)
            || (
                !_cluster.FailureDetector.IsMonitoring(address)
                && _cluster.State.Unreachable.Any(m => GossipStates.KeyOf(m) == new MemberKey(member.Address, member.Uid))
            );
    }

    private void Down(IReadOnlyList<MemberKey> victims)
    {
        foreach (MemberKey victim in victims)
        {
            _dead.Remove(victim);
            _suspects.Remove(victim);

            // Akka downs by the address alone. Looked at anew, right before: a node that was started again has another number there.
            if (
                _cluster.State.Members.FirstOrDefault(m => GossipStates.KeyOf(m) == victim) is not { } member
                || member.Status == AkkaStatus.Down
            )
            {
                continue;
            }

            _downed.Add(victim);

            // Tells Akka.Cluster that this system is gone for good, so that nothing that still arrives from it makes it reachable again.
            Context.System.EventStream.Publish(new QuarantinedEvent(member.UniqueAddress.Address, member.UniqueAddress.Uid));
            long life = Find(victim)?.Member.Incarnation ?? 0;
            LogDowned(_logger, life, victim.Address);
            Context.System.EventStream.Publish(new LifeDowned(life));
            _cluster.Down(member.Address);
        }
    }

    private void Take(IReadOnlyList<MemberKey> victims)
    {
        MemberRow?[] rows = [.. victims.Select(Find)];
        if (_record is not { } record || record.Find(_life) is not { } own || rows.Contains(null))
        {
            Context.System.EventStream.Publish(RowsWanted.Instance);
            DecideIn(TakeAgainAfter);
            return;
        }

        _taking = true;
        long[] lives = [.. rows.Select(p => p!.Member.Incarnation)];
        Task.Run(() => TakeWithinAsync(own.Epoch, record.Decision, lives), _stopping.Token)
            .PipeTo(
                Self,
                success: result => new Taken(victims, result, null),
                failure: e => new Taken(victims, TakeResult.Outdated, e.Message)
            );
    }

    private async Task<TakeResult> TakeWithinAsync(long epoch, long decision, long[] lives)
    {
        using CancellationTokenSource limit = CancellationTokenSource.CreateLinkedTokenSource(_stopping.Token);
        limit.CancelAfter(TakeWithin);
        return await _table.TakeAsync(_life, epoch, decision, lives, limit.Token);
    }

    private void OnTaken(Taken taken)
    {
        _taking = false;
        switch (taken.Result)
        {
            case TakeResult.Taken:
                Down(taken.Victims);
                break;
            case TakeResult.Refused:
                Context.System.EventStream.Publish(new LifeLost("the others have gone on without this life"));
                break;
            default:
                if (taken.Problem is { } problem)
                {
                    LogNotTaken(_logger, problem);
                }

                Context.System.EventStream.Publish(RowsWanted.Instance);
                DecideIn(TakeAgainAfter);
                break;
        }
    }

    private void DecideIn(TimeSpan wait)
    {
        if (!Timers.IsTimerActive(nameof(DecisionDue)))
        {
            Timers.StartSingleTimer(nameof(DecisionDue), DecisionDue.Instance, wait);
        }
    }

    private sealed record Dead(IReadOnlyList<MemberKey> Members) : INoSerializationVerificationNeeded;

    private sealed record Taken(IReadOnlyList<MemberKey> Victims, TakeResult Result, string? Problem) : INoSerializationVerificationNeeded;

    private sealed class DecisionDue : INoSerializationVerificationNeeded
    {
        public static DecisionDue Instance { get; } = new();
    }

    private sealed class ProofDue : INoSerializationVerificationNeeded
    {
        public static ProofDue Instance { get; } = new();
    }

    private sealed class Tick : INoSerializationVerificationNeeded
    {
        public static Tick Instance { get; } = new();
    }
}
