using ActorTrainer.Akka.Sql;
using Akka.Actor;
using Akka.Cluster;
using Akka.Remote;
using Microsoft.Extensions.Logging;
using AkkaStatus = Akka.Cluster.MemberStatus;
using RowStatus = ActorTrainer.Core.Journaling.MemberStatus;

namespace ActorTrainer.Akka.Members;

/// <summary>
/// Downs a member whose process is gone for certain, without waiting for silence: its connection has ended, or Akka finds it unreachable,
/// and the lock of its life is free. Everything else is left to the split-brain resolver.
/// </summary>
internal sealed partial class CrashWatch : ReceiveActor, IWithTimers
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(50);

    /// <summary>A process that ends frees its locks about when it closes its connections, in any order.</summary>
    private static readonly TimeSpan LookFor = TimeSpan.FromSeconds(1);

    private readonly LifeLock _locks;
    private readonly Func<ClusterSight> _sight;
    private readonly Func<TimeSpan> _now;
    private readonly ILogger _logger;
    private readonly Cluster _cluster;
    private readonly Dictionary<Address, TimeSpan> _suspects = [];
    private readonly CancellationTokenSource _stopping = new();

    public CrashWatch(LifeLock locks, Func<ClusterSight> sight, Func<TimeSpan> now, ILogger logger)
    {
        _locks = locks;
        _sight = sight;
        _now = now;
        _logger = logger;
        _cluster = Cluster.Get(Context.System);
        Receive<AssociationEvent>(e => e is DisassociatedEvent or AssociationErrorEvent && e.RemoteAddress is not null, e => Suspect(e.RemoteAddress));
        Receive<ClusterEvent.UnreachableMember>(e => Suspect(e.Member.Address));
        ReceiveAsync<Look>(_ => LookAsync());
        ReceiveAny(_ => { });
    }

    public ITimerScheduler Timers { get; set; } = null!;

    protected override void PreStart()
    {
        Context.System.EventStream.Subscribe(Self, typeof(AssociationEvent));
        _cluster.Subscribe(Self, ClusterEvent.SubscriptionInitialStateMode.InitialStateAsEvents, typeof(ClusterEvent.UnreachableMember));
    }

    protected override void PostStop()
    {
        Context.System.EventStream.Unsubscribe(Self);
        _cluster.Unsubscribe(Self);
        _stopping.Cancel();
        _stopping.Dispose();
    }

    private void Suspect(Address address)
    {
        _suspects[address] = _now() + LookFor;
        if (!Timers.IsTimerActive(nameof(Look)))
        {
            Timers.StartPeriodicTimer(nameof(Look), Look.Instance, TimeSpan.Zero, LookEvery);
        }
    }

    private async Task LookAsync()
    {
        foreach ((Address address, TimeSpan until) in _suspects.ToArray())
        {
            if (_now() > until || await IsGoneAsync(address))
            {
                _suspects.Remove(address);
            }
        }

        if (_suspects.Count == 0)
        {
            Timers.Cancel(nameof(Look));
        }
    }

    /// <summary>Whether nothing is left to find out about the member at an address; a dead one is downed.</summary>
    private async Task<bool> IsGoneAsync(Address address)
    {
        Member? member = _cluster.State.Members.FirstOrDefault(m => m.Address.Equals(address));
        if (member is null || member.Status is AkkaStatus.Down or AkkaStatus.Exiting or AkkaStatus.Removed)
        {
            return true;
        }

        // A restarted node is another member at the same address, with a life and a lock of its own.
        string text = address.ToString();
        MemberPlace? place = _sight().Places.FirstOrDefault(p => p.AkkaAddress == text && p.AkkaUid == member.UniqueAddress.Uid);
        if (place?.Row.Status == RowStatus.Removed)
        {
            // It has left in order; its system, which is its host's, has gone after it.
            return true;
        }

        if (place is null || await FreeAsync(place.Row.Incarnation) != true)
        {
            return false;
        }

        LogCrashed(_logger, place.Row.Incarnation, text);
        CrashMarks.Of(Context.System.EventStream).Add(text);
        _cluster.Down(address);
        return true;
    }

    private async Task<bool?> FreeAsync(long incarnation)
    {
        try
        {
            return await _locks.IsFreeAsync(incarnation, _stopping.Token);
        }
        catch (Exception e) when (e is System.Data.Common.DbException or OperationCanceledException or TimeoutException or System.Net.Sockets.SocketException)
        {
            return null;
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "member {Incarnation} at {Address} is confirmed lost: its connection ended and its process is gone")]
    private static partial void LogCrashed(ILogger logger, long incarnation, string address);

    private sealed class Look : INoSerializationVerificationNeeded
    {
        public static Look Instance { get; } = new();
    }
}
