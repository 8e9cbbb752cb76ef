using System.Text;
using ActorTrainer.Cli.Hosting;
using ActorTrainer.Core.Configuration;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Tasks;
using ActorTrainer.Testing.Api;

namespace ActorTrainer.Cli.Tests.Commands;

/// <summary>Runs the command line in this process, with its own streams, environment and clock.</summary>
internal sealed class CliRun
{
    private readonly Dictionary<string, string> _environment = [];

    public NodeAddress? Node { get; init; }

    public bool Terminal { get; init; }

    public string Folder { get; init; } = "/home/ada";

    public int Width { get; init; } = CliContext.PipedWidth;

    public string? Umask { get; init; }

    public CancellationToken Interrupt { get; init; }

    public FakeFiles Files { get; } = new();

    public FakeHost Host { get; } = new();

    public WatchedStream Output { get; } = new();

    public LineWatch Error { get; } = new();

    public CliRun With(string variable, string value)
    {
        _environment[variable] = value;
        return this;
    }

    public async Task<CliResult> RunAsync(params string[] args)
    {
        CliContext cli = new(Output, Error)
        {
            OutIsTerminal = Terminal,
            Width = Width,
            Environment = _environment.GetValueOrDefault,
            Umask = () => Umask,
            WorkingDirectory = Folder,
            Time = new FixedClock(SampleCluster.Now),
            Files = Files,
            NodeHost = Host,
            Interrupt = () => Interrupt,
        };
        string[] all = Node is { } node ? [.. Before(args), "--node", node.ToString(), .. After(args)] : args;
        int code = await CliProgram.RunAsync(all, cli);
        return new CliResult(code, Output.Text, Error.ToString());
    }

    private static IEnumerable<string> Before(string[] args) => args.TakeWhile(arg => arg != "--");

    private static IEnumerable<string> After(string[] args) => args.SkipWhile(arg => arg != "--");

    /// <summary>A wall clock that stands still; timers go on.</summary>
    private sealed class FixedClock(DateTimeOffset now) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => now;
    }

    /// <summary>Files that are only pretended.</summary>
    internal sealed class FakeFiles : IConfigurationFiles
    {
        public ConfigException? Mistake { get; set; }

        public IReadOnlyList<Flag> Flags { get; private set; } = [];

        public TaskSpec Task { get; set; } = new() { Name = "from-file", Command = ["true"] };

        public NodeModel ReadNode(string? file, IReadOnlyList<Flag> flags)
        {
            Flags = flags;
            string folder = Path.GetTempPath();
            return Mistake is not null
                ? throw Mistake
                : new NodeModel
                {
                    DataDir = folder,
                    Journal = new JournalModel { Path = Path.Combine(folder, "journal.db") },
                    Checkpoints = new CheckpointStoreModel { Path = folder },
                };
        }

        /// <summary>What of the task is bundled, when there is something.</summary>
        public BundleSource? Bundle { get; set; }

        public TaskDraft ReadTask(string file, string workingDirectory, IReadOnlyList<Flag> flags)
        {
            Flags = flags;
            return Mistake is null ? new TaskDraft(Task, Bundle) : throw Mistake;
        }

        public string Check(string file, string workingDirectory) => Mistake is null ? "a node's configuration" : throw Mistake;

        public string Render(string file, string workingDirectory) => Mistake is null ? "actortrainer {}\n" : throw Mistake;
    }

    /// <summary>A node that ends at once.</summary>
    internal sealed class FakeHost : INodeHost
    {
        public NodeModel? Started { get; private set; }

        public Task<int> RunAsync(NodeModel model, CancellationToken cancellationToken)
        {
            Started = model;
            return Task.FromResult(0);
        }
    }
}

/// <summary>What a command wrote and its exit code.</summary>
internal sealed record CliResult(int Code, string Out, string Error);

/// <summary>Texts that someone waits for.</summary>
internal sealed class Awaited
{
    private readonly Lock _gate = new();
    private readonly List<(string Text, TaskCompletionSource Seen)> _entries = [];
    private string _now = "";

    public string Now
    {
        get
        {
            lock (_gate)
            {
                return _now;
            }
        }
    }

    public void Append(string text)
    {
        lock (_gate)
        {
            _now += text;
            foreach ((_, TaskCompletionSource seen) in _entries.Where(entry => _now.Contains(entry.Text, StringComparison.Ordinal)))
            {
                seen.TrySetResult();
            }
        }
    }

    public Task WaitForAsync(string text)
    {
        lock (_gate)
        {
            if (_now.Contains(text, StringComparison.Ordinal))
            {
                return Task.CompletedTask;
            }

            TaskCompletionSource seen = new(TaskCreationOptions.RunContinuationsAsynchronously);
            _entries.Add((text, seen));
            return seen.Task;
        }
    }
}

/// <summary>Standard output that can be waited on.</summary>
internal sealed class WatchedStream : MemoryStream
{
    private readonly Awaited _text = new();

    public string Text => _text.Now;

    public Task WaitForAsync(string text) => _text.WaitForAsync(text);

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override void Write(ReadOnlySpan<byte> buffer) => _text.Append(Encoding.UTF8.GetString(buffer));

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        Write(buffer.Span);
        return ValueTask.CompletedTask;
    }
}

/// <summary>Standard error that can be waited on.</summary>
internal sealed class LineWatch : StringWriter
{
    private readonly Awaited _text = new();

    public Task WaitForAsync(string text) => _text.WaitForAsync(text);

    public override void WriteLine(string? value) => _text.Append(value + "\n");

    public override Task WriteLineAsync(string? value)
    {
        WriteLine(value);
        return Task.CompletedTask;
    }

    public override string ToString() => _text.Now;
}
