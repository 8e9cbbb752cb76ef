using System.Net.Sockets;
using System.Threading.Channels;
using ActorTrainer.Training.Protocol;

namespace ActorTrainer.Runtime.Workers;

/// <summary>One worker at the socket.</summary>
internal sealed class WorkerConnection(Socket socket) : IDisposable
{
    private const int MaxLineBytes = 1 << 20;
    private readonly Channel<WorkerMessage> _outgoing = Channel.CreateUnbounded<WorkerMessage>(
        new UnboundedChannelOptions { SingleReader = true }
    );
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Whose connection it is; set by the host after hello.</summary>
    public WorkerRun? Run { get; set; }

    /// <summary>Whether the worker can stage states in memory.</summary>
    public bool TakesMemory { get; set; }

    /// <summary>Whether the worker follows the pace of saves that it is told.</summary>
    public bool IsPaced { get; set; }

    /// <summary>Ends when everything the worker said was handed on and it closed its end.</summary>
    public Task Ended => _ended.Task;

    public void Send(WorkerMessage message) => _ = _outgoing.Writer.TryWrite(message);

    /// <summary>Hands on what the worker says, batch by batch, waiting for each: a flood stays in the socket.</summary>
    public async Task RunAsync(Func<WorkerConnection, IReadOnlyList<WorkerMessage>, Task> handle)
    {
        try
        {
            using NetworkStream stream = new(socket, ownsSocket: false);
            Task writer = WriteAsync(stream);
            await foreach (IReadOnlyList<byte[]> lines in JsonLines.ReadBatchesAsync(stream, MaxLineBytes, CancellationToken.None))
            {
                await handle(this, Merge(lines));
            }

            _ = _outgoing.Writer.TryComplete();
            await writer;
        }
        catch (Exception e) when (e is IOException or SocketException or InvalidDataException or ObjectDisposedException)
        {
            // A worker that hangs up is judged by how its process ends.
        }
        finally
        {
            Dispose();
            _ended.SetResult();
        }
    }

    public void Dispose()
    {
        _ = _outgoing.Writer.TryComplete();
        socket.Dispose();
    }

    /// <summary>Progress that was overtaken while it waited is folded into the newest.</summary>
    private static List<WorkerMessage> Merge(IReadOnlyList<byte[]> lines)
    {
        List<WorkerMessage> messages = [];
        foreach (byte[] line in lines)
        {
            if (!WorkerMessage.TryParse(line, out WorkerMessage? message))
            {
                continue;
            }

            if (message is ProgressMessage newer && messages.Count > 0 && messages[^1] is ProgressMessage older)
            {
                Dictionary<string, double> metrics = new(older.Metrics ?? new Dictionary<string, double>());
                foreach ((string name, double value) in newer.Metrics ?? new Dictionary<string, double>())
                {
                    metrics[name] = value;
                }

                messages[^1] = newer with { Metrics = metrics };
                continue;
            }

            messages.Add(message);
        }

        return messages;
    }

    private async Task WriteAsync(NetworkStream stream)
    {
        await foreach (WorkerMessage message in _outgoing.Reader.ReadAllAsync())
        {
            await stream.WriteAsync(message.ToLine());
        }
    }
}
