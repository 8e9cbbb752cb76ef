using ActorTrainer.Cluster.Persistence;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Queries;
using Akka.Actor;
using Microsoft.Extensions.Logging;

namespace ActorTrainer.Cluster.Rows;

/// <summary>
/// Writes the rows of a node's tasks: of each task the newest, many tasks in one transaction, about ten times a second. Names of new tasks
/// are taken with the same transactions, and are waited for by nobody but their clients. While the database is away rows wait, and names
/// fail.
/// </summary>
internal sealed partial class RowWriter : ITaskRows, IAsyncDisposable
{
    private const int MostRows = 500;
    private static readonly TimeSpan WriteEvery = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan AgainAfter = TimeSpan.FromMilliseconds(500);

    private readonly TaskRowTable _table;
    private readonly Action _written;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _over = new();
    private readonly Lock _gate = new();
    private readonly Dictionary<TaskId, Keeper> _keepers = [];
    private readonly Dictionary<TaskId, Waiting> _waiting = [];
    private readonly List<TaskCompletionSource> _flushes = [];
    private readonly Task _loop;
    private List<(NameClaim Name, TaskCompletionSource<TaskId> Answer)> _names = [];
    private TaskCompletionSource _signal = NewSignal();
    private TaskCompletionSource _urgent = NewSignal();
    private long _round;

    /// <param name="table">Where rows are.</param>
    /// <param name="written">Called after rows were written.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logger">Where it logs.</param>
    public RowWriter(TaskRowTable table, Action written, TimeProvider time, ILogger logger)
    {
        _table = table;
        _written = written;
        _time = time;
        _logger = logger;
        _loop = Task.Run(LoopAsync);
    }

    public void Enter(TaskId task, IActorRef entity)
    {
        lock (_gate)
        {
            _keepers[task] = new Keeper(entity);
        }
    }

    public void Put(IActorRef entity, TaskRow row, IReadOnlyList<CheckpointListing>? checkpoints)
    {
        TaskId task = row.Summary.Task;
        lock (_gate)
        {
            if (!_keepers.TryGetValue(task, out Keeper? keeper) || !keeper.Entity.Equals(entity) || keeper.Refused)
            {
                return;
            }

            Waiting? before = _waiting.GetValueOrDefault(task);
            IReadOnlyList<CheckpointListing>? kept = before?.Keeper == keeper ? before.Checkpoints : null;
            _waiting[task] = new Waiting(keeper, row, checkpoints ?? kept);
            _signal.TrySetResult();
        }
    }

    public Task FlushAsync(TaskId task)
    {
        lock (_gate)
        {
            if (!_waiting.ContainsKey(task) && _round % 2 == 0)
            {
                return Task.CompletedTask;
            }

            TaskCompletionSource flush = NewSignal();
            _flushes.Add(flush);
            Hurry();
            return flush.Task;
        }
    }

    public void Leave(TaskId task, IActorRef entity)
    {
        lock (_gate)
        {
            if (_keepers.TryGetValue(task, out Keeper? keeper) && keeper.Entity.Equals(entity))
            {
                _keepers.Remove(task);
            }
        }
    }

    /// <summary>Takes a name for a new task.</summary>
    /// <returns>The id that the name stands for: the one drawn, or that of the task that has the name already.</returns>
    /// <exception cref="System.Data.Common.DbException">The database is away.</exception>
    public Task<TaskId> TakeNameAsync(NameClaim name, CancellationToken cancellationToken)
    {
        TaskCompletionSource<TaskId> answer = new(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_gate)
        {
            _names.Add((name, answer));
            Hurry();
        }

        return answer.Task.WaitAsync(cancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        await _over.CancelAsync();
        await _loop;
        _over.Dispose();
    }

    private void Hurry()
    {
        _signal.TrySetResult();
        _urgent.TrySetResult();
    }

    private async Task LoopAsync()
    {
        try
        {
            while (true)
            {
                await _signal.Task.WaitAsync(_over.Token);
                await Task.WhenAny(_urgent.Task, Task.Delay(WriteEvery, _time, _over.Token));
                _over.Token.ThrowIfCancellationRequested();
                if (!await WriteAsync())
                {
                    await Task.Delay(AgainAfter, _time, _over.Token);
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The life has ended; its successor recovers the tasks and brings their rows up to date.
            FailNames(new OperationCanceledException("this node is leaving"));
        }
    }

    /// <summary>Writes what waits. False: the database did not take it.</summary>
    private async Task<bool> WriteAsync()
    {
        (List<Waiting> rows, List<(NameClaim Name, TaskCompletionSource<TaskId> Answer)> names, TaskCompletionSource[] flushes) = Take();
        try
        {
            (IReadOnlyList<RowResult> results, IReadOnlyList<TaskId> tasks) = await _table.WriteAsync(
                [.. rows.Select(r => new RowWrite(r.Row, r.Checkpoints, r.Keeper.Claim))],
                [.. names.Select(n => n.Name)],
                _over.Token
            );
            Settle(rows, results);
            for (int i = 0; i < names.Count; i++)
            {
                names[i].Answer.TrySetResult(tasks[i]);
            }

            _written();
            return true;
        }
        catch (Exception e) when (DatabaseErrors.IsAway(e))
        {
            PutBack(rows);
            names.ForEach(n => n.Answer.TrySetException(e));
            LogNotWritten(_logger, rows.Count, e.Message);
            return false;
        }
        finally
        {
            // When the database is away nobody is kept waiting for it.
            Array.ForEach(flushes, f => f.TrySetResult());
        }
    }

    private (List<Waiting> Rows, List<(NameClaim Name, TaskCompletionSource<TaskId> Answer)> Names, TaskCompletionSource[] Flushes) Take()
    {
        lock (_gate)
        {
            List<Waiting> rows = [.. _waiting.Values.Take(MostRows)];
            rows.ForEach(r => _waiting.Remove(r.Row.Summary.Task));
            List<(NameClaim, TaskCompletionSource<TaskId>)> names = _names;
            _names = [];
            TaskCompletionSource[] flushes = _waiting.Count == 0 ? [.. _flushes] : [];
            if (_waiting.Count == 0)
            {
                _flushes.Clear();
                _signal = NewSignal();
                _urgent = NewSignal();
            }
            else
            {
                _urgent.TrySetResult();
            }

            _round++;
            return (rows, names, flushes);
        }
    }

    private void Settle(List<Waiting> rows, IReadOnlyList<RowResult> results)
    {
        List<Waiting> refused = [];
        lock (_gate)
        {
            _round++;
            for (int i = 0; i < rows.Count; i++)
            {
                Keeper keeper = rows[i].Keeper;
                keeper.Claim = results[i].Claim;
                if (keeper.Claim is null)
                {
                    keeper.Refused = true;
                    refused.Add(rows[i]);
                }
            }
        }

        foreach (Waiting row in refused)
        {
            row.Keeper.Entity.Tell(new RowRefused(row.Row.Summary.Task));
        }
    }

    private void PutBack(List<Waiting> rows)
    {
        lock (_gate)
        {
            _round++;
            foreach (Waiting row in rows)
            {
                TaskId task = row.Row.Summary.Task;
                Waiting? newer = _waiting.GetValueOrDefault(task);
                _waiting[task] =
                    newer is null ? row
                    : newer.Keeper == row.Keeper ? newer with { Checkpoints = newer.Checkpoints ?? row.Checkpoints }
                    : newer;
            }

            if (_waiting.Count > 0)
            {
                _signal.TrySetResult();
            }
        }
    }

    private void FailNames(Exception e)
    {
        lock (_gate)
        {
            _names.ForEach(n => n.Answer.TrySetException(e));
            _flushes.ForEach(f => f.TrySetResult());
        }
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "the rows of {Count} tasks could not be written now, lists are older than the tasks: {Problem}"
    )]
    private static partial void LogNotWritten(ILogger logger, int count, string problem);

    /// <summary>The actor that keeps a row, and its claim once it has one.</summary>
    private sealed class Keeper(IActorRef entity)
    {
        public IActorRef Entity { get; } = entity;

        public long? Claim { get; set; }

        public bool Refused { get; set; }
    }

    private sealed record Waiting(Keeper Keeper, TaskRow Row, IReadOnlyList<CheckpointListing>? Checkpoints);
}
