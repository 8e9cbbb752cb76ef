using System.Net;
using ActorTrainer.Core.Identity;

namespace ActorTrainer.Checkpoints.Peers;

/// <summary>A file on its way to one node, as a request whose body is handed over piece by piece.</summary>
internal sealed class PeerUpload : IDisposable
{
    /// <summary>How long the other node's disk may take for its sync.</summary>
    private static readonly TimeSpan SyncWithin = TimeSpan.FromMinutes(3);

    private readonly CancellationTokenSource _limit;
    private readonly CancellationTokenSource _either;
    private readonly PieceContent _content = new();
    private readonly Task _sending;

    public PeerUpload(PeerCaller caller, NodeAddress node, string path, CancellationToken cancellationToken)
    {
        Node = node;
        _limit = new CancellationTokenSource(PeerCaller.StandsStillFor, caller.Time);
        _either = CancellationTokenSource.CreateLinkedTokenSource(_limit.Token, cancellationToken);
        _sending = Task.Run(() => caller.SendAsync(node, path, _content, _either.Token), CancellationToken.None);
    }

    /// <summary>Where it goes.</summary>
    public NodeAddress Node { get; }

    /// <summary>Hands over the next bytes, which may be used again when this ends.</summary>
    /// <exception cref="CheckpointStoreException">The node did not take them.</exception>
    public Task WriteAsync(ReadOnlyMemory<byte> bytes) =>
        OrDescribeAsync(async () =>
        {
            _limit.CancelAfter(PeerCaller.StandsStillFor);
            if (await Task.WhenAny(_content.Opened, _sending) == _sending)
            {
                // It was refused before the first byte.
                await _sending;
                throw PeerCaller.NoAnswer(Node, "it ended the transfer early");
            }

            await (await _content.Opened).WriteAsync(bytes, _either.Token);
        });

    /// <summary>Ends when the other node has all of it on its disk.</summary>
    /// <exception cref="CheckpointStoreException">It has not.</exception>
    public Task FinishAsync() =>
        OrDescribeAsync(async () =>
        {
            _limit.CancelAfter(SyncWithin);
            _content.Complete();
            await _sending;
        });

    /// <summary>Breaks the connection off unless it was finished.</summary>
    public void Dispose()
    {
        _limit.Cancel();
        _content.GiveUp();
        OwnThreads.Wait(async () =>
        {
            await _sending.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            return true;
        });
        _content.Dispose();
        _either.Dispose();
        _limit.Dispose();
    }

    private async Task OrDescribeAsync(Func<Task> work)
    {
        try
        {
            await work();
        }
        catch (OperationCanceledException e) when (_limit.IsCancellationRequested)
        {
            throw PeerCaller.NoAnswer(Node, "it took no bytes for too long", e);
        }
        catch (Exception e) when (e is HttpRequestException or IOException or ObjectDisposedException)
        {
            // Why the node ended the connection is in its answer, where there is one.
            if (_sending.IsFaulted && _sending.Exception?.InnerException is CheckpointStoreException refused)
            {
                throw refused;
            }

            throw PeerCaller.NoAnswer(Node, e.Message, e);
        }
    }

    private sealed class PieceContent : HttpContent
    {
        private readonly TaskCompletionSource<Stream> _opened = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly TaskCompletionSource _whole = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task<Stream> Opened => _opened.Task;

        public void Complete() => _whole.TrySetResult();

        public void GiveUp() => _whole.TrySetException(new IOException("the transfer was given up"));

        protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
            SerializeToStreamAsync(stream, context, CancellationToken.None);

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
        {
            _opened.TrySetResult(stream);
            await _whole.Task.WaitAsync(cancellationToken);
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }
}
