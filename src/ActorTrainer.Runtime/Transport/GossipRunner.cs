using System.Net.WebSockets;
using System.Text.Json;
using ActorTrainer.Core;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Membership;
using Microsoft.Extensions.Logging;

namespace ActorTrainer.Runtime.Transport;

/// <summary>
/// Drives one life's <see cref="MembershipCore"/> on a thread of its own: its ticks come from that thread's own wait on the monotonic clock, so
/// a busy thread pool delays no heartbeat. Nothing on this thread waits for the network.
/// </summary>
public sealed partial class GossipRunner : IPeerAcceptor, IAsyncDisposable
{
    private const int QueueLength = 8192;
    private const int MostBeforeTick = 1024;

    // For a peer that is stopped the kernel still accepts. Shorter than the core waits for an answer.
    private static readonly TimeSpan DialTimeout = TimeSpan.FromSeconds(3);

    private readonly GossipSettings _settings;
    private readonly MembershipCore _core;
    private readonly DeterministicRandom _random;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly FreshProber _prober;
    private readonly GossipLinks _links;
    private readonly NodeHttpServer _server;
    private readonly long _startedAt;
    private readonly Lock _gate = new();
    private readonly Queue<Action> _queue = new();
    private readonly SemaphoreSlim _queued = new(0);
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationTokenSource _stopping = new();
    private readonly HashSet<NodeAddress> _refusals = [];
    private volatile MembershipView _view;
    private volatile bool _stop;
    private bool _started;
    private bool _refused;
    private long _dropped;
    private GossipMessage? _encodedMessage;
    private ReadOnlyMemory<byte> _encoded;

    /// <summary>Prepares the gossip of one life; nothing is sent before it is started.</summary>
    /// <param name="settings">This life.</param>
    /// <param name="server">Where peers connect; it must listen already.</param>
    /// <param name="loggers">Where it logs.</param>
    /// <param name="time">A monotonic clock.</param>
    public GossipRunner(GossipSettings settings, NodeHttpServer server, ILoggerFactory loggers, TimeProvider time)
    {
        _settings = settings;
        _server = server;
        _time = time;
        _logger = loggers.CreateLogger<GossipRunner>();
        _random = new DeterministicRandom(settings.Seed ^ (ulong)settings.Incarnation);
        _startedAt = time.GetTimestamp();
        MemberRecord self = new(
            settings.Incarnation, settings.Address, settings.Name, settings.Model.Slots, MemberState.Joining, 0, settings.Cordoned);
        _core = new MembershipCore(self, settings.Model.SeedNodes, settings.Model.Membership);
        _view = _core.View;
        PeerIntroduction here = new(settings.Model.ClusterName, PeerProtocol.Version, settings.Incarnation, settings.Address);
        _prober = new FreshProber(settings.Model.ClusterName, settings.Model.Security.Token, time);
        PeerDialer dialer = new(here, settings.Model.Security.Token, time);
        _links = new GossipLinks(dialer, DialTimeout, time, Post, Feed, Receive, _stopping.Token) { Refused = OnRefused };
    }

    /// <summary>The newest view; version 0 until the node has joined.</summary>
    public MembershipView View => _view;

    /// <summary>Joins: opens itself to peers and starts the thread.</summary>
    public void Start()
    {
        _server.Incarnation = _settings.Incarnation;
        _server.Gossip = this;
        _started = true;
        new Thread(Run) { IsBackground = true, Name = "actortrainer-gossip", Priority = ThreadPriority.Highest }.Start();
    }

    /// <summary>Tells the others what this node is now: up, cordoned, leaving.</summary>
    public void ChangeSelf(MemberState state, bool cordoned) => Post(() => Feed(new GossipSelfChanged(state, cordoned)));

    /// <summary>Tells gossip what the journal or an operator says of another life: down or removed.</summary>
    public void Declare(long incarnation, MemberState state) => Post(() => Feed(new GossipDeclared(incarnation, state)));

    /// <summary>
    /// Leaves in order: tells everyone that this life is removed, says farewell on every connection, and stops. To be followed by the end of
    /// <see cref="PeerChannel"/> and of the server.
    /// </summary>
    public async Task LeaveAsync()
    {
        if (_started)
        {
            ChangeSelf(MemberState.Removed, false);
        }

        await StopAsync(farewell: true);
    }

    /// <summary>Stops without a word, as a crash would: connections are reset.</summary>
    public Task AbortAsync() => StopAsync(farewell: false);

    /// <inheritdoc />
    public async ValueTask DisposeAsync() => await StopAsync(farewell: true);

    Task IPeerAcceptor.AcceptAsync(PeerIntroduction peer, WebSocket socket, CancellationToken cancellationToken) =>
        _links.AcceptAsync(peer, socket, cancellationToken);

    private async Task StopAsync(bool farewell)
    {
        if (ReferenceEquals(_server.Gossip, this))
        {
            _server.Gossip = null;
        }

        bool first = false;
        lock (_gate)
        {
            first = !_stop;
            if (first)
            {
                // The last of the queue: what was posted before, such as the farewell record, is sent before.
                _queue.Enqueue(() => _stop = true);
                _queued.Release();
            }
        }

        if (first && !_started)
        {
            _ended.TrySetResult();
        }

        await _ended.Task;
        if (farewell)
        {
            await _links.CloseAsync();
        }
        else
        {
            _links.Abort();
        }

        await _stopping.CancelAsync();
        _links.Dispose();
    }

    private void Run()
    {
        TimeSpan interval = _settings.Model.Membership.HeartbeatInterval / 2;
        TimeSpan nextTick = TimeSpan.Zero;
        try
        {
            while (!_stop)
            {
                TimeSpan wait = nextTick - Now();
                if (wait > TimeSpan.Zero)
                {
                    // Rounded up: a wait of less than a millisecond would spin.
                    _queued.Wait(TimeSpan.FromMilliseconds(double.Ceiling(wait.TotalMilliseconds)));
                }

                // A flood of messages must not keep the tick away for good.
                for (int i = 0; i < MostBeforeTick && !_stop && TryTake(out Action? action); i++)
                {
                    action();
                }

                if (Now() >= nextTick && !_stop)
                {
                    nextTick = Now() + interval;
                    Feed(new GossipTick());
                    _links.CloseIdle();
                }
            }
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            LogFailed(_logger, e);
            // Without a failure detector this life must not go on: it is over as if the others had said so.
            MembershipView last = _view;
            MemberRecord[] members = [.. last.Members.Select(member => member.Incarnation == last.Self ? member with { State = MemberState.Down } : member)];
            _settings.ViewChanged(last with { Version = last.Version + 1, Members = members, Reachable = [] });
        }
        finally
        {
            _stop = true;
            _ended.TrySetResult();
        }
    }

    private TimeSpan Now() => _time.GetElapsedTime(_startedAt);

    private bool TryTake([System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out Action? action)
    {
        lock (_gate)
        {
            if (_queue.TryDequeue(out action))
            {
                // Takes the matching signal, if the wait has not taken it.
                _queued.Wait(0);
                return true;
            }

            return false;
        }
    }

    /// <summary>Queues something for the gossip thread. Never lost: there are only so many connections and questions.</summary>
    private void Post(Action action)
    {
        lock (_gate)
        {
            _queue.Enqueue(action);
            _queued.Release();
        }
    }

    /// <summary>Queues a message. When the queue is full it is lost, as the network may lose it.</summary>
    private void Receive(GossipReceived message)
    {
        lock (_gate)
        {
            if (_queue.Count < QueueLength)
            {
                _queue.Enqueue(() => Feed(message));
                _queued.Release();
            }
            else
            {
                _dropped++;
            }
        }
    }

    private void Feed(GossipInput input)
    {
        foreach (GossipEffect effect in _core.Step(input, Now(), _random))
        {
            Start(effect);
        }

        long dropped = 0;
        lock (_gate)
        {
            (dropped, _dropped) = (_dropped, 0);
        }

        if (dropped > 0)
        {
            LogOverrun(_logger, dropped);
        }
    }

    private void Start(GossipEffect effect)
    {
        switch (effect)
        {
            case SendGossip send:
                _links.Send(send.To, send.Address, Encode(send.Message));
                break;
            case ConnectGossip connect:
                _links.Connect(connect.Address);
                break;
            case DisconnectGossip disconnect:
                _links.Disconnect(disconnect.Incarnation, disconnect.Address);
                break;
            case ProbeFresh probe:
                _ = ProbeAsync(probe);
                break;
            case CheckLifeLock check:
                _ = CheckAsync(check.Incarnation);
                break;
            case PublishView publish:
                _view = publish.View;
                _settings.ViewChanged(publish.View);
                break;
            case MemberLost lost:
                LogLost(_logger, _view.Find(lost.Incarnation)?.Name ?? "?", lost.Incarnation, lost.Silence.TotalMilliseconds, lost.Evidence);
                _settings.Lost?.Invoke(lost);
                break;
            default:
                throw new InvalidOperationException($"{effect.GetType().Name} is not handled");
        }
    }

    // News goes to everyone: encoded once.
    private ReadOnlyMemory<byte> Encode(GossipMessage message)
    {
        if (!ReferenceEquals(message, _encodedMessage))
        {
            _encodedMessage = message;
            _encoded = JsonSerializer.SerializeToUtf8Bytes(message, CoreJsonContext.Default.GossipMessage);
        }

        return _encoded;
    }

    private async Task ProbeAsync(ProbeFresh probe)
    {
        try
        {
            // Not on the gossip thread: even a connection to loopback takes its time.
            FreshProbe outcome = await Task.Run(
                () => _prober.ProbeAsync(probe.Address, probe.Incarnation, probe.Timeout, _stopping.Token), _stopping.Token);
            Post(() => Feed(new GossipFreshProbed(probe.Incarnation, outcome)));
        }
        catch (OperationCanceledException)
        {
            // This life is over.
        }
    }

    private async Task CheckAsync(long incarnation)
    {
        bool? free = null;
        try
        {
            free = await Task.Run(() => _settings.LifeLock(incarnation, _stopping.Token), _stopping.Token);
        }
        catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
        {
            return;
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            // The journal cannot tell; other observers can.
            LogLifeLockUnknown(_logger, incarnation, e);
        }

        Post(() => Feed(new GossipLifeLockChecked(incarnation, free)));
    }

    private void OnRefused(NodeAddress address, string reason)
    {
        LogRefused(_logger, address, reason);
        IReadOnlyList<NodeAddress> seeds = _settings.Model.SeedNodes;
        if (_refused || _view.Version > 0 || seeds.Count == 0 || seeds[0] == _settings.Address || !seeds.Contains(address))
        {
            return;
        }

        _refusals.Add(address);
        // A later seed may be the one that is set up wrongly: it alone does not end the node.
        if (address == seeds[0] || seeds.All(seed => seed == _settings.Address || _refusals.Contains(seed)))
        {
            _refused = true;
            _settings.Refused?.Invoke($"refused by seed node {address}: {reason}");
        }
    }
}
