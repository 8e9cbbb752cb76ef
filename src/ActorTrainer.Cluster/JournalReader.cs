using System.Collections.Concurrent;
using ActorTrainer.Cluster.Persistence;
using ActorTrainer.Cluster.Rows;
using ActorTrainer.Cluster.Tasks;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Journaling;

namespace ActorTrainer.Cluster;

/// <summary>
/// Reads lists and events. Events come from the journal itself; tasks and checkpoints from the tasks' rows, which lag a little behind: what was
/// acknowledged to this node before is waited for. Unfinished tasks are listed from memory.
/// </summary>
internal sealed class JournalReader(AkkaLife life, AkkaDatabase database, TimeProvider time)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(25);

    private readonly ConcurrentDictionary<TaskId, long> _acknowledged = new();

    /// <summary>A client of this node was told of events up to this one.</summary>
    public void Acknowledge(TaskId task, long sequence)
    {
        if (sequence > 0 && (life.Index.Find(task)?.Sequence ?? 0) < sequence)
        {
            _acknowledged.AddOrUpdate(task, sequence, (_, before) => Math.Max(before, sequence));
        }
    }

    public async Task<JournalReply> ReadAsync(JournalRequest request, CancellationToken cancellationToken)
    {
        try
        {
            return request switch
            {
                ListEventsRequest events => await ListEventsAsync(events, cancellationToken),
                ListTasksRequest tasks => await ListTasksAsync(tasks, cancellationToken),
                ListCheckpointsRequest checkpoints => await ListCheckpointsAsync(checkpoints.Task, cancellationToken),
                _ => new JournalFailed($"the akka engine does not read {request.GetType().Name}"),
            };
        }
        catch (Exception e) when (DatabaseErrors.IsAway(e) && !cancellationToken.IsCancellationRequested)
        {
            return new JournalFailed(e.Message);
        }
        catch (Exception) when (life.IsOver)
        {
            // Akka's parts fail in many ways while their system ends.
            return new JournalFailed("this node is leaving");
        }
    }

    private async Task<JournalReply> ListTasksAsync(ListTasksRequest request, CancellationToken cancellationToken)
    {
        if (!await CatchUpAsync(request.Task, cancellationToken))
        {
            return Lags;
        }

        if (FromMemory(request) is { } known)
        {
            return new ListTasksReply(known);
        }

        List<TaskListing> tasks = await life.Rows.ListAsync(request, cancellationToken);
        if (tasks.Count == 0 && request.Name is { } name && await life.Rows.FindNameAsync(name, cancellationToken) is { } task &&
            await HasEventsAsync(task, cancellationToken))
        {
            // Submitted through another node a moment ago.
            _acknowledged.TryAdd(task, 1);
            return await CatchUpAsync(task, cancellationToken) ? new ListTasksReply(await life.Rows.ListAsync(request, cancellationToken)) : Lags;
        }

        return new ListTasksReply(tasks);
    }

    /// <summary>What memory alone can answer: all unfinished tasks, or one of them; null: it takes the database.</summary>
    private IReadOnlyList<TaskListing>? FromMemory(ListTasksRequest request)
    {
        TaskRow? one = request.Task is { } task ? life.Index.Find(task) : request.Name is { } name ? life.Index.Find(name) : null;
        return one is { Sequence: > 0 } ? [TaskRowTable.ListingOf(one)]
            : request is not { Unfinished: true, Task: null, Name: null } ? null
            : [.. life.Index.All.Where(row => row.Sequence > 0).OrderByDescending(row => row.SubmittedAt).ThenBy(row => row.Summary.Task).Select(TaskRowTable.ListingOf)];
    }

    private async Task<JournalReply> ListCheckpointsAsync(TaskId? task, CancellationToken cancellationToken) =>
        await CatchUpAsync(task, cancellationToken)
            ? new ListCheckpointsReply(await life.Rows.ListCheckpointsAsync(task, cancellationToken))
            : Lags;

    private async Task<JournalReply> ListEventsAsync(ListEventsRequest request, CancellationToken cancellationToken)
    {
        List<ReadEvent> events = await EventTable.ReadAsync(database, request.Task, request.AfterSequence, request.Limit, cancellationToken);
        List<EventRow> rows = [.. events.TakeWhile(e => e.Written is not null).Select(e => EventTable.RowOf(request.Task, e))];
        return rows.Count == 0 && events.Count > 0
            ? new JournalFailed($"event {events[0].Sequence} of task {request.Task} cannot be read: {events[0].Problem}")
            : new ListEventsReply(rows);
    }

    private async Task<bool> HasEventsAsync(TaskId task, CancellationToken cancellationToken) =>
        (await EventTable.ReadAsync(database, task, 0, 1, cancellationToken)).Count > 0;

    /// <summary>Waits until the rows show what was acknowledged here, of one task or of all. False: they do not in time.</summary>
    private async Task<bool> CatchUpAsync(TaskId? task, CancellationToken cancellationToken)
    {
        KeyValuePair<TaskId, long>[] wanted = [.. _acknowledged.Where(a => task is null || a.Key == task)];
        if (wanted.Length == 0)
        {
            return true;
        }

        long started = time.GetTimestamp();
        await life.ReadRowsAsync(cancellationToken);
        foreach (KeyValuePair<TaskId, long> one in wanted)
        {
            // A task without a row is archived: nothing of it is listed any more.
            while ((life.Index.Find(one.Key)?.Sequence ?? 0) < one.Value && await life.Rows.SequenceOfAsync(one.Key, cancellationToken) < one.Value)
            {
                if (time.GetElapsedTime(started) > Patience)
                {
                    // Once is enough: whoever asks again is shown what there is.
                    _acknowledged.TryRemove(one);
                    return false;
                }

                await Task.Delay(LookEvery, time, cancellationToken);
                await life.ReadRowsAsync(cancellationToken);
            }

            _acknowledged.TryRemove(one);
        }

        return true;
    }

    private static JournalFailed Lags => new("the lists of tasks lag behind what was acknowledged; see the log of the task's node");
}
