using System.Net;
using System.Net.Sockets;
using System.Threading.Channels;
using ActorTrainer.Training.Protocol;

namespace ActorTrainer.Training.Worker;

/// <summary>
/// The worker's end of the connection to its node. One thread reads all the time, so that a stop and the loss of the node are seen
/// in the middle of a step; any thread may send.
/// </summary>
/// <remarks>
/// Blocking calls on a thread of its own start faster than the asynchronous socket machinery, and start-up is part of fail-over.
/// </remarks>
internal sealed class WorkerLink : IDisposable
{
    private const int MaxLineBytes = 1 << 20;

    private readonly Socket _socket;
    private readonly Action _nodeGone;
    private readonly Action<WorkerMessage>? _received;
    private readonly Channel<WorkerMessage> _inbox = Channel.CreateUnbounded<WorkerMessage>(
        new UnboundedChannelOptions { SingleReader = true, SingleWriter = true }
    );

    private readonly CancellationTokenSource _stopping = new();
    private readonly Lock _sending = new();
    private int _openRequests;
    private volatile bool _closed;
    private volatile bool _closeExpected;

    private WorkerLink(Socket socket, Action nodeGone, Action<WorkerMessage>? received)
    {
        _socket = socket;
        _nodeGone = nodeGone;
        _received = received;
    }

    /// <summary>
    /// Cancelled when the node asks for a stop and no staging that was asked for before it is still open; and when the node is gone.
    /// </summary>
    public CancellationToken Stopping => _stopping.Token;

    /// <summary>Whether the connection is gone.</summary>
    public bool Closed => _closed;

    /// <summary>Connects to a Unix socket (a path) or to <c>tcp://HOST:PORT</c>.</summary>
    /// <param name="address">The value of <c>ACTORTRAINER_SOCKET</c>.</param>
    /// <param name="nodeGone">Called on the reading thread when the node closes the connection unexpectedly.</param>
    /// <param name="received">Called on the reading thread for each message, once it stands in the inbox; null: nobody listens.</param>
    /// <exception cref="SocketException">Nobody listens there.</exception>
    public static WorkerLink Connect(string address, Action nodeGone, Action<WorkerMessage>? received = null)
    {
        Socket socket;
        if (address.StartsWith("tcp://", StringComparison.Ordinal))
        {
            socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            socket.Connect(IPEndPoint.Parse(address.AsSpan(6)));
        }
        else
        {
            socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            socket.Connect(new UnixDomainSocketEndPoint(address));
        }

        WorkerLink link = new(socket, nodeGone, received);
        new Thread(link.Read) { IsBackground = true, Name = "worker link" }.Start();
        return link;
    }

    /// <summary>Sends a message. When the connection is gone nothing happens: the reading thread sees it too.</summary>
    public void Send(WorkerMessage message)
    {
        ReadOnlySpan<byte> line = WorkerCodec.Encode(message).Span;
        try
        {
            lock (_sending)
            {
                while (line.Length > 0)
                {
                    line = line[_socket.Send(line, SocketFlags.None)..];
                }
            }
        }
        catch (Exception problem) when (problem is SocketException or ObjectDisposedException)
        {
            _closed = true;
        }
    }

    /// <summary>The next message if one is there.</summary>
    public bool TryReceive(out WorkerMessage? message) => _inbox.Reader.TryRead(out message);

    /// <summary>Waits for the next message; null when the connection is gone.</summary>
    public async ValueTask<WorkerMessage?> ReceiveAsync()
    {
        while (await _inbox.Reader.WaitToReadAsync())
        {
            if (_inbox.Reader.TryRead(out WorkerMessage? message))
            {
                return message;
            }
        }

        return null;
    }

    /// <summary>A staging that was asked for is answered.</summary>
    public void RequestAnswered() => Interlocked.Decrement(ref _openRequests);

    /// <summary>From now on the node may close the connection at any time.</summary>
    public void ExpectClose() => _closeExpected = true;

    public void Dispose()
    {
        _closeExpected = true;
        _socket.Dispose();
        _stopping.Dispose();
    }

    private void Read()
    {
        byte[] buffer = new byte[4096];
        int filled = 0;
        try
        {
            while (true)
            {
                int read = _socket.Receive(buffer, filled, buffer.Length - filled, SocketFlags.None);
                if (read == 0)
                {
                    break;
                }

                filled += read;
                filled = TakeLines(buffer, filled);
                if (filled == buffer.Length)
                {
                    if (filled >= MaxLineBytes)
                    {
                        break;
                    }

                    Array.Resize(ref buffer, buffer.Length * 2);
                }
            }
        }
        catch (Exception problem) when (problem is SocketException or ObjectDisposedException)
        {
            // Same as an orderly end: the node is gone.
        }

        _closed = true;
        _inbox.Writer.Complete();
        if (!_closeExpected)
        {
            _nodeGone();
        }

        CancelStep();
    }

    private int TakeLines(byte[] buffer, int filled)
    {
        int start = 0;
        int length;
        while ((length = buffer.AsSpan(start, filled - start).IndexOf((byte)'\n')) >= 0)
        {
            if (WorkerCodec.TryDecode(buffer.AsMemory(start, length), out WorkerMessage? message))
            {
                Take(message);
            }

            start += length + 1;
        }

        Buffer.BlockCopy(buffer, start, buffer, 0, filled - start);
        return filled - start;
    }

    private void Take(WorkerMessage message)
    {
        if (message is CheckpointNowMessage)
        {
            Interlocked.Increment(ref _openRequests);
        }

        _inbox.Writer.TryWrite(message);

        // A state that was asked for before the stop is still wanted (the task moves with it), so the step it waits for is finished.
        if (message is StopMessage && Volatile.Read(ref _openRequests) == 0)
        {
            CancelStep();
        }

        _received?.Invoke(message);
    }

    private void CancelStep()
    {
        try
        {
            _stopping.Cancel();
        }
        catch (Exception problem) when (problem is ObjectDisposedException or AggregateException)
        {
            // The loop has ended, or the trainer's own callback threw; either way the reason stands in the inbox.
        }
    }
}
