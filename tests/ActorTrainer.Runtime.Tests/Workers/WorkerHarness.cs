using System.Diagnostics;
using System.Text.Json;
using ActorTrainer.Checkpoints;
using ActorTrainer.Checkpoints.Bundles;
using ActorTrainer.Core.Configuration;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Tasks;
using ActorTrainer.Runtime.Workers;
using ActorTrainer.Runtime.Workers.Guard;
using Microsoft.Extensions.Logging.Abstractions;

namespace ActorTrainer.Runtime.Tests.Workers;

/// <summary>A host over a real guard, in a folder of its own, that collects what it posts.</summary>
internal sealed class WorkerHarness : IAsyncDisposable
{
    public static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    private readonly Lock _lock = new();
    private readonly List<TaskInput> _inputs = [];
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private WorkerHarness(string directory, WorkerHost host)
    {
        Directory = directory;
        Host = host;
    }

    public static string WorkerApp { get; } = Path.Combine(AppContext.BaseDirectory, "ActorTrainer.Testing.WorkerApp");

    public string Directory { get; }

    public WorkerHost Host { get; }

    public IReadOnlyList<TaskInput> Inputs
    {
        get
        {
            lock (_lock)
            {
                return [.. _inputs];
            }
        }
    }

    public static string NewDirectory() => System.IO.Directory.CreateTempSubdirectory("at-test-").FullName;

    public static async Task<WorkerHarness> StartAsync(
        WorkerModel? worker = null,
        TimeSpan? selfFenceAfter = null,
        string? directory = null,
        string? program = null,
        TimeProvider? time = null,
        long memory = 0
    )
    {
        directory ??= NewDirectory();
        WorkerHostOptions options = new()
        {
            DataDirectory = directory,
            Bundles = new FolderBundles(new CheckpointStoreModel { Path = Path.Combine(directory, "store") }, TimeProvider.System),
            Worker = worker ?? new WorkerModel(),
            StateMemoryBytes = memory,
            SelfFenceAfter = selfFenceAfter ?? TimeSpan.FromSeconds(10),
            SelfCommand = program is null ? [WorkerApp] : [WorkerApp, program],
        };
        WorkerHarness harness = new(directory, new WorkerHost(options, time ?? TimeProvider.System, NullLogger<WorkerHost>.Instance));
        await harness.Host.StartAsync(harness.Add, CancellationToken.None);
        return harness;
    }

    public static RunKey Key(int run = 1, string task = "task-a1b2") => new(TaskId.Parse(task), 3, run);

    public static TaskSpec Shell(string script) => new() { Name = "task", Command = ["/bin/sh", "-c", script] };

    public static TaskSpec Trainer(string type) => new() { Name = "task", Trainer = new TrainerSpec(type, null, null) };

    /// <summary>A trainer that <see cref="WorkerApp"/> contains, for the program <c>real</c>.</summary>
    public static TaskSpec Probe(string settings = "{}", IReadOnlyDictionary<string, string>? environment = null) =>
        new()
        {
            Name = "task",
            Trainer = new TrainerSpec("ActorTrainer.Testing.WorkerApp.ProbeTrainer", null, JsonDocument.Parse(settings).RootElement),
            Environment = environment ?? new Dictionary<string, string>(),
        };

    public void Start(RunKey run, TaskSpec spec, bool hasRestore = false, long restoredStep = 0) =>
        Host.Start(new StartWorker(run, spec, hasRestore, restoredStep));

    /// <summary>Starts a shell script and waits for its end.</summary>
    public async Task<WorkerExited> RunAsync(string script, RunKey? run = null)
    {
        RunKey key = run ?? Key();
        Start(key, Shell(script));
        return await WaitAsync<WorkerExited>(exited => exited.Run == key);
    }

    /// <summary>The first input of a type that fits, waiting until it is posted.</summary>
    public async Task<T> WaitAsync<T>(Predicate<T>? fits = null)
        where T : TaskInput
    {
        using CancellationTokenSource limit = new(Patience);
        while (true)
        {
            Task changed;
            lock (_lock)
            {
                T? found = _inputs.OfType<T>().FirstOrDefault(input => fits?.Invoke(input) ?? true);
                if (found is not null)
                {
                    return found;
                }

                changed = _changed.Task;
            }

            try
            {
                await changed.WaitAsync(limit.Token);
            }
            catch (OperationCanceledException)
            {
                throw new TimeoutException($"no {typeof(T).Name} among: {string.Join("; ", Inputs)}");
            }
        }
    }

    /// <summary>Polls a condition of real processes until it holds.</summary>
    public static async Task UntilAsync(Func<bool> holds, string what)
    {
        Stopwatch watch = Stopwatch.StartNew();
        while (!holds())
        {
            (watch.Elapsed < Patience).ShouldBeTrue($"not within {Patience.TotalSeconds} s: {what}");
            await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System);
        }
    }

    /// <summary>Stops a process, and returns when it has: it does so once the first of its threads has seen the signal.</summary>
    public static async Task SuspendAsync(int pid)
    {
        const int SignalStop = 19;
        _ = Posix.Kill(pid, SignalStop);
        await UntilAsync(() => StateOf(pid) == 'T', $"process {pid} has stopped");
    }

    /// <summary>The state letter of a process (proc_pid_stat(5)); <c>Z</c> when it has ended.</summary>
    public static char StateOf(int pid)
    {
        try
        {
            string stat = File.ReadAllText($"/proc/{pid}/stat");
            return stat[stat.LastIndexOf(')') + 2];
        }
        catch (IOException)
        {
            return 'Z';
        }
    }

    /// <summary>Processes whose command line holds a text, those that only wait to be collected left out.</summary>
    public static IReadOnlyList<int> ProcessesWith(string text)
    {
        List<int> found = [];
        foreach (int pid in ProcessTable.Read().Keys)
        {
            try
            {
                if (pid != Environment.ProcessId && File.ReadAllText($"/proc/{pid}/cmdline").Contains(text, StringComparison.Ordinal))
                {
                    found.Add(pid);
                }
            }
            catch (IOException)
            {
                // Gone.
            }
        }

        return found;
    }

    /// <summary>An argument for sleep that no other process has.</summary>
    public static string UniqueSeconds() =>
        $"{Environment.ProcessId}{Environment.TickCount64 % 100000}.{Guid.NewGuid().ToString("N").Count(char.IsDigit)}1";

    public static long Memory(int pid, string field = "VmRSS")
    {
        string line = File.ReadLines($"/proc/{pid}/status").First(text => text.StartsWith(field + ":", StringComparison.Ordinal));
        return long.Parse(line.Split((char[])[' ', '\t'], StringSplitOptions.RemoveEmptyEntries)[1]) * 1024;
    }

    public static int NiceOf(int pid)
    {
        string stat = File.ReadAllText($"/proc/{pid}/stat");
        return int.Parse(stat[(stat.LastIndexOf(')') + 2)..].Split(' ')[16]);
    }

    public async ValueTask DisposeAsync()
    {
        await Host.DisposeAsync();
        NativeFiles.DeleteFolder(Directory);
    }

    private void Add(TaskInput input)
    {
        TaskCompletionSource changed;
        lock (_lock)
        {
            _inputs.Add(input);
            changed = _changed;
            _changed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }

        changed.SetResult();
    }
}
