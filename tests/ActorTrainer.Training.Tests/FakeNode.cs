using System.Collections.Concurrent;
using System.Net.Sockets;
using System.Text;
using ActorTrainer.Core.Tasks;
using ActorTrainer.Training.Protocol;
using ActorTrainer.Training.Worker;

namespace ActorTrainer.Training.Tests;

/// <summary>The node's end of the worker protocol, with the worker's loop running in the same process.</summary>
internal sealed class FakeNode : IAsyncDisposable
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);

    private readonly TemporaryFolder _folder = new();
    private readonly Socket _listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
    private readonly WorkerLink _link;
    private readonly Socket _socket;
    private readonly StreamReader _reader;
    private readonly TaskCompletionSource _nodeGone = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly SemaphoreSlim _taken = new(0);

    public FakeNode(ITrainer trainer, TimeProvider? time = null)
    {
        string path = _folder.Combine("node.sock");
        _listener.Bind(new UnixDomainSocketEndPoint(path));
        _listener.Listen();
        _link = WorkerLink.Connect(path, () => _nodeGone.SetResult(), _ => _taken.Release());
        _socket = _listener.Accept();
        _reader = new StreamReader(new NetworkStream(_socket), Encoding.UTF8);
        RunDirectory = _folder.Sub("run");
        StagingDirectory = _folder.Sub("staging");
        RestoreDirectory = _folder.Sub("restore");
        Worker = Task.Run(() => new WorkerLoop(_link, "task-a/3-7", (_, _) => trainer, time ?? TimeProvider.System, Errors).RunAsync());
    }

    public string RunDirectory { get; }

    public string StagingDirectory { get; }

    public string RestoreDirectory { get; }

    public StringWriter Errors { get; } = new();

    /// <summary>The loop; its result is the exit code.</summary>
    public Task<int> Worker { get; }

    /// <summary>Ends when the worker noticed that the connection was closed on it.</summary>
    public Task NodeGone => _nodeGone.Task.WaitAsync(Deadline);

    /// <summary>Everything received so far, in order.</summary>
    public List<WorkerMessage> Received { get; } = [];

    /// <summary>Sends messages in one piece; ends when they stand in the worker's inbox.</summary>
    public async Task SendAsync(params WorkerMessage[] messages)
    {
        _socket.Send(messages.SelectMany(message => message.ToLine()).ToArray());
        for (int i = 0; i < messages.Length; i++)
        {
            (await _taken.WaitAsync(Deadline)).ShouldBeTrue("the worker did not take the message");
        }
    }

    public void SendText(string text) => _socket.Send(Encoding.UTF8.GetBytes(text));

    /// <summary>Waits for the next message of a kind; those of other kinds before it are passed over.</summary>
    public async Task<T> ExpectAsync<T>()
        where T : WorkerMessage
    {
        using CancellationTokenSource deadline = new(Deadline);
        while (true)
        {
            string line =
                await _reader.ReadLineAsync(deadline.Token)
                ?? throw new InvalidOperationException($"the worker closed the connection before a {typeof(T).Name}; errors: {Errors}");
            WorkerMessage.TryParse(Encoding.UTF8.GetBytes(line), out WorkerMessage? message).ShouldBeTrue(line);
            Received.Add(message!);
            if (message is T expected)
            {
                return expected;
            }
        }
    }

    /// <summary>Answers hello, waits for ready and lets the trainer go.</summary>
    public async Task BeginAsync(
        CheckpointSpec? policy = null,
        bool restore = false,
        StagingMemory? memory = null,
        MemoryState? state = null,
        TimeSpan? pace = null
    )
    {
        await ExpectAsync<HelloMessage>();
        await SendInitAsync(memory);
        await ExpectAsync<ReadyMessage>();
        await SendAsync(
            new BeginMessage(restore, policy ?? new CheckpointSpec { Strategy = CheckpointStrategy.Event }, null)
            {
                Memory = state,
                Pace = pace,
            }
        );
    }

    public Task SendInitAsync(StagingMemory? memory = null) =>
        SendAsync(
            new InitMessage("task-a/3-7", "Some.Trainer", null, null, RunDirectory, StagingDirectory, RestoreDirectory) { Memory = memory }
        );

    /// <summary>Memory for states: files, which a worker maps as it maps what a node shares.</summary>
    public StagingMemory Memory(long limit, int areas = 3, params int[] held) =>
        new([.. Enumerable.Range(0, areas).Select(area => NewFile($"area{area}"))], limit, held);

    private string NewFile(string name)
    {
        string path = _folder.Combine(name);
        File.WriteAllBytes(path, []);
        return path;
    }

    public async Task<int> ExitAsync() => await Worker.WaitAsync(Deadline);

    public void Close() => _socket.Dispose();

    public async ValueTask DisposeAsync()
    {
        _socket.Dispose();
        try
        {
            await Worker.WaitAsync(Deadline);
        }
        finally
        {
            _link.Dispose();
            _listener.Dispose();
            _reader.Dispose();
            _folder.Dispose();
        }
    }
}

/// <summary>Counts steps; each waits until the test allows it.</summary>
internal sealed class SteppedTrainer(int stepsPerEpoch = 10, int totalSteps = 1000) : ITrainer
{
    private readonly SemaphoreSlim _permits = new(0);
    private readonly double[] _state = new double[4];
    private readonly ConcurrentDictionary<long, TaskCompletionSource> _waits = new();

    public long Step { get; private set; }

    public int SavesThatFail { get; set; }

    public Exception? Fails { get; set; }

    public Action? OnStep { get; set; }

    public Action? OnSave { get; set; }

    public TrainerContext? Context { get; private set; }

    public ReadOnlySpan<double> State => _state;

    public void Allow(int steps) => _permits.Release(steps);

    /// <summary>Ends when the step has been done, told, and the next one has begun.</summary>
    public Task WaitsAfterAsync(long step) => Waits(step).Task;

    public ValueTask InitializeAsync(TrainerContext context, CancellationToken cancellationToken)
    {
        Context = context;
        return ValueTask.CompletedTask;
    }

    public async ValueTask<StepResult> StepAsync(CancellationToken cancellationToken)
    {
        Waits(Step).TrySetResult();
        await _permits.WaitAsync(cancellationToken);
        if (Fails is not null)
        {
            throw Fails;
        }

        OnStep?.Invoke();
        Step++;
        _state[Step % 4] += 1.0 / Step;
        return new StepResult(
            Step,
            totalSteps,
            (double)Step / stepsPerEpoch,
            Step % stepsPerEpoch == 0,
            Step == totalSteps,
            new Dictionary<string, double> { ["loss"] = 1.0 / Step }
        );
    }

    private TaskCompletionSource Waits(long step) =>
        _waits.GetOrAdd(step, _ => new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));

    public ValueTask SaveAsync(CheckpointWriter writer, CancellationToken cancellationToken)
    {
        if (SavesThatFail > 0)
        {
            SavesThatFail--;
            throw new IOException("No space left on device");
        }

        OnSave?.Invoke();
        writer.WriteTensor("state", _state);
        writer.WriteTensor("step", [Step]);
        return ValueTask.CompletedTask;
    }

    public ValueTask LoadAsync(CheckpointReader reader, CancellationToken cancellationToken)
    {
        long[] step = new long[1];
        reader.ReadTensor("state", _state);
        reader.ReadTensor("step", step);
        Step = step[0];
        return ValueTask.CompletedTask;
    }

    public ValueTask<IReadOnlyDictionary<string, double>> EvaluateAsync(CancellationToken cancellationToken)
    {
        Context!.SetResult("steps", Step);
        return ValueTask.FromResult<IReadOnlyDictionary<string, double>>(new Dictionary<string, double> { ["accuracy"] = Step / 100.0 });
    }
}
