using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Tasks;
using Microsoft.Extensions.Logging;

namespace ActorTrainer.Cluster.Rows;

/// <summary>
/// Keeps the metrics of a node's tasks over time and writes those that have grown every few seconds: what a lost node had not written is
/// told again, since its tasks begin at an earlier step. While the database is away they are kept, as coarse as they need to be.
/// </summary>
internal sealed partial class MetricKeeper : IAsyncDisposable
{
    private static readonly TimeSpan WriteEvery = TimeSpan.FromSeconds(5);

    private readonly MetricTable _table;
    private readonly long _life;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _over = new();
    private readonly Lock _gate = new();
    private readonly Dictionary<TaskId, Kept> _kept = [];
    private readonly Task _loop;

    /// <param name="table">Where they are.</param>
    /// <param name="life">The node's life.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logger">Where it logs.</param>
    public MetricKeeper(MetricTable table, long life, TimeProvider time, ILogger logger)
    {
        _table = table;
        _life = life;
        _time = time;
        _logger = logger;
        _loop = Task.Run(LoopAsync);
    }

    /// <summary>A task of this node has told where it is; returns at once.</summary>
    public void Add(TaskId task, MetricPoint point)
    {
        lock (_gate)
        {
            Kept kept = _kept.GetValueOrDefault(task) ?? new Kept(null, MetricSeries.Empty, false);
            _kept[task] = kept with { Told = kept.Told.With(point), Leaves = false };
        }
    }

    /// <summary>A task is not here any more: once its metrics are written they are forgotten.</summary>
    public void Leave(TaskId task)
    {
        lock (_gate)
        {
            if (_kept.TryGetValue(task, out Kept? kept))
            {
                _kept[task] = kept with { Leaves = true };
            }
        }
    }

    /// <summary>Writes what has grown, now.</summary>
    /// <exception cref="System.Data.Common.DbException">The database is away; nothing is lost.</exception>
    public async Task WriteAsync(CancellationToken cancellationToken)
    {
        KeyValuePair<TaskId, Kept>[] grown;
        lock (_gate)
        {
            grown = [.. _kept.Where(k => k.Value.Told.Points.Count > 0)];
            foreach (KeyValuePair<TaskId, Kept> gone in _kept.Where(k => k.Value.Leaves && k.Value.Told.Points.Count == 0).ToArray())
            {
                _kept.Remove(gone.Key);
            }
        }

        List<(TaskId Task, MetricSeries Series)> written = new(grown.Length);
        foreach ((TaskId task, Kept kept) in grown)
        {
            MetricSeries before = kept.Written ?? await _table.ReadAsync(task, cancellationToken);
            written.Add((task, kept.Told.Points.Aggregate(before, (series, point) => series.With(point))));
        }

        if (written.Count > 0)
        {
            await _table.WriteAsync(_life, written, cancellationToken);
            Settle(grown, written);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _over.CancelAsync();
        await _loop;
        _over.Dispose();
    }

    private void Settle(KeyValuePair<TaskId, Kept>[] grown, List<(TaskId Task, MetricSeries Series)> written)
    {
        lock (_gate)
        {
            for (int i = 0; i < grown.Length; i++)
            {
                (TaskId task, Kept before) = grown[i];
                Kept now = _kept[task];
                MetricSeries left = now.Told with { Points = [.. now.Told.Points.Except(before.Told.Points)] };
                if (now.Leaves && left.Points.Count == 0)
                {
                    _kept.Remove(task);
                }
                else
                {
                    _kept[task] = now with { Written = written[i].Series, Told = left };
                }
            }
        }
    }

    private async Task LoopAsync()
    {
        while (!_over.IsCancellationRequested)
        {
            try
            {
                await Task.Delay(WriteEvery, _time, _over.Token);
                await WriteAsync(_over.Token);
            }
            catch (OperationCanceledException) when (_over.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e)
            {
                LogNotWritten(_logger, e.Message);
            }
        }
    }

    [LoggerMessage(Level = LogLevel.Debug, Message = "metrics could not be written now: {Problem}")]
    private static partial void LogNotWritten(ILogger logger, string problem);

    /// <summary>The metrics of one task.</summary>
    /// <param name="Written">As they are on record; null: not read yet.</param>
    /// <param name="Told">What has been told since.</param>
    /// <param name="Leaves">Whether the task is not here any more.</param>
    private sealed record Kept(MetricSeries? Written, MetricSeries Told, bool Leaves);
}
