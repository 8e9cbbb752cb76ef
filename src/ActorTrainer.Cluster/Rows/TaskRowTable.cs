using System.Data.Common;
using System.Text.Json;
using ActorTrainer.Cluster.Persistence;
using ActorTrainer.Core;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Queries;
using ActorTrainer.Core.Sharding;
using ActorTrainer.Core.Tasks;

namespace ActorTrainer.Cluster.Rows;

/// <summary>
/// The rows of the tasks in SQL, and the names that they have. Every transaction that writes rows first takes the next version, in one row
/// that is locked until the commit: so versions become visible in their order, and who reads changes since a version passes none by.
/// </summary>
internal sealed class TaskRowTable(JournalDatabase database, int numberOfShards)
{
    private const string Columns = "summary, sequence, term, owner, submitted_at, changed_at, version, finished";

    private const string Insert =
        "INSERT INTO actortrainer_task (task, name, shard, finished, sequence, term, owner, claim, version, submitted_at, "
        + "changed_at, summary, checkpoints) ";

    private const string Upsert =
        Insert
        + "VALUES (@a, @b, @c, @d, @e, @f, @g, 1, @h, @i, @j, @k, COALESCE(@l, '[]')) ON CONFLICT (task) DO UPDATE "
        + "SET finished = excluded.finished, "
        + "sequence = excluded.sequence, term = excluded.term, owner = excluded.owner, version = excluded.version, "
        + "submitted_at = excluded.submitted_at, changed_at = excluded.changed_at, summary = excluded.summary, "
        + "checkpoints = COALESCE(@l, actortrainer_task.checkpoints), ";

    /// <summary>Gives the task that has the name from then on, or had it before.</summary>
    private const string TakeName =
        "INSERT INTO actortrainer_name (name, task) VALUES (@a, @b) ON CONFLICT (name) DO UPDATE SET name = excluded.name RETURNING task";

    /// <summary>Of a task without events; one that was withdrawn is asked for again.</summary>
    private const string FirstRow =
        Insert
        + "VALUES (@a, @b, @c, 0, 0, 0, 0, 0, @d, @e, @e, @f, '[]') ON CONFLICT (task) DO UPDATE "
        + "SET finished = 0, version = excluded.version, "
        + "summary = excluded.summary WHERE actortrainer_task.sequence = 0 AND actortrainer_task.finished = 1";

    /// <summary>The first write of an owner: nobody may know later events, and whoever kept the row loses it.</summary>
    private const string Take =
        Upsert + "claim = actortrainer_task.claim + 1 WHERE actortrainer_task.sequence <= excluded.sequence RETURNING claim";

    private const string Keep =
        Upsert
        + "claim = actortrainer_task.claim WHERE actortrainer_task.claim = @m "
        + "AND actortrainer_task.sequence <= excluded.sequence RETURNING claim";

    /// <summary>Writes rows and takes names, all in one transaction: none of them can fail another.</summary>
    /// <returns>What became of each row, and the id that each name stands for, in the orders given.</returns>
    public Task<(IReadOnlyList<RowResult> Rows, IReadOnlyList<TaskId> Names)> WriteAsync(
        IReadOnlyList<RowWrite> rows,
        IReadOnlyList<NameClaim> names,
        CancellationToken cancellationToken
    ) =>
        database.WriteAsync(
            async session =>
            {
                long version = await NextVersionAsync(session);
                List<List<long>> claims = await session.QueryAllAsync([.. rows.Select(r => Write(r, version))], r => r.GetInt64(0));
                IReadOnlyList<RowResult> results = [.. claims.Select(kept => new RowResult(kept.Count == 0 ? null : kept[0]))];
                return (results, await TakeNamesAsync(session, names, version));
            },
            cancellationToken
        );

    /// <summary>
    /// The rows that changed since a version, and the version that they are current to. From 0: all unfinished ones.
    /// </summary>
    public Task<(long Version, List<TaskRow> Rows)> ReadChangesAsync(long since, CancellationToken cancellationToken) =>
        database.ReadAsync(
            async session =>
            {
                // The version first: rows that are committed meanwhile come again with the next reading.
                long version = (await session.QueryAsync("SELECT version FROM actortrainer_row_version", r => r.GetInt64(0)))[0];
                List<TaskRow> rows =
                    version == since
                        ? []
                        : await session.QueryAsync(
                            since == 0
                                ? $"SELECT {Columns} FROM actortrainer_task WHERE finished = 0 AND version > @a"
                                : $"SELECT {Columns} FROM actortrainer_task WHERE version > @a",
                            Read,
                            since
                        );
                return (version, rows);
            },
            cancellationToken
        );

    /// <summary>Tasks that have events, newest first.</summary>
    public Task<List<TaskListing>> ListAsync(TaskFilter filter, CancellationToken cancellationToken) =>
        database.ReadAsync(
            session =>
                session.QueryAsync(
                    $"SELECT {Columns} FROM actortrainer_task WHERE sequence > 0 AND (@a = 0 OR finished = 0) "
                        + "AND (@b = '' OR name = @b) AND (@c = '' OR task = @c) "
                        + "ORDER BY submitted_at DESC, task",
                    r => ListingOf(Read(r)),
                    filter.Unfinished ? 1 : 0,
                    filter.Name ?? "",
                    filter.Task?.Value ?? ""
                ),
            cancellationToken
        );

    /// <summary>Listed checkpoints of one task or of all, newest first.</summary>
    public async Task<List<CheckpointListing>> ListCheckpointsAsync(TaskId? task, CancellationToken cancellationToken)
    {
        List<List<CheckpointListing>> found = await database.ReadAsync(
            session =>
                session.QueryAsync(
                    "SELECT checkpoints FROM actortrainer_task WHERE checkpoints <> '[]' AND (@a = '' OR task = @a)",
                    r => JsonSerializer.Deserialize(r.GetString(0), CoreJsonContext.Default.ListCheckpointListing)!,
                    task?.Value ?? ""
                ),
            cancellationToken
        );
        return [.. found.SelectMany(list => list).OrderByDescending(c => c.Time).ThenBy(c => c.Task)];
    }

    /// <summary>
    /// Up to which event a task's row is current; 0: no event yet; null: there is no row, since the task never was or is archived.
    /// </summary>
    public async Task<long?> SequenceOfAsync(TaskId task, CancellationToken cancellationToken) =>
        (
            await database.ReadAsync(
                session =>
                    session.QueryAsync("SELECT sequence FROM actortrainer_task WHERE task = @a", r => (long?)r.GetInt64(0), task.Value),
                cancellationToken
            )
        ).FirstOrDefault();

    /// <summary>The tasks that have ended and are to be kept no longer, those that ended first before the others.</summary>
    /// <param name="before">Those that ended before this.</param>
    /// <param name="most">Those beyond so many that ended last.</param>
    /// <param name="limit">At most so many.</param>
    /// <param name="cancellationToken">Gives it up.</param>
    public Task<List<TaskId>> ReadFinishedAsync(DateTimeOffset before, long most, int limit, CancellationToken cancellationToken) =>
        database.ReadAsync(
            async session =>
            {
                const string Finished = "FROM actortrainer_task WHERE finished = 1 AND sequence > 0";
                long late = (
                    await session.QueryAsync($"SELECT COUNT(*) {Finished} AND changed_at < @a", r => r.GetInt64(0), before.UtcTicks)
                )[0];
                long all = (await session.QueryAsync($"SELECT COUNT(*) {Finished}", r => r.GetInt64(0)))[0];
                long count = Math.Min(Math.Max(late, all - most), limit);
                return count <= 0
                    ? []
                    : await session.QueryAsync(
                        $"SELECT task {Finished} ORDER BY changed_at, task LIMIT @a",
                        r => TaskId.Parse(r.GetString(0)),
                        count
                    );
            },
            cancellationToken
        );

    /// <summary>
    /// Shows a task as held that cannot be recovered: its row stays as it was but for that. Nobody else's it is by then, or he would have
    /// taken it.
    /// </summary>
    public Task HoldAsync(TaskId task, long owner, string reason, CancellationToken cancellationToken) =>
        database.WriteAsync(
            async session =>
            {
                long version = await NextVersionAsync(session);
                List<TaskRow> rows = await session.QueryAsync($"SELECT {Columns} FROM actortrainer_task WHERE task = @a", Read, task.Value);
                return rows.Count == 0
                    ? 0
                    : await session.RunAsync(
                        "UPDATE actortrainer_task SET owner = @b, claim = claim + 1, version = @c, summary = @d WHERE task = @a",
                        task.Value,
                        owner,
                        version,
                        JsonSerializer.Serialize(
                            rows[0].Summary with
                            {
                                Status = Core.Tasks.TaskStatus.Held,
                                Detail = reason,
                            },
                            CoreJsonContext.Default.TaskSummary
                        )
                    );
            },
            cancellationToken
        );

    /// <summary>The id that a name stands for, or null.</summary>
    public async Task<TaskId?> FindNameAsync(string name, CancellationToken cancellationToken)
    {
        List<TaskId> found = await database.ReadAsync(
            session => session.QueryAsync("SELECT task FROM actortrainer_name WHERE name = @a", r => TaskId.Parse(r.GetString(0)), name),
            cancellationToken
        );
        return found.Count == 0 ? null : found[0];
    }

    /// <summary>
    /// Gives tasks that rest to another life, without anybody who recovers them: whoever kept their rows loses them. A row that was written
    /// since it was read stays as it is, and so does one that does not know all events of its task.
    /// </summary>
    /// <param name="tasks">The tasks.</param>
    /// <param name="seen">The newest version among their rows as they were read, with no gap below it.</param>
    /// <param name="owner">The life.</param>
    /// <param name="cancellationToken">Gives it up.</param>
    /// <returns>The tasks whose rows have not changed and do not know all events: they have to be recovered.</returns>
    public Task<List<TaskId>> AssignAsync(IReadOnlyCollection<TaskId> tasks, long seen, long owner, CancellationToken cancellationToken) =>
        database.WriteAsync(
            async session =>
            {
                string among = database.IsSqlite
                    ? "task IN (SELECT value FROM json_each(@a))"
                    : "task IN (SELECT json_array_elements_text(@a::json))";
                string list = JsonSerializer.Serialize([.. tasks.Select(task => task.Value)], CoreJsonContext.Default.ListString);
                long version = await NextVersionAsync(session);
                await session.RunAsync(
                    $"UPDATE actortrainer_task SET owner = @b, claim = claim + 1, version = @c WHERE {among} AND version <= @d "
                        + $"AND NOT EXISTS (SELECT 1 FROM {TaskPersistence.EventTable} e "
                        + $"WHERE e.persistence_id = '{TaskPersistence.IdPrefix}' || task "
                        + "AND e.sequence_number > sequence)",
                    list,
                    owner,
                    version,
                    seen
                );
                return await session.QueryAsync(
                    $"SELECT task FROM actortrainer_task WHERE {among} AND version <= @b",
                    r => TaskId.Parse(r.GetString(0)),
                    list,
                    seen
                );
            },
            cancellationToken
        );

    /// <summary>Takes the row of a task back whose submit never came to an event.</summary>
    public Task WithdrawAsync(TaskId task, CancellationToken cancellationToken) =>
        database.WriteAsync(
            async session =>
            {
                long version = await NextVersionAsync(session);
                return await session.RunAsync(
                    "UPDATE actortrainer_task SET finished = 1, version = @b WHERE task = @a AND sequence = 0",
                    task.Value,
                    version
                );
            },
            cancellationToken
        );

    /// <summary>A row in the form of a list.</summary>
    public static TaskListing ListingOf(TaskRow row) => new(row.Summary, row.SubmittedAt, row.ChangedAt);

    private static async Task<long> NextVersionAsync(Session session) =>
        (await session.QueryAsync("UPDATE actortrainer_row_version SET version = version + 1 RETURNING version", r => r.GetInt64(0)))[0];

    private static Statement Write(RowWrite write, long version)
    {
        TaskRow row = write.Row;
        List<object?> values =
        [
            row.Summary.Task.Value,
            row.Summary.Name,
            row.Summary.Shard,
            row.Summary.IsFinished ? 1 : 0,
            row.Sequence,
            row.Term,
            row.Owner,
            version,
            row.SubmittedAt.UtcTicks,
            row.ChangedAt.UtcTicks,
            JsonSerializer.Serialize(row.Summary, CoreJsonContext.Default.TaskSummary),
            write.Checkpoints is null
                ? null
                : JsonSerializer.Serialize([.. write.Checkpoints], CoreJsonContext.Default.ListCheckpointListing),
        ];
        if (write.Claim is { } claim)
        {
            values.Add(claim);
        }

        return new Statement(write.Claim is null ? Take : Keep, [.. values]);
    }

    private async Task<IReadOnlyList<TaskId>> TakeNamesAsync(Session session, IReadOnlyList<NameClaim> names, long version)
    {
        List<List<TaskId>> tasks = await session.QueryAllAsync(
            [.. names.Select(name => new Statement(TakeName, name.Spec.Name, name.Task.Value))],
            r => TaskId.Parse(r.GetString(0))
        );
        await session.RunAllAsync([.. names.Zip(tasks, (name, task) => Announce(name, task[0], version))]);
        return [.. tasks.Select(task => task[0])];
    }

    /// <summary>The row that a task has until it has events.</summary>
    private Statement Announce(NameClaim claim, TaskId task, long version)
    {
        TaskSummary summary = new TaskState
        {
            Task = task,
            Spec = claim.Spec,
            SpecHash = claim.SpecHash,
            Detail = "is being submitted",
        }.Summarize(ShardMap.ShardOf(task, numberOfShards));
        return new Statement(
            FirstRow,
            task.Value,
            summary.Name,
            summary.Shard,
            version,
            claim.At.UtcTicks,
            JsonSerializer.Serialize(summary, CoreJsonContext.Default.TaskSummary)
        );
    }

    private static TaskRow Read(DbDataReader reader)
    {
        TaskSummary summary = JsonSerializer.Deserialize(reader.GetString(0), CoreJsonContext.Default.TaskSummary)!;
        bool withdrawn = reader.GetInt32(7) != 0 && !summary.IsFinished;
        return new TaskRow(
            withdrawn ? summary with { Status = Core.Tasks.TaskStatus.Cancelled } : summary,
            reader.GetInt64(1),
            reader.GetInt64(2),
            reader.GetInt64(3),
            new DateTimeOffset(reader.GetInt64(4), TimeSpan.Zero),
            new DateTimeOffset(reader.GetInt64(5), TimeSpan.Zero),
            reader.GetInt64(6)
        );
    }
}
