using System.Buffers;
using System.Net.WebSockets;
using System.Threading.Channels;

namespace ActorTrainer.Runtime.Transport;

/// <summary>
/// An open WebSocket to a peer with a bounded queue of outgoing messages and a writer of its own: sending never waits. What does not fit is lost,
/// which a silent peer must be able to cause without harm.
/// </summary>
internal sealed class PeerSocket
{
    private static readonly TimeSpan FarewellTime = TimeSpan.FromMilliseconds(300);
    private readonly WebSocket _socket;
    private readonly int _longestMessage;
    private readonly TimeProvider _time;
    private readonly Channel<ReadOnlyMemory<byte>> _outgoing;
    private readonly CancellationTokenSource _aborted;
    private volatile bool _closedHere;
    private volatile ITimer? _limit;

    public PeerSocket(WebSocket socket, int queueLength, int longestMessage, TimeProvider time, CancellationToken cancellationToken)
    {
        _socket = socket;
        _longestMessage = longestMessage;
        _time = time;
        _aborted = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        _outgoing = Channel.CreateBounded<ReadOnlyMemory<byte>>(new BoundedChannelOptions(queueLength)
        {
            SingleReader = true,
            FullMode = BoundedChannelFullMode.Wait,
        });
    }

    public bool Open => !_closedHere && !_aborted.IsCancellationRequested && _socket.State == WebSocketState.Open;

    /// <summary>Queues a message; false when it is lost.</summary>
    public bool TrySend(ReadOnlyMemory<byte> message) => _outgoing.Writer.TryWrite(message);

    /// <summary>Sends what is queued, says farewell, and ends when that is answered; after a moment without it.</summary>
    public void Close()
    {
        _closedHere = true;
        _limit = _time.CreateTimer(static state => ((PeerSocket)state!).Abort(), this, FarewellTime, Timeout.InfiniteTimeSpan);
        _outgoing.Writer.TryComplete();
    }

    /// <summary>Ends at once, without farewell.</summary>
    public void Abort()
    {
        _closedHere = true;
        _outgoing.Writer.TryComplete();
        _socket.Abort();
        try
        {
            _aborted.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // It has ended already.
        }
    }

    /// <summary>Runs until the connection ends, and says how.</summary>
    /// <param name="received">Called for each message, in order; the memory is the receiver's.</param>
    public async Task<PeerSocketEnd> RunAsync(Action<ReadOnlyMemory<byte>> received)
    {
        Task writing = WriteAsync();
        bool farewell = false;
        try
        {
            farewell = await ReadAsync(received);
        }
        catch (Exception e) when (e is WebSocketException or OperationCanceledException or IOException or ObjectDisposedException or InvalidOperationException)
        {
            // The end of the stream; what it means is judged elsewhere.
        }

        bool closedHere = _closedHere;
        _outgoing.Writer.TryComplete();
        if (farewell)
        {
            // The farewell is answered; not for ever, should the peer not read it.
            _limit ??= _time.CreateTimer(static state => ((PeerSocket)state!).Abort(), this, FarewellTime, Timeout.InfiniteTimeSpan);
        }
        else
        {
            await _aborted.CancelAsync();
        }

        await writing;
        _limit?.Dispose();
        _socket.Abort();
        _aborted.Dispose();
        return closedHere ? PeerSocketEnd.ClosedHere : farewell ? PeerSocketEnd.ClosedThere : PeerSocketEnd.Broken;
    }

    /// <summary>True when the peer said farewell.</summary>
    private async Task<bool> ReadAsync(Action<ReadOnlyMemory<byte>> received)
    {
        ArrayBufferWriter<byte> message = new(1024);
        while (true)
        {
            ValueWebSocketReceiveResult part = await _socket.ReceiveAsync(message.GetMemory(1024), _aborted.Token);
            if (part.MessageType == WebSocketMessageType.Close)
            {
                return true;
            }

            message.Advance(part.Count);
            if (message.WrittenCount > _longestMessage)
            {
                return false;
            }

            if (part.EndOfMessage)
            {
                received(message.WrittenSpan.ToArray());
                message.ResetWrittenCount();
            }
        }
    }

    private async Task WriteAsync()
    {
        try
        {
            await foreach (ReadOnlyMemory<byte> message in _outgoing.Reader.ReadAllAsync(_aborted.Token))
            {
                await _socket.SendAsync(message, WebSocketMessageType.Binary, true, _aborted.Token);
            }

            await _socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, _aborted.Token);
        }
        catch (Exception e) when (e is WebSocketException or OperationCanceledException or IOException or ObjectDisposedException or InvalidOperationException)
        {
            // The reader notices as well and reports the end.
        }
    }
}

/// <summary>How a connection to a peer ended.</summary>
internal enum PeerSocketEnd
{
    /// <summary>By this node.</summary>
    ClosedHere,

    /// <summary>The peer said farewell.</summary>
    ClosedThere,

    /// <summary>The stream ended without farewell.</summary>
    Broken,
}
