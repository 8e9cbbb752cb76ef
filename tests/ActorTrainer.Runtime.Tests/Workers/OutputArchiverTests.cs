using System.Collections.Concurrent;
using ActorTrainer.Checkpoints.Outputs;
using ActorTrainer.Core.Configuration;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Tasks;
using ActorTrainer.Runtime.Workers;
using ActorTrainer.Runtime.Workers.Archive;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;

namespace ActorTrainer.Runtime.Tests.Workers;

public sealed class OutputArchiverTests : IAsyncLifetime
{
    private const long MaxBytes = 64 << 10;
    private static readonly TimeSpan Interval = TimeSpan.FromMinutes(1);
    private static readonly NodeAddress Node = new("127.0.0.1", 7401);
    private static readonly RunKey Run = WorkerHarness.Key();

    private readonly string _folder = WorkerHarness.NewDirectory();
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 11, 30, 12, 0, 0, TimeSpan.Zero));
    private readonly Lines _log = new();
    private readonly RunDirectories _directories;
    private readonly FolderOutputs _outputs;
    private readonly OutputArchiver _archiver;
    private bool _storeIsNew = true;

    public OutputArchiverTests()
    {
        _directories = new RunDirectories(_folder);
        _outputs = new FolderOutputs(new CheckpointStoreModel { Path = Store });
        _archiver = new OutputArchiver(
            _outputs,
            _directories,
            new OutputArchiverOptions(Interval, MaxBytes),
            _ => Task.FromResult(_storeIsNew),
            _time,
            _log
        );
    }

    private string Store => Path.Combine(_folder, "store");

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        await _archiver.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task RunningRun_AtTheInterval_IsStoredAsFarAsItIs()
    {
        DateTimeOffset started = _time.GetUtcNow();
        _archiver.Start(Node);
        Print(Run, "one\n");
        _archiver.Observe(new WorkerStarted(Run, 4711));
        StoredRun stored = await StoredAsync(Run, run => run.End == 4, advance: true);

        stored.Total.ShouldBeNull();
        stored.At.ShouldNotBeNull().ShouldBeInRange(started + Interval, _time.GetUtcNow());
    }

    [Fact]
    public async Task EndedRun_IsCompleteWithoutWaitingForTheInterval()
    {
        _archiver.Start(Node);
        Print(Run, "one\n");
        _archiver.Observe(new WorkerStarted(Run, 4711));
        _archiver.Observe(new WorkerExited(Run, 0, null, null, []));

        (await StoredAsync(Run, run => run.Total is not null)).Bytes.ShouldBe(4);
        await WaitAsync(() => _directories.NotStored().Count == 0);
    }

    [Fact]
    public async Task FormerLife_LeftOutputBehind_IsStoredAtTheStart()
    {
        Print(Run, "last words\n");
        _archiver.Start(Node);

        (await StoredAsync(Run, run => run.Total is not null)).Bytes.ShouldBe(11);
    }

    [Fact]
    public async Task Node_Stops_EverythingIsStored()
    {
        _archiver.Start(Node);
        Print(Run, "one\n");
        _archiver.Observe(new WorkerStarted(Run, 4711));

        await _archiver.DisposeAsync();

        _outputs.Find(KeyOf(Run))!.Total.ShouldBe(4);
    }

    [Fact]
    public async Task Store_IsAway_IsSaidOnceAndTriedAgainAtEveryInterval()
    {
        _storeIsNew = false;
        _archiver.Start(Node);
        Print(Run, "one\n");
        _archiver.Observe(new WorkerStarted(Run, 4711));
        _archiver.Observe(new WorkerExited(Run, 0, null, null, []));
        await WaitAsync(() => _log.Texts.Any(text => text.Contains("is away", StringComparison.Ordinal)), advance: true);
        RunKey second = Run with { Run = 2 };
        Print(second, "two\n");
        _archiver.Observe(new WorkerExited(second, 0, null, null, []));
        _time.Advance(Interval);
        _time.Advance(Interval);

        _storeIsNew = true;
        await StoredAsync(Run, run => run.Total is not null, advance: true);
        await StoredAsync(second, run => run.Total is not null, advance: true);

        await WaitAsync(() => _log.Texts.Any(text => text.Contains("again", StringComparison.Ordinal)));
        _log.Texts.Count(text => text.Contains("is away", StringComparison.Ordinal)).ShouldBe(1);
    }

    [Fact]
    public async Task Task_HasMoreThanFourRunsWorth_LosesTheOldestAndKeepsWhatItWas()
    {
        _archiver.Start(Node);
        string full = string.Concat(Enumerable.Repeat("0123456789abcde\n", (int)(MaxBytes / 16)));
        for (int number = 1; number <= 6; number++)
        {
            RunKey run = Run with { Run = number };
            Print(run, full);
            _archiver.Observe(new WorkerExited(run, 0, null, null, []));
            await WaitAsync(() => !_directories.NotStored().Contains(run));
        }

        await WaitAsync(() => _outputs.List(Run.Task).Sum(run => run.Bytes) <= 4 * MaxBytes);
        IReadOnlyList<StoredRun> runs = _outputs.List(Run.Task);
        runs.Count.ShouldBe(6);
        runs.ShouldAllBe(run => run.Total == MaxBytes && run.End == MaxBytes);
        runs[0].Bytes.ShouldBeLessThan(runs[^1].Bytes);
        runs[^1].Bytes.ShouldBe(MaxBytes);
        runs[0].Segments.ShouldHaveSingleItem("its last words").End.ShouldBe(MaxBytes);
    }

    [Fact]
    public async Task Remove_TaskThatIsArchived_TakesItsOutput()
    {
        Print(Run, "one\n");
        _archiver.Start(Node);
        await StoredAsync(Run, run => run.Total is not null);

        _archiver.Remove(Run.Task);

        await WaitAsync(() => _outputs.List(Run.Task).Count == 0);
    }

    private static OutputKey KeyOf(RunKey run) => new(run.Task, run.Term, run.Run, Node);

    private void Print(RunKey run, string text)
    {
        _directories.Create(run);
        File.AppendAllText(Path.Combine(_directories.Of(run), "output.log"), text);
    }

    private async Task<StoredRun> StoredAsync(RunKey run, Func<StoredRun, bool> condition, bool advance = false)
    {
        await WaitAsync(() => _outputs.Find(KeyOf(run)) is { } stored && condition(stored), advance);
        return _outputs.Find(KeyOf(run))!;
    }

    private async Task WaitAsync(Func<bool> condition, bool advance = false)
    {
        long started = TimeProvider.System.GetTimestamp();
        while (!condition())
        {
            TimeProvider.System.GetElapsedTime(started).ShouldBeLessThan(TimeSpan.FromSeconds(30), string.Join('\n', _log.Texts));
            if (advance)
            {
                _time.Advance(Interval);
            }

            await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System);
        }
    }

    private sealed class Lines : ILogger
    {
        public ConcurrentQueue<string> Texts { get; } = [];

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel,
            EventId eventId,
            TState state,
            Exception? exception,
            Func<TState, Exception?, string> formatter
        ) => Texts.Enqueue(formatter(state, exception));
    }
}
