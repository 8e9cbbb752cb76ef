using System.Data.Common;
using System.Text.Json;
using ActorTrainer.Akka.Sql;
using ActorTrainer.Core;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Journaling;
using ActorTrainer.Core.Sharding;
using ActorTrainer.Core.Tasks;

namespace ActorTrainer.Akka.ReadModel;

/// <summary>An unfinished task with its owner as its last activation says.</summary>
internal sealed record TaskPlace(TaskSummary Summary, long Term, long Incarnation);

/// <summary>
/// The read models in SQL: tasks and checkpoints. Written by the projection alone, in the order of each task's events; a task's row says up
/// to which event it is current.
/// </summary>
internal sealed class ReadModelTable(AkkaDatabase database, int numberOfShards)
{
    private const string Projection = "tasks";
    private const string ListColumns = "summary, submitted_at, changed_at";

    /// <summary>Up to which place in the journal the projection has come; 0: it has not begun.</summary>
    public async Task<long> ReadPositionAsync(CancellationToken cancellationToken) => (await database.ReadAsync(
        session => session.QueryAsync("SELECT position FROM actortrainer_projection WHERE name = @a", r => r.GetInt64(0), Projection),
        cancellationToken)).FirstOrDefault();

    /// <summary>A task as its row stands, or <see cref="ProjectedTask.Nothing"/>.</summary>
    public async Task<ProjectedTask> ReadTaskAsync(TaskId task, CancellationToken cancellationToken) => (await database.ReadAsync(
        session => session.QueryAsync(
            "SELECT state, last_sequence, term, submitted_at, changed_at, summary FROM actortrainer_task WHERE task = @a", ReadTask, task.Value),
        cancellationToken)).FirstOrDefault() ?? ProjectedTask.Nothing;

    /// <summary>Writes what a batch of events came to, in one transaction, with the place in the journal.</summary>
    public Task WriteAsync(
        IReadOnlyDictionary<TaskId, ProjectedTask> tasks, IReadOnlyList<ProjectedEvent> events, long position, CancellationToken cancellationToken) => database.WriteAsync(
        async session =>
        {
            foreach (ProjectedEvent e in events)
            {
                await WriteCheckpointAsync(session, e);
            }

            foreach ((TaskId id, ProjectedTask task) in tasks.OrderBy(t => t.Key))
            {
                await WriteTaskAsync(session, id, task);
            }

            await session.RunAsync(
                "INSERT INTO actortrainer_projection (name, position) VALUES (@a, @b) ON CONFLICT (name) DO UPDATE SET position = excluded.position",
                Projection, position);
            return true;
        },
        cancellationToken);

    /// <summary>Unfinished tasks, by id.</summary>
    public Task<List<TaskPlace>> ReadUnfinishedAsync(CancellationToken cancellationToken) => database.ReadAsync(
        session => session.QueryAsync(
            "SELECT summary, term, incarnation FROM actortrainer_task WHERE finished = 0 ORDER BY task",
            r => new TaskPlace(ReadSummary(r.GetString(0)), r.GetInt64(1), r.GetInt64(2))),
        cancellationToken);

    /// <summary>Tasks, newest first.</summary>
    public Task<List<TaskListing>> ListAsync(ListTasksRequest request, CancellationToken cancellationToken) => database.ReadAsync(
        session => session.QueryAsync(
            $"SELECT {ListColumns} FROM actortrainer_task WHERE (@a = 0 OR finished = 0) AND (@b = '' OR name = @b) AND (@c = '' OR task = @c) " +
            "ORDER BY submitted_at DESC, task",
            r => new TaskListing(ReadSummary(r.GetString(0)), Time(r.GetInt64(1)), Time(r.GetInt64(2))),
            request.Unfinished ? 1 : 0,
            request.Name ?? "",
            request.Task?.Value ?? ""),
        cancellationToken);

    /// <summary>Listed checkpoints, newest first.</summary>
    public Task<List<CheckpointListing>> ListCheckpointsAsync(TaskId? task, CancellationToken cancellationToken) => database.ReadAsync(
        session => session.QueryAsync(
            "SELECT task, body, term, time, damaged FROM actortrainer_checkpoint WHERE @a = '' OR task = @a ORDER BY time DESC, sequence DESC, task",
            r => new CheckpointListing(
                TaskId.Parse(r.GetString(0)),
                JsonSerializer.Deserialize(r.GetString(1), CoreJsonContext.Default.CheckpointRef)!,
                r.GetInt64(2),
                Time(r.GetInt64(3)),
                r.GetInt32(4) != 0),
            task?.Value ?? ""),
        cancellationToken);

    /// <summary>Up to which event a task's row is current; 0: there is none.</summary>
    public async Task<long> SequenceOfAsync(TaskId task, CancellationToken cancellationToken) => (await database.ReadAsync(
        session => session.QueryAsync("SELECT last_sequence FROM actortrainer_task WHERE task = @a", r => r.GetInt64(0), task.Value),
        cancellationToken)).FirstOrDefault();

    /// <summary>The id that a task name stands for: the one on record, or this one, which is then on record.</summary>
    public async Task<TaskId> NameAsync(string name, TaskId drawn, CancellationToken cancellationToken) => await database.WriteAsync(
        async session =>
        {
            await session.RunAsync("INSERT INTO actortrainer_name (name, task) VALUES (@a, @b) ON CONFLICT (name) DO NOTHING", name, drawn.Value);
            return await FindNameAsync(session, name) ?? drawn;
        },
        cancellationToken);

    /// <summary>The id that a task name stands for, or null.</summary>
    public Task<TaskId?> FindNameAsync(string name, CancellationToken cancellationToken) =>
        database.ReadAsync(session => FindNameAsync(session, name), cancellationToken);

    private static async Task<TaskId?> FindNameAsync(Session session, string name)
    {
        List<TaskId> found = await session.QueryAsync("SELECT task FROM actortrainer_name WHERE name = @a", r => TaskId.Parse(r.GetString(0)), name);
        return found.Count == 0 ? null : found[0];
    }

    private async Task WriteTaskAsync(Session session, TaskId id, ProjectedTask task)
    {
        if (task.Summarize(ShardMap.ShardOf(id, numberOfShards)) is not { } summary)
        {
            // Its very first event cannot be read: there is nothing to list.
            return;
        }

        await session.RunAsync(
            "INSERT INTO actortrainer_task (task, name, shard, finished, last_sequence, term, incarnation, submitted_at, changed_at, summary, state) " +
            "VALUES (@a, @b, @c, @d, @e, @f, @g, @h, @i, @j, @k) ON CONFLICT (task) DO UPDATE SET finished = excluded.finished, " +
            "last_sequence = excluded.last_sequence, term = excluded.term, incarnation = excluded.incarnation, changed_at = excluded.changed_at, " +
            "summary = excluded.summary, state = excluded.state WHERE actortrainer_task.last_sequence < excluded.last_sequence",
            id.Value,
            summary.Name,
            summary.Shard,
            task.IsFinished ? 1 : 0,
            task.LastSequence,
            task.Term,
            task.State!.Incarnation,
            task.SubmittedAt,
            task.ChangedAt,
            JsonSerializer.Serialize(summary, CoreJsonContext.Default.TaskSummary),
            JsonSerializer.Serialize(task.State, CoreJsonContext.Default.TaskState));
    }

    private static Task WriteCheckpointAsync(Session session, ProjectedEvent e) => e.Event switch
    {
        TaskCheckpointed added => session.RunAsync(
            "INSERT INTO actortrainer_checkpoint (task, name, term, sequence, time, damaged, body) VALUES (@a, @b, @c, @d, @e, 0, @f) ON CONFLICT (task, name) DO NOTHING",
            e.Task.Value, added.Checkpoint.Name, e.Term, e.Sequence, e.Time, JsonSerializer.Serialize(added.Checkpoint, CoreJsonContext.Default.CheckpointRef)),
        TaskCheckpointDamaged damaged => session.RunAsync(
            "UPDATE actortrainer_checkpoint SET damaged = 1 WHERE task = @a AND name = @b", e.Task.Value, damaged.Checkpoint),
        TaskCheckpointRemoved removed => session.RunAsync(
            "DELETE FROM actortrainer_checkpoint WHERE task = @a AND name = @b", e.Task.Value, removed.Checkpoint),
        _ => Task.CompletedTask,
    };

    private static ProjectedTask ReadTask(DbDataReader reader)
    {
        TaskSummary summary = ReadSummary(reader.GetString(5));
        TaskState state = JsonSerializer.Deserialize(reader.GetString(0), CoreJsonContext.Default.TaskState)!;

        // A hold that the state does not know of is that of events which cannot be read.
        string? problem = summary.Status == Core.Tasks.TaskStatus.Held && state.Status != Core.Tasks.TaskStatus.Held ? summary.Detail : null;
        return new ProjectedTask(state, problem, reader.GetInt64(1), reader.GetInt64(2), reader.GetInt64(3), reader.GetInt64(4));
    }

    private static TaskSummary ReadSummary(string text) => JsonSerializer.Deserialize(text, CoreJsonContext.Default.TaskSummary)!;

    private static DateTimeOffset Time(long ticks) => new(ticks, TimeSpan.Zero);
}
