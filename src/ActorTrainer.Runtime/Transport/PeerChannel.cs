using System.Collections.Concurrent;
using System.Net.WebSockets;
using ActorTrainer.Core.Configuration;
using ActorTrainer.Core.Identity;
using Microsoft.Extensions.Logging;

namespace ActorTrainer.Runtime.Transport;

/// <summary>Receives a message of another node. Called from one connection at a time, from several at once for several peers; must return soon.</summary>
/// <param name="fromIncarnation">The sender's life.</param>
/// <param name="from">Where it listens.</param>
/// <param name="payload">The message; it belongs to the receiver.</param>
public delegate void PeerReceived(long fromIncarnation, NodeAddress from, ReadOnlyMemory<byte> payload);

/// <summary>
/// Messages between nodes, over one WebSocket for each peer and direction, opened by the first message. In order while a connection lives;
/// lost when the peer cannot be reached, or when it takes less than it is sent: whoever needs an answer asks again.
/// </summary>
public sealed partial class PeerChannel : IPeerAcceptor, IAsyncDisposable
{
    private const int QueueLength = 1024;
    private const int LongestMessage = 16 << 20;

    // Long, for a peer under full load to answer: nobody else waits meanwhile.
    private static readonly TimeSpan DialTimeout = TimeSpan.FromSeconds(10);
    private readonly PeerDialer _dialer;
    private readonly NodeHttpServer _server;
    private readonly PeerReceived _received;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _stopping = new();
    private readonly Lock _gate = new();
    private readonly Dictionary<NodeAddress, Outgoing> _outgoing = [];
    private readonly ConcurrentDictionary<PeerSocket, Task> _running = new();
    private bool _stopped;

    /// <summary>Prepares the channel of one life and opens it to peers.</summary>
    /// <param name="model">Cluster name and token.</param>
    /// <param name="incarnation">This life's number.</param>
    /// <param name="server">Where peers connect; it must listen already.</param>
    /// <param name="received">Receives what peers send.</param>
    /// <param name="loggers">Where it logs.</param>
    /// <param name="time">The clock.</param>
    public PeerChannel(
        NodeModel model, long incarnation, NodeHttpServer server, PeerReceived received, ILoggerFactory loggers, TimeProvider time)
    {
        _server = server;
        _received = received;
        _time = time;
        _logger = loggers.CreateLogger<PeerChannel>();
        PeerIntroduction here = new(model.ClusterName, PeerProtocol.Version, incarnation, server.Address);
        _dialer = new PeerDialer(here, model.Security.Token, time);
        server.Incarnation = incarnation;
        server.Peers = this;
    }

    /// <summary>Sends; never waits. Best effort.</summary>
    public void Send(NodeAddress to, ReadOnlyMemory<byte> payload)
    {
        lock (_gate)
        {
            if (_stopped)
            {
                return;
            }

            if (!_outgoing.TryGetValue(to, out Outgoing? outgoing))
            {
                _outgoing[to] = outgoing = new Outgoing();
            }

            if (outgoing.Socket is { Open: true } socket)
            {
                if (!socket.TrySend(payload))
                {
                    LogLost(_logger, to, "it takes less than it is sent");
                }
            }
            else if (outgoing.Waiting.Count < QueueLength)
            {
                outgoing.Waiting.Enqueue(payload);
                if (!outgoing.Dialing)
                {
                    outgoing.Dialing = true;
                    _ = Task.Run(() => DialAsync(to, outgoing));
                }
            }
        }
    }

    /// <summary>Sends what is queued on open connections, says farewell and closes them.</summary>
    public async ValueTask DisposeAsync()
    {
        if (ReferenceEquals(_server.Peers, this))
        {
            _server.Peers = null;
        }

        lock (_gate)
        {
            if (_stopped)
            {
                return;
            }

            _stopped = true;
        }

        Task[] tasks = [.. _running.Values];
        foreach (PeerSocket socket in _running.Keys)
        {
            socket.Close();
        }

        await Task.WhenAll(tasks);
        await _stopping.CancelAsync();
        _dialer.Dispose();
    }

    async Task IPeerAcceptor.AcceptAsync(PeerIntroduction peer, WebSocket socket, CancellationToken cancellationToken)
    {
        using CancellationTokenSource either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _stopping.Token);
        PeerSocket accepted = new(socket, 1, LongestMessage, _time, either.Token);
        await RunAsync(accepted, payload => Receive(peer, payload));
    }

    private void Receive(PeerIntroduction peer, ReadOnlyMemory<byte> payload)
    {
        try
        {
            _received(peer.Incarnation, peer.Address, payload);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            // One message that cannot be handled must not end the connection for those behind it.
            LogReceiverFailed(_logger, peer.Address, e);
        }
    }

    private async Task DialAsync(NodeAddress to, Outgoing outgoing)
    {
        DialOutcome outcome;
        try
        {
            outcome = await _dialer.DialAsync(to, PeerProtocol.NodePath, DialTimeout, _stopping.Token);
        }
        catch (OperationCanceledException)
        {
            return;
        }

        PeerSocket? socket = null;
        int lost = 0;
        lock (_gate)
        {
            outgoing.Dialing = false;
            if (outcome.Socket is not null && !_stopped)
            {
                socket = new PeerSocket(outcome.Socket, QueueLength, LongestMessage, _time, _stopping.Token);
                outgoing.Socket = socket;
                foreach (ReadOnlyMemory<byte> payload in outgoing.Waiting)
                {
                    socket.TrySend(payload);
                }
            }
            else
            {
                lost = outgoing.Waiting.Count;
            }

            outgoing.Waiting.Clear();
        }

        if (socket is not null)
        {
            await RunAsync(socket, static _ => { });
            return;
        }

        outcome.Socket?.Dispose();
        LogUnreachable(_logger, to, lost, outcome.Failure ?? "this node stops");
    }

    private async Task RunAsync(PeerSocket socket, Action<ReadOnlyMemory<byte>> received)
    {
        TaskCompletionSource ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
        _running[socket] = ended.Task;
        try
        {
            await socket.RunAsync(received);
        }
        finally
        {
            _running.TryRemove(socket, out _);
            ended.TrySetResult();
        }
    }

    private sealed class Outgoing
    {
        public PeerSocket? Socket { get; set; }

        public bool Dialing { get; set; }

        public Queue<ReadOnlyMemory<byte>> Waiting { get; } = new();
    }
}
