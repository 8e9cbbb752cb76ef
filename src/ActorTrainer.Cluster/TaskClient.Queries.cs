using System.Collections.Concurrent;
using ActorTrainer.Cluster.Persistence;
using ActorTrainer.Cluster.Rows;
using ActorTrainer.Cluster.Tasks;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Placement;
using ActorTrainer.Core.Queries;
using ActorTrainer.Core.Tasks;

namespace ActorTrainer.Cluster;

/// <content>
/// Its queries. Events come from the journal itself; tasks and checkpoints from the tasks' rows, which lag a little behind: what was
/// acknowledged to this node before is waited for. Unfinished tasks are listed from memory.
/// </content>
public sealed partial class TaskClient
{
    private static readonly TimeSpan CatchUpEvery = TimeSpan.FromMilliseconds(25);

    /// <summary>The sequences that clients of this node were told of, and that its rows have not shown yet.</summary>
    private readonly ConcurrentDictionary<TaskId, long> _acknowledged = new();

    /// <inheritdoc />
    public Task<IReadOnlyList<TaskListing>> ListTasksAsync(TaskFilter filter, CancellationToken cancellationToken = default) =>
        QueryAsync(
            async session =>
            {
                List<TaskListing> tasks = await ListTasksAsync(session, filter, cancellationToken);
                return tasks.ConvertAll(task => task with { Summary = SlotFit.Explain(task.Summary, session.View) });
            },
            cancellationToken
        );

    /// <inheritdoc />
    public Task<IReadOnlyList<CheckpointListing>> ListCheckpointsAsync(TaskId? task, CancellationToken cancellationToken = default) =>
        QueryAsync(
            async session =>
            {
                await CatchUpAsync(session, task, cancellationToken);
                return await session.Rows.ListCheckpointsAsync(task, cancellationToken);
            },
            cancellationToken
        );

    /// <inheritdoc />
    public Task<MetricSeries> ReadMetricsAsync(TaskId task, CancellationToken cancellationToken = default) =>
        QueryAsync(session => session.Metrics.ReadAsync(task, cancellationToken), cancellationToken);

    /// <inheritdoc />
    public Task<IReadOnlyList<EventRow>> ReadEventsAsync(
        TaskId task,
        long after,
        int limit,
        CancellationToken cancellationToken = default
    ) =>
        QueryAsync(
            async session =>
            {
                List<ReadEvent> events = await EventTable.ReadAsync(session.Database, task, after, limit, cancellationToken);
                List<EventRow> rows = [.. events.TakeWhile(e => e.Written is not null).Select(e => EventTable.RowOf(task, e))];
                return rows.Count == 0 && events.Count > 0
                    ? throw new JournalUnavailableException(
                        $"event {events[0].Sequence} of task {task} cannot be read: {events[0].Problem}"
                    )
                    : rows;
            },
            cancellationToken
        );

    /// <summary>A client of this node was told of events up to this one.</summary>
    private void Acknowledge(ClusterSession session, TaskId task, long sequence)
    {
        if (sequence > 0 && (session.Index.Find(task)?.Sequence ?? 0) < sequence)
        {
            _acknowledged.AddOrUpdate(task, sequence, (_, before) => Math.Max(before, sequence));
        }
    }

    private async Task<IReadOnlyList<T>> QueryAsync<T>(Func<ClusterSession, Task<List<T>>> query, CancellationToken cancellationToken) =>
        await QueryAsync<List<T>>(query, cancellationToken);

    private async Task<T> QueryAsync<T>(Func<ClusterSession, Task<T>> query, CancellationToken cancellationToken)
    {
        ClusterSession session = _session ?? throw new JournalUnavailableException(_away);
        try
        {
            return await query(session);
        }
        catch (Exception e) when (DatabaseErrors.IsAway(e) && !cancellationToken.IsCancellationRequested)
        {
            throw new JournalUnavailableException(e.Message, e);
        }
        catch (Exception e) when (session.IsOver)
        {
            // Akka's parts fail in many ways while their system ends.
            throw new JournalUnavailableException(Leaving, e);
        }
    }

    private async Task<List<TaskListing>> ListTasksAsync(ClusterSession session, TaskFilter filter, CancellationToken cancellationToken)
    {
        await CatchUpAsync(session, filter.Task, cancellationToken);
        if (FromMemory(session.Index, filter) is { } known)
        {
            return known;
        }

        List<TaskListing> tasks = await session.Rows.ListAsync(filter, cancellationToken);
        if (
            tasks.Count > 0
            || filter.Name is not { } name
            || await session.Rows.FindNameAsync(name, cancellationToken) is not { } task
            || (await EventTable.ReadAsync(session.Database, task, 0, 1, cancellationToken)).Count == 0
        )
        {
            return tasks;
        }

        // Submitted through another node a moment ago.
        _acknowledged.TryAdd(task, 1);
        await CatchUpAsync(session, task, cancellationToken);
        return await session.Rows.ListAsync(filter, cancellationToken);
    }

    /// <summary>What memory alone can answer: all unfinished tasks, or one of them; null: it takes the database.</summary>
    private static List<TaskListing>? FromMemory(TaskIndex index, TaskFilter filter)
    {
        TaskRow? one =
            filter.Task is { } task ? index.Find(task)
            : filter.Name is { } name ? index.Find(name)
            : null;
        return one is { Sequence: > 0 } ? [TaskRowTable.ListingOf(one)]
            : filter is not { Unfinished: true, Task: null, Name: null } ? null
            :
            [
                .. index
                    .All.Where(row => row.Sequence > 0)
                    .OrderByDescending(row => row.SubmittedAt)
                    .ThenBy(row => row.Summary.Task)
                    .Select(TaskRowTable.ListingOf),
            ];
    }

    /// <summary>Waits until the rows show what was acknowledged here, of one task or of all.</summary>
    /// <exception cref="JournalUnavailableException">They do not in time.</exception>
    private async Task CatchUpAsync(ClusterSession session, TaskId? task, CancellationToken cancellationToken)
    {
        KeyValuePair<TaskId, long>[] wanted = [.. _acknowledged.Where(a => task is null || a.Key == task)];
        if (wanted.Length == 0)
        {
            return;
        }

        long started = time.GetTimestamp();
        await session.ReadRowsAsync(cancellationToken);
        foreach (KeyValuePair<TaskId, long> one in wanted)
        {
            while (
                (session.Index.Find(one.Key)?.Sequence ?? 0) < one.Value
                && await session.Rows.SequenceOfAsync(one.Key, cancellationToken) < one.Value
            )
            {
                if (time.GetElapsedTime(started) > Patience)
                {
                    // Once is enough: whoever asks again is shown what there is.
                    _acknowledged.TryRemove(one);
                    throw new JournalUnavailableException(
                        "the lists of tasks lag behind what was acknowledged; see the log of the task's node"
                    );
                }

                await Task.Delay(CatchUpEvery, time, cancellationToken);
                await session.ReadRowsAsync(cancellationToken);
            }

            _acknowledged.TryRemove(one);
        }
    }
}
