using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Journaling;
using ActorTrainer.Core.Tasks;
using ActorTrainer.Journal.Tables;

namespace ActorTrainer.Journal.Sqlite;

internal sealed partial class SqliteTables
{
    public TaskHead? FindTask(TaskId task) =>
        connection.First($"SELECT {RowFormat.HeadColumns} FROM task WHERE task = ?1", RowFormat.Head, task.Value);

    public NameOwner? FindName(string name) =>
        connection.First(
            "SELECT task, spec_hash FROM task WHERE name = ?1",
            static reader => new NameOwner(TaskId.Parse(reader.GetString(0)), reader.GetString(1)),
            name);

    public long? FindAppend(TaskHead task, long afterSequence, string appendId) =>
        connection.First(
            "SELECT max(sequence) FROM event WHERE task = ?1 AND sequence > ?2 AND append_id = ?3",
            static reader => reader.IsDBNull(0) ? (long?)null : reader.GetInt64(0),
            task.Key,
            afterSequence,
            appendId);

    public void WriteAppend(TaskHead? head, PreparedAppend append, long lastSequence, DateTimeOffset time)
    {
        EncodedAppend encoded = append.Encoded ?? throw new InvalidOperationException("The append was not encoded.");
        TaskAppend part = append.Append;
        long milliseconds = time.ToUnixTimeMilliseconds();
        long key = head?.Key ?? InsertTask(part, milliseconds);
        long sequence = head?.LastSequence ?? 0;
        for (int i = 0; i < part.Events.Count; i++)
        {
            EncodedEvent row = encoded.Events[i];
            connection.Run(
                "INSERT INTO event (task, sequence, term, append_id, time, type, version, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                key, ++sequence, part.Term, part.AppendId, milliseconds, row.Type, RowFormat.EventVersion, row.Body);
            FoldCheckpoint(key, part.Events[i], row, part.Term, milliseconds);
        }

        WriteHead(key, part.Summary, encoded.Summary, lastSequence, milliseconds);
        if (part.Snapshot is { } snapshot && snapshot.Sequence <= lastSequence)
        {
            connection.Run(
                "INSERT OR REPLACE INTO snapshot (task, sequence, fold_version, body) VALUES (?1, ?2, ?3, ?4)",
                key, snapshot.Sequence, snapshot.FoldVersion, snapshot.Body);
        }
    }

    public IReadOnlyList<TaskHead> ReadUnfinished(int shard) =>
        connection.Query($"SELECT {RowFormat.HeadColumns} FROM task WHERE shard = ?1 AND finished = 0", RowFormat.Head, shard);

    public TaskSnapshotRow? ReadSnapshot(TaskHead task) =>
        connection.First(
            "SELECT sequence, fold_version, body FROM snapshot WHERE task = ?1",
            static reader => new TaskSnapshotRow(reader.GetInt64(0), reader.GetInt32(1), reader.GetString(2)),
            task.Key);

    public IReadOnlyList<EventRow> ReadEvents(TaskHead task, long afterSequence, int limit) =>
        connection.Query(
            "SELECT sequence, term, time, body FROM event WHERE task = ?1 AND sequence > ?2 ORDER BY sequence LIMIT ?3",
            reader => RowFormat.Event(reader, task.Task),
            task.Key,
            afterSequence,
            limit);

    public IReadOnlyList<TaskSummary> ReadUnfinishedSummaries() =>
        connection.Query("SELECT summary FROM task WHERE finished = 0 ORDER BY task", static reader => RowFormat.Summary(reader, 0));

    public IReadOnlyList<TaskListing> ListTasks(ListTasksRequest request) =>
        connection.Query(
            """
            SELECT summary, submitted_at, changed_at FROM task
            WHERE finished <= ?1 AND (?2 IS NULL OR name = ?2) AND (?3 IS NULL OR task = ?3) ORDER BY key DESC
            """,
            static reader => new TaskListing(RowFormat.Summary(reader, 0), RowFormat.Time(reader.GetInt64(1)), RowFormat.Time(reader.GetInt64(2))),
            request.Unfinished ? 0 : 1,
            request.Name,
            request.Task?.Value);

    public IReadOnlyList<CheckpointListing> ListCheckpoints(TaskId? task) =>
        connection.Query(
            """
            SELECT task.task, checkpoint.term, checkpoint.time, checkpoint.damaged, checkpoint.body
            FROM checkpoint JOIN task ON task.key = checkpoint.task
            WHERE ?1 IS NULL OR task.task = ?1 ORDER BY checkpoint.key DESC
            """,
            RowFormat.Checkpoint,
            task?.Value);

    private long InsertTask(TaskAppend part, long time)
    {
        long key = connection.First("SELECT coalesce(max(key), 0) + 1 FROM task", static reader => reader.GetInt64(0));
        TaskSummary summary = part.Summary;

        // Only what never changes; the head is written after the events.
        connection.Run(
            """
            INSERT INTO task (key, task, name, spec_hash, shard, gang, rank, submitted_at,
              finished, status, priority, slots, avoid, alone, last_sequence, changed_at, summary)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 0, '', 0, 0, 0, 0, 0, 0, '')
            """,
            key, part.Task.Value, summary.Name, summary.SpecHash, part.Shard, summary.Gang, summary.Rank, time);
        return key;
    }

    private void WriteHead(long key, TaskSummary summary, string encoded, long lastSequence, long time)
    {
        PlanningFields planning = PlanningFields.Of(summary);
        connection.Run(
            """
            UPDATE task SET finished = ?2, status = ?3, priority = ?4, slots = ?5, avoid = ?6, alone = ?7, last_sequence = ?8,
              changed_at = ?9, summary = ?10 WHERE key = ?1
            """,
            key,
            summary.IsFinished ? 1 : 0,
            planning.Status.ToString(),
            planning.Priority,
            planning.Slots,
            planning.AvoidIncarnation,
            planning.Alone ? 1 : 0,
            lastSequence,
            time,
            encoded);
    }

    private void FoldCheckpoint(long key, TaskEvent taskEvent, EncodedEvent encoded, long term, long time)
    {
        switch (taskEvent)
        {
            case TaskCheckpointed e:
                RemoveCheckpoint(key, e.Checkpoint.Name);
                connection.Run(
                    "INSERT INTO checkpoint (task, name, term, time, damaged, body) VALUES (?1, ?2, ?3, ?4, 0, ?5)",
                    key, e.Checkpoint.Name, term, time, encoded.Checkpoint);
                break;
            case TaskCheckpointDamaged e:
                connection.Run("UPDATE checkpoint SET damaged = 1 WHERE task = ?1 AND name = ?2", key, e.Checkpoint);
                break;
            case TaskCheckpointRemoved e:
                RemoveCheckpoint(key, e.Checkpoint);
                break;
        }
    }

    private void RemoveCheckpoint(long key, string name) =>
        connection.Run("DELETE FROM checkpoint WHERE task = ?1 AND name = ?2", key, name);
}
