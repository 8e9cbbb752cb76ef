using System.Collections.Concurrent;
using System.Threading.Channels;
using ActorTrainer.Checkpoints;
using ActorTrainer.Checkpoints.Outputs;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Tasks;
using ActorTrainer.Runtime.Api;
using Microsoft.Extensions.Logging;

namespace ActorTrainer.Runtime.Workers.Archive;

/// <summary>
/// Brings the output of this node's runs to the store: what is new at every interval, all of it when a run has ended. One loop for all
/// runs, which nobody waits for but a node that stops, and that not for long.
/// </summary>
/// <param name="outputs">The store.</param>
/// <param name="directories">Where the output is.</param>
/// <param name="options">How often, and how much.</param>
/// <param name="mayCreateStore">Asked when there is no store: whether none was ever used, so that one may be made.</param>
/// <param name="time">The clock.</param>
/// <param name="logger">Where it logs.</param>
internal sealed partial class OutputArchiver(
    FolderOutputs outputs,
    RunDirectories directories,
    OutputArchiverOptions options,
    Func<CancellationToken, Task<bool>> mayCreateStore,
    TimeProvider time,
    ILogger logger
) : IAsyncDisposable
{
    /// <summary>A task may have so many times the output of one run in the store.</summary>
    private const int RunsWorth = 4;

    /// <summary>It is the store then, and not one run; the others would only wait for it too.</summary>
    private const int FailuresInARow = 3;

    private static readonly TimeSpan StopLimit = TimeSpan.FromSeconds(3);

    private readonly ConcurrentDictionary<RunKey, Tracked> _runs = new();
    private readonly Channel<RunKey> _ended = Channel.CreateUnbounded<RunKey>(new UnboundedChannelOptions { SingleReader = true });
    private readonly CancellationTokenSource _stop = new();
    private NodeAddress _node;
    private Task _loop = Task.CompletedTask;
    private bool _troubled;

    /// <summary>Begins, before any run of this life does: what a former life of the node left behind goes to the store too.</summary>
    /// <param name="node">The node's address, which tells its runs from those of others.</param>
    public void Start(NodeAddress node)
    {
        _node = node;
        foreach (RunKey run in directories.NotStored())
        {
            End(run);
        }

        _loop = Task.Run(LoopAsync, CancellationToken.None);
    }

    /// <summary>Takes what becomes of workers; returns at once.</summary>
    public void Observe(TaskInput input)
    {
        switch (input)
        {
            case WorkerStarted started:
                _ = Track(started.Run);
                break;
            case WorkerExited exited:
                End(exited.Run);
                break;
            case WorkerLost lost:
                End(lost.Run);
                break;
        }
    }

    /// <summary>Removes what the store has of a task that nobody can ask for any more; returns at once.</summary>
    public void Remove(TaskId task) =>
        _ = Task.Run(() =>
        {
            try
            {
                outputs.RemoveTask(task);
            }
            catch (CheckpointStoreException e)
            {
                LogNotRemoved(logger, task, e.Message);
            }
        });

    /// <summary>Brings everything to the store that is not there, once no worker is left; given up after some seconds.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        try
        {
            await Task.Run(LastPassAsync).WaitAsync(StopLimit, time);
        }
        catch (TimeoutException)
        {
            LogStopLate(logger, StopLimit.TotalSeconds);
        }
    }

    private async Task LastPassAsync()
    {
        await _loop;
        foreach (RunKey run in _runs.Keys)
        {
            End(run);
        }

        await PassAsync([.. _runs.Keys], CancellationToken.None);
    }

    private Tracked Track(RunKey run) =>
        _runs.GetOrAdd(
            run,
            key => new Tracked(new RunArchive(outputs, new OutputKey(key.Task, key.Term, key.Run, _node), options.MaxBytes))
        );

    private void End(RunKey run)
    {
        Track(run).Ended = true;
        _ = _ended.Writer.TryWrite(run);
    }

    private async Task LoopAsync()
    {
        using PeriodicTimer timer = new(options.Interval, time);
        try
        {
            Task<bool> tick = timer.WaitForNextTickAsync(_stop.Token).AsTask();
            Task<bool> ended = _ended.Reader.WaitToReadAsync(_stop.Token).AsTask();
            while (true)
            {
                await Task.WhenAny(tick, ended);
                _stop.Token.ThrowIfCancellationRequested();
                if (ended.IsCompleted)
                {
                    List<RunKey> runs = [];
                    while (_ended.Reader.TryRead(out RunKey run))
                    {
                        runs.Add(run);
                    }

                    // While the store is away, one attempt at every interval is enough.
                    await PassAsync(_troubled ? [] : runs, _stop.Token);
                    ended = _ended.Reader.WaitToReadAsync(_stop.Token).AsTask();
                }

                if (tick.IsCompleted)
                {
                    await PassAsync([.. _runs.Keys], _stop.Token);
                    tick = timer.WaitForNextTickAsync(_stop.Token).AsTask();
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The node stops.
        }
    }

    private async Task PassAsync(IReadOnlyList<RunKey> runs, CancellationToken cancellationToken)
    {
        if (runs.Count == 0)
        {
            return;
        }

        string? problem = null;
        try
        {
            bool mayCreate = !outputs.IsThere && await mayCreateStore(cancellationToken);
            int failedInARow = 0;
            foreach (RunKey run in runs.OrderBy(run => (run.Term, run.Run)))
            {
                cancellationToken.ThrowIfCancellationRequested();
                try
                {
                    Store(run, mayCreate);
                    failedInARow = 0;
                }
                catch (Exception e) when (e is CheckpointStoreException or IOException or UnauthorizedAccessException)
                {
                    problem ??= e.Message;
                    if (++failedInARow == FailuresInARow)
                    {
                        break;
                    }
                }
            }
        }
        catch (Exception e) when (e is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            // Whatever it is, it is tried again at the next interval: nothing of a run depends on it.
            problem = e.Message;
        }

        if (problem is not null && !_troubled)
        {
            LogStoreAway(logger, problem);
        }
        else if (problem is null && _troubled)
        {
            LogStoreBack(logger);
        }

        _troubled = problem is not null;
    }

    private void Store(RunKey run, bool mayCreate)
    {
        if (!_runs.TryGetValue(run, out Tracked? tracked))
        {
            return;
        }

        // Asked before the files are looked at: what was printed before the run ended is in them.
        bool ended = tracked.Ended;
        DateTimeOffset at = time.GetUtcNow();
        IReadOnlyList<PlacedFile> files;
        try
        {
            files = PlacedFile.Of(directories.OutputFiles(run));
        }
        catch (DirectoryNotFoundException)
        {
            // Removed with older runs of the task.
            _ = _runs.TryRemove(run, out _);
            return;
        }

        bool complete = tracked.Archive.Store(files, at, ended, mayCreate);
        if (!ended)
        {
            return;
        }

        _ = _runs.TryRemove(run, out _);
        directories.MarkStored(run);
        if (complete && files[^1].End > 0)
        {
            KeepBoundOf(run);
        }
    }

    /// <summary>Of too much output of a task, that of the oldest runs goes first, and their last words last.</summary>
    private void KeepBoundOf(RunKey newest)
    {
        IReadOnlyList<StoredRun> all = outputs.List(newest.Task);
        StoredRun[] older = [.. all.Where(run => (run.Key.Term, run.Key.Run).CompareTo((newest.Term, newest.Run)) < 0)];
        long tooMuch = all.Sum(run => run.Bytes) - (RunsWorth * options.MaxBytes);
        IEnumerable<(OutputKey Run, OutputSegment Segment)> candidates =
        [
            .. older.SelectMany(run => run.Segments.SkipLast(1).Select(segment => (run.Key, segment))),
            .. older.SelectMany(run => run.Segments.TakeLast(1).Select(segment => (run.Key, segment))),
        ];
        foreach ((OutputKey run, OutputSegment segment) in candidates)
        {
            if (tooMuch <= 0)
            {
                return;
            }

            outputs.Remove(run, [segment]);
            tooMuch -= segment.Length;
        }
    }

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "The output of runs does not get to the checkpoint store, and stays on this node until it does: {Problem}"
    )]
    private static partial void LogStoreAway(ILogger logger, string problem);

    [LoggerMessage(Level = LogLevel.Information, Message = "The output of runs gets to the checkpoint store again")]
    private static partial void LogStoreBack(ILogger logger);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The output of task {Task}, which is archived, stays in the store: {Problem}")]
    private static partial void LogNotRemoved(ILogger logger, TaskId task, string problem);

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "Output did not get to the checkpoint store within {Seconds} s: this node brings it there when it is started again"
    )]
    private static partial void LogStopLate(ILogger logger, double seconds);

    private sealed class Tracked(RunArchive archive)
    {
        public RunArchive Archive { get; } = archive;

        public volatile bool Ended;
    }
}

/// <summary>Settings of <see cref="OutputArchiver"/>.</summary>
/// <param name="Interval">How often what is new goes to the store.</param>
/// <param name="MaxBytes">How much of a run's output is kept, uncompressed.</param>
internal sealed record OutputArchiverOptions(TimeSpan Interval, long MaxBytes);
