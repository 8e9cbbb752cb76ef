using System.Globalization;
using Microsoft.Extensions.Logging;

namespace ActorTrainer.Cluster.Rows;

/// <summary>
/// Keeps a node's <see cref="TaskIndex"/> up to date: reads what changed in the rows, a few times a second and whenever it is told to.
/// Versions only grow, so one that has fallen shows that the journal went back, as after the restore of a backup: what this node knows
/// never was, by the journal.
/// </summary>
internal sealed partial class RowFollower : IAsyncDisposable
{
    private static readonly TimeSpan PollEvery = TimeSpan.FromMilliseconds(200);

    /// <summary>How often it reads when nothing has changed for <see cref="IdleAfter"/>.</summary>
    private static readonly TimeSpan PollIdle = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan IdleAfter = TimeSpan.FromSeconds(5);

    private readonly TaskRowTable _table;
    private readonly TaskIndex _index;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Action<string> _wentBack;
    private readonly CancellationTokenSource _over = new();
    private readonly SemaphoreSlim _reading = new(1, 1);
    private TaskCompletionSource _kick = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Task _loop = Task.CompletedTask;
    private long _version;
    private long _changedAt;
    private bool _failing;

    /// <param name="table">Where the rows are.</param>
    /// <param name="index">Is kept up to date.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logger">Where it logs.</param>
    /// <param name="wentBack">Told the reason when the journal went back; nothing of it is applied then.</param>
    public RowFollower(TaskRowTable table, TaskIndex index, TimeProvider time, ILogger logger, Action<string> wentBack)
    {
        _wentBack = wentBack;
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
            if (version < _version)
            {
                _wentBack(
                    string.Create(
                        CultureInfo.InvariantCulture,
                        $"the journal went back from version {_version} to {version}: was it restored while nodes ran?"
                    )
                );
                return;
            }

            if (version != _version)
            {
                _changedAt = _time.GetTimestamp();
            }

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
                TimeSpan pause = _time.GetElapsedTime(Volatile.Read(ref _changedAt)) < IdleAfter ? PollEvery : PollIdle;
                await Task.WhenAny(Volatile.Read(ref _kick).Task, Task.Delay(pause, _time, _over.Token));
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
