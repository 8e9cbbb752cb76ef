using System.Globalization;
using ActorTrainer.Cluster.Messages;
using ActorTrainer.Cluster.Persistence;
using ActorTrainer.Core.Identity;

namespace ActorTrainer.Cluster.Tasks;

/// <summary>
/// Takes what is not needed any more out of the tables in which Akka keeps events and snapshots. What a task may lose its own actor
/// decides.
/// </summary>
/// <remarks>
/// The key (task, sequence) lets one writer in for each event. Where events are deleted their keys are free again, and an owner of long ago
/// could write there: so a trigger refuses events below what is deleted, and of archived tasks all. It is made with the first deletion, and
/// what is about to be deleted is on record, in a transaction of its own, before it is.
/// </remarks>
internal sealed class TaskHistory(JournalDatabase database)
{
    private const string Snapshots = "actortrainer_snapshot";
    private const string Fence = "actortrainer_event_fence";
    private const string Reason = "the task has had other owners meanwhile, and its events up to here are deleted";

    private static readonly string Fenced = string.Create(
        CultureInfo.InvariantCulture,
        $"EXISTS (SELECT 1 FROM actortrainer_task WHERE task = substr(NEW.persistence_id, {TaskPersistence.IdPrefix.Length + 1}) "
            + $"AND deleted_to >= NEW.sequence_number) "
            + $"OR EXISTS (SELECT 1 FROM actortrainer_archive "
            + $"WHERE task = substr(NEW.persistence_id, {TaskPersistence.IdPrefix.Length + 1}))"
    );

    /// <summary>
    /// Deletes a task's events up to a sequence, if its newest snapshot reads back as it was written and another one is there that covers
    /// them as well. The task's row says from then on up to which event they are deleted.
    /// </summary>
    /// <param name="task">The task.</param>
    /// <param name="newest">Where its newest snapshot is.</param>
    /// <param name="written">What was written there.</param>
    /// <param name="through">The last event to delete, at or below the older of two snapshots; below 1: none.</param>
    /// <param name="cancellationToken">Gives it up.</param>
    /// <returns>Whether the newest snapshot can be relied on.</returns>
    public async Task<bool> TrimAsync(TaskId task, long newest, FoldedTask written, long through, CancellationToken cancellationToken)
    {
        string id = TaskPersistence.IdOf(task);
        (bool reliable, bool covered) = await database.ReadAsync(
            async session =>
            {
                List<byte[]> read = await session.QueryAsync(
                    $"SELECT snapshot FROM {Snapshots} WHERE persistence_id = @a AND sequence_number = @b",
                    r => r.GetFieldValue<byte[]>(0),
                    id,
                    newest
                );
                List<long> covering = await session.QueryAsync(
                    $"SELECT COUNT(*) FROM {Snapshots} WHERE persistence_id = @a AND sequence_number >= @b",
                    r => r.GetInt64(0),
                    id,
                    through
                );
                return (read.Count > 0 && read[0].AsSpan().SequenceEqual(ActorTrainerSerializer.Write(written)), covering[0] >= 2);
            },
            cancellationToken
        );
        if (reliable && covered && through > 0)
        {
            await database.WriteAsync(
                async session =>
                {
                    await EnsureFenceAsync(session);
                    return await session.RunAsync(
                        "UPDATE actortrainer_task SET deleted_to = @b WHERE task = @a AND deleted_to < @b",
                        task.Value,
                        through
                    );
                },
                cancellationToken
            );
            await database.WriteAsync(
                session =>
                    session.RunAsync($"DELETE FROM {EventTable.Name} WHERE persistence_id = @a AND sequence_number <= @b", id, through),
                cancellationToken
            );
        }

        return reliable;
    }

    /// <summary>
    /// Takes an ended task out of the live tables: its row moves into the archive, its name is free, its events but the one that says so
    /// and its snapshots are deleted.
    /// </summary>
    /// <param name="task">The task.</param>
    /// <param name="archived">The sequence of the event that says that it is archived.</param>
    /// <param name="cancellationToken">Gives it up.</param>
    public async Task ArchiveAsync(TaskId task, long archived, CancellationToken cancellationToken)
    {
        await database.WriteAsync(
            async session =>
            {
                await EnsureFenceAsync(session);
                return await session.RunAsync(
                    "INSERT INTO actortrainer_archive (task, name, submitted_at, ended_at, summary, checkpoints) "
                        + "SELECT task, name, submitted_at, changed_at, summary, checkpoints FROM actortrainer_task "
                        + "WHERE task = @a AND finished = 1 "
                        + "ON CONFLICT (task) DO NOTHING",
                    task.Value
                );
            },
            cancellationToken
        );
        await database.WriteAsync(
            async session =>
            {
                string id = TaskPersistence.IdOf(task);
                await session.RunAsync($"DELETE FROM {EventTable.Name} WHERE persistence_id = @a AND sequence_number < @b", id, archived);
                await session.RunAsync($"DELETE FROM {Snapshots} WHERE persistence_id = @a", id);
                await session.RunAsync("DELETE FROM actortrainer_name WHERE task = @a", task.Value);
                await session.RunAsync("DELETE FROM actortrainer_metrics WHERE task = @a", task.Value);
                return await session.RunAsync("DELETE FROM actortrainer_task WHERE task = @a", task.Value);
            },
            cancellationToken
        );
    }

    /// <summary>Refused is answered like a key that is taken.</summary>
    private async Task EnsureFenceAsync(Session session)
    {
        if (database.IsSqlite)
        {
            await session.RunAsync(
                $"CREATE TRIGGER IF NOT EXISTS {Fence} BEFORE INSERT ON {EventTable.Name} WHEN {Fenced} BEGIN "
                    + $"SELECT RAISE(ABORT, '{Reason}'); END"
            );
        }
        else if (
            (
                await session.QueryAsync(
                    "SELECT 1 FROM pg_trigger WHERE tgname = @a AND tgrelid = @b::regclass",
                    _ => true,
                    Fence,
                    EventTable.Name
                )
            ).Count == 0
        )
        {
            // Two nodes that make it at the same time would trip over each other.
            await session.QueryAsync("SELECT pg_advisory_xact_lock(7400)", _ => true);
            await session.RunAsync(
                $"CREATE OR REPLACE FUNCTION {Fence}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF {Fenced} THEN "
                    + $"RAISE EXCEPTION '{Reason}' USING ERRCODE = '23505'; END IF; RETURN NEW; END $$"
            );
            await session.RunAsync(
                $"CREATE OR REPLACE TRIGGER {Fence} BEFORE INSERT ON {EventTable.Name} FOR EACH ROW EXECUTE FUNCTION {Fence}()"
            );
        }
    }
}
