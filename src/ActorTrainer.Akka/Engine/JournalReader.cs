using System.Collections.Concurrent;
using ActorTrainer.Akka.ReadModel;
using ActorTrainer.Akka.Tasks;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Journaling;
using Akka.Persistence.Query;
using Akka.Persistence.Sql.Query;
using Akka.Streams.Dsl;

namespace ActorTrainer.Akka.Engine;

/// <summary>
/// Reads lists and events. Events come from the journal itself; tasks and checkpoints from the read models, which lag a little behind: what
/// was acknowledged to this node before is waited for.
/// </summary>
internal sealed class JournalReader(AkkaLife life, TimeProvider time)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(25);

    private readonly ConcurrentDictionary<TaskId, long> _acknowledged = new();

    /// <summary>A client of this node was told of events up to this one.</summary>
    public void Acknowledge(TaskId task, long sequence)
    {
        if (sequence > 0)
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
        catch (Exception e) when (TaskDesk.IsJournalAway(e) && !cancellationToken.IsCancellationRequested)
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

        List<TaskListing> tasks = await life.ReadModel.ListAsync(request, cancellationToken);
        if (tasks.Count == 0 && request.Name is { } name && await life.ReadModel.FindNameAsync(name, cancellationToken) is { } task &&
            await HasEventsAsync(task, cancellationToken))
        {
            // Submitted through another node a moment ago.
            Acknowledge(task, 1);
            return await CatchUpAsync(task, cancellationToken) ? new ListTasksReply(await life.ReadModel.ListAsync(request, cancellationToken)) : Lags;
        }

        return new ListTasksReply(tasks);
    }

    private async Task<JournalReply> ListCheckpointsAsync(TaskId? task, CancellationToken cancellationToken) =>
        await CatchUpAsync(task, cancellationToken)
            ? new ListCheckpointsReply(await life.ReadModel.ListCheckpointsAsync(task, cancellationToken))
            : Lags;

    private async Task<JournalReply> ListEventsAsync(ListEventsRequest request, CancellationToken cancellationToken)
    {
        List<ProjectedEvent> events = await ReadEventsAsync(request.Task, request.AfterSequence, request.Limit, cancellationToken);
        List<EventRow> rows =
        [
            .. events.TakeWhile(e => e.Event is not null)
                .Select(e => new EventRow(e.Task, e.Sequence, e.Term, new DateTimeOffset(e.Time, TimeSpan.Zero), e.Event!)),
        ];
        return rows.Count == 0 && events.Count > 0
            ? new JournalFailed($"event {events[0].Sequence} of task {request.Task} cannot be read: {events[0].Problem}")
            : new ListEventsReply(rows);
    }

    private async Task<bool> HasEventsAsync(TaskId task, CancellationToken cancellationToken) =>
        (await ReadEventsAsync(task, 0, 1, cancellationToken)).Count > 0;

    private async Task<List<ProjectedEvent>> ReadEventsAsync(TaskId task, long after, int limit, CancellationToken cancellationToken)
    {
        SqlReadJournal journal = PersistenceQuery.Get(life.System).ReadJournalFor<SqlReadJournal>(TaskPersistence.QueryPlugin);
        IReadOnlyList<EventEnvelope> envelopes = await journal
            .CurrentEventsByPersistenceId(TaskPersistence.IdOf(task), after + 1, long.MaxValue)
            .Take(limit)
            .RunWith(Sink.Seq<EventEnvelope>(), life.Materializer)
            .WaitAsync(Patience, time, cancellationToken);
        return [.. envelopes.Select(TaskProjection.Read).OfType<ProjectedEvent>()];
    }

    /// <summary>Waits until the read models show what was acknowledged here, of one task or of all. False: they do not in time.</summary>
    private async Task<bool> CatchUpAsync(TaskId? task, CancellationToken cancellationToken)
    {
        long started = time.GetTimestamp();
        foreach ((TaskId id, long sequence) in _acknowledged.Where(a => task is null || a.Key == task).ToArray())
        {
            while (await life.ReadModel.SequenceOfAsync(id, cancellationToken) < sequence)
            {
                if (time.GetElapsedTime(started) > Patience)
                {
                    // Once is enough: whoever asks again is shown what there is.
                    _acknowledged.TryRemove(new KeyValuePair<TaskId, long>(id, sequence));
                    return false;
                }

                await Task.Delay(LookEvery, time, cancellationToken);
            }

            _acknowledged.TryRemove(new KeyValuePair<TaskId, long>(id, sequence));
        }

        return true;
    }

    private static JournalFailed Lags => new("the lists of tasks lag behind what was acknowledged; see the log of the node that coordinates");
}
