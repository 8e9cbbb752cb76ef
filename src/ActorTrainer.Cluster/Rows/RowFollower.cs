using Microsoft.Extensions.Logging;

namespace ActorTrainer.Cluster.Rows;

/// <summary>Keeps a node's <see cref="TaskIndex"/> up to date: reads what changed in the rows, a few times a second and whenever it is told to.</summary>
internal sealed partial class RowFollower : IAsyncDisposable
{
    private static readonly TimeSpan PollEvery = TimeSpan.FromMilliseconds(200);

    private readonly TaskRowTable _table;
    private readonly TaskIndex _index;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _over = new();
    private readonly SemaphoreSlim _reading = new(1, 1);
    private TaskCompletionSource _kick = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Task _loop = Task.CompletedTask;
    private long _version;
    private bool _failing;

    public RowFollower(TaskRowTable table, TaskIndex index, TimeProvider time, ILogger logger)
    {
        _table = table;
        _index = index;
        _time = time;
        _logger = logger;
    }

    /// <summary>Begins to follow, once all unfinished tasks are in memory.</summary>
    /// <exception cref="System.Data.Common.DbException">The database is away.</exception>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        await ReadAsync(cancellationToken);
        _loop = Task.Run(LoopAsync, CancellationToken.None);
    }

    /// <summary>Something was written: read now.</summary>
    public void Kick() => Volatile.Read(ref _kick).TrySetResult();

    /// <summary>Reads what changed, now.</summary>
    public async Task ReadAsync(CancellationToken cancellationToken)
    {
        await _reading.WaitAsync(cancellationToken);
        try
        {
            (long version, List<TaskRow> rows) = await _table.ReadChangesAsync(_version, cancellationToken);
            _version = version;
            _index.Apply(rows);
        }
        finally
        {
            _reading.Release();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _over.CancelAsync();
        await _loop;
        _over.Dispose();
        _reading.Dispose();
    }

    private async Task LoopAsync()
    {
        while (!_over.IsCancellationRequested)
        {
            try
            {
                await Task.WhenAny(Volatile.Read(ref _kick).Task, Task.Delay(PollEvery, _time, _over.Token));
                Volatile.Write(ref _kick, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
                await ReadAsync(_over.Token);
                _failing = false;
            }
            catch (Exception e) when (!_over.IsCancellationRequested)
            {
                if (!_failing)
                {
                    LogNotRead(_logger, e.Message);
                }

                _failing = true;
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "the tasks on record cannot be read now, what is known of them stays: {Problem}")]
    private static partial void LogNotRead(ILogger logger, string problem);
}
