using System.Collections.Concurrent;
using System.Net.WebSockets;
using System.Text.Json;
using ActorTrainer.Core;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Membership;

namespace ActorTrainer.Runtime.Transport;

/// <summary>
/// The gossip connections of one life, opened by it or by its peers. All tables belong to the gossip thread; what happens on sockets comes back
/// through <paramref name="post"/>.
/// </summary>
/// <param name="dialer">Opens connections.</param>
/// <param name="dialTimeout">How long that may take.</param>
/// <param name="time">The clock.</param>
/// <param name="post">Runs an action on the gossip thread.</param>
/// <param name="feed">Hands an input to the core, on the gossip thread.</param>
/// <param name="receive">Hands a received message to the core; may lose it.</param>
/// <param name="stopping">Ends everything.</param>
internal sealed class GossipLinks(
    PeerDialer dialer,
    TimeSpan dialTimeout,
    TimeProvider time,
    Action<Action> post,
    Action<GossipInput> feed,
    Action<GossipReceived> receive,
    CancellationToken stopping) : IDisposable
{
    private const int QueueLength = 256;
    private const int LongestMessage = 4 << 20;
    private static readonly TimeSpan IdleTime = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(1);
    private readonly Dictionary<NodeAddress, Link> _opened = [];
    private readonly Dictionary<long, PeerSocket> _accepted = [];

    // Every socket that runs, for the end: the tasks that run them, by socket.
    private readonly ConcurrentDictionary<PeerSocket, Task> _running = new();

    /// <summary>A peer is there and will not speak with this node.</summary>
    public Action<NodeAddress, string>? Refused { get; init; }

    /// <summary>Opens a standing connection; answers at once when there is one.</summary>
    public void Connect(NodeAddress address)
    {
        Link link = Open(address, again: true);
        link.Standing = true;
        if (link.Socket is { Open: true })
        {
            // Queued and not fed: this is called while the core is at work.
            post(() => feed(new GossipConnected(address, link.Incarnation)));
        }
    }

    public void Disconnect(long incarnation, NodeAddress address)
    {
        if (_opened.TryGetValue(address, out Link? link) && link.Incarnation == incarnation)
        {
            _opened.Remove(address);
            link.Socket?.Close();
        }
    }

    /// <summary>Sends over any connection there is with this life, else opens one. Lost when it cannot be delivered.</summary>
    public void Send(long to, NodeAddress address, ReadOnlyMemory<byte> message)
    {
        if (_opened.TryGetValue(address, out Link? link) && link.Socket is { Open: true } socket && link.Incarnation == to)
        {
            link.UsedAt = time.GetTimestamp();
            socket.TrySend(message);
        }
        else if (_accepted.TryGetValue(to, out PeerSocket? accepted) && accepted.Open)
        {
            accepted.TrySend(message);
        }
        else
        {
            link = Open(address, again: false);
            if (link.Dialing && link.Waiting.Count < QueueLength)
            {
                link.Waiting.Enqueue((to, message));
            }
        }
    }

    /// <summary>Closes connections that were opened for a single message and are not used any more.</summary>
    public void CloseIdle()
    {
        foreach ((NodeAddress address, Link link) in _opened.ToArray())
        {
            if (!link.Standing && !link.Dialing && time.GetElapsedTime(link.UsedAt) > (link.Socket is null ? RetryAfter : IdleTime))
            {
                _opened.Remove(address);
                link.Socket?.Close();
            }
        }
    }

    public async Task AcceptAsync(PeerIntroduction peer, WebSocket webSocket, CancellationToken cancellationToken)
    {
        using CancellationTokenSource either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, stopping);
        PeerSocket socket = new(webSocket, QueueLength, LongestMessage, time, either.Token);
        post(() => _accepted[peer.Incarnation] = socket);
        PeerSocketEnd end = await RunAsync(socket, peer.Incarnation);
        post(() =>
        {
            if (_accepted.TryGetValue(peer.Incarnation, out PeerSocket? present) && ReferenceEquals(present, socket))
            {
                _accepted.Remove(peer.Incarnation);
            }

            if (end == PeerSocketEnd.Broken)
            {
                feed(new GossipStreamEnded(peer.Incarnation));
            }
        });
    }

    /// <summary>Says farewell on all connections and waits, briefly, until it is sent.</summary>
    public async Task CloseAsync()
    {
        Task[] tasks = [.. _running.Values];
        foreach (PeerSocket socket in _running.Keys)
        {
            socket.Close();
        }

        await Task.WhenAll(tasks);
    }

    public void Abort()
    {
        foreach (PeerSocket socket in _running.Keys)
        {
            socket.Abort();
        }
    }

    public void Dispose() => dialer.Dispose();

    private Link Open(NodeAddress address, bool again)
    {
        if (_opened.TryGetValue(address, out Link? link))
        {
            // For a single message an address that has just failed is not tried again.
            bool failed = link.Socket is null && time.GetElapsedTime(link.UsedAt) < RetryAfter;
            if (link.Dialing || link.Socket is { Open: true } || (failed && !again))
            {
                return link;
            }
        }

        link = new Link { Dialing = true, UsedAt = time.GetTimestamp() };
        _opened[address] = link;
        _ = DialAsync(address, link);
        return link;
    }

    private async Task DialAsync(NodeAddress address, Link link)
    {
        try
        {
            DialOutcome outcome = await Task.Run(() => dialer.DialAsync(address, PeerProtocol.GossipPath, dialTimeout, stopping), stopping);
            post(() => Dialed(address, link, outcome));
        }
        catch (OperationCanceledException)
        {
            // This life is over.
        }
    }

    private void Dialed(NodeAddress address, Link link, DialOutcome outcome)
    {
        link.Dialing = false;
        link.UsedAt = time.GetTimestamp();
        if (outcome.Socket is null)
        {
            link.Waiting.Clear();
            if (outcome.Refused)
            {
                Refused?.Invoke(address, outcome.Failure!);
            }

            if (link.Standing)
            {
                link.Standing = false;
                feed(new GossipConnectFailed(address, outcome.Failure!));
            }

            return;
        }

        PeerSocket socket = new(outcome.Socket, QueueLength, LongestMessage, time, stopping);
        link.Incarnation = outcome.Incarnation;
        link.Socket = socket;
        foreach ((long to, ReadOnlyMemory<byte> message) in link.Waiting)
        {
            if (to == outcome.Incarnation)
            {
                socket.TrySend(message);
            }
        }

        link.Waiting.Clear();
        _ = RunOpenedAsync(address, link, socket);
        if (!_opened.TryGetValue(address, out Link? present) || !ReferenceEquals(present, link))
        {
            // It was not wanted any more before it was there.
            socket.Close();
        }
        else if (link.Standing)
        {
            feed(new GossipConnected(address, link.Incarnation));
        }
    }

    private async Task RunOpenedAsync(NodeAddress address, Link link, PeerSocket socket)
    {
        PeerSocketEnd end = await RunAsync(socket, link.Incarnation);
        post(() =>
        {
            if (_opened.TryGetValue(address, out Link? present) && ReferenceEquals(present, link))
            {
                _opened.Remove(address);
            }

            if (end == PeerSocketEnd.Broken || (end == PeerSocketEnd.ClosedThere && link.Standing))
            {
                feed(new GossipStreamEnded(link.Incarnation));
            }
        });
    }

    private async Task<PeerSocketEnd> RunAsync(PeerSocket socket, long from)
    {
        TaskCompletionSource ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
        _running[socket] = ended.Task;
        try
        {
            return await socket.RunAsync(bytes => Receive(from, bytes));
        }
        finally
        {
            _running.TryRemove(socket, out _);
            ended.TrySetResult();
        }
    }

    private void Receive(long from, ReadOnlyMemory<byte> bytes)
    {
        try
        {
            if (JsonSerializer.Deserialize(bytes.Span, CoreJsonContext.Default.GossipMessage) is { } message)
            {
                receive(new GossipReceived(from, message));
            }
        }
        catch (JsonException)
        {
            // A kind of message that a newer release knows: lost, as on the network.
        }
    }

    private sealed class Link
    {
        public bool Dialing { get; set; }

        /// <summary>Wanted by the core, which watches the peer over it.</summary>
        public bool Standing { get; set; }

        public long Incarnation { get; set; }

        public PeerSocket? Socket { get; set; }

        public long UsedAt { get; set; }

        public Queue<(long To, ReadOnlyMemory<byte> Message)> Waiting { get; } = new();
    }
}
