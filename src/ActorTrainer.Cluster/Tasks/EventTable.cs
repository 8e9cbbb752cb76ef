using ActorTrainer.Cluster.Messages;
using ActorTrainer.Cluster.Persistence;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Queries;

namespace ActorTrainer.Cluster.Tasks;

/// <summary>An event as it was read.</summary>
/// <param name="Sequence">Its number in the task, from 1.</param>
/// <param name="Written">The event; null when it cannot be read.</param>
/// <param name="Problem">Why not; null when it can.</param>
internal sealed record ReadEvent(long Sequence, JournaledEvent? Written, string? Problem);

/// <summary>Reads the events of tasks where Akka.Persistence.Sql writes them.</summary>
internal static class EventTable
{
    public const string Name = TaskPersistence.EventTable;

    /// <summary>A task's events after a sequence, by sequence.</summary>
    public static Task<List<ReadEvent>> ReadAsync(
        JournalDatabase database,
        TaskId task,
        long after,
        int limit,
        CancellationToken cancellationToken
    ) =>
        database.ReadAsync(
            async session =>
                !await JournalSchema.HasTableAsync(database, session, Name)
                    ? []
                    : await session.QueryAsync(
                        $"SELECT sequence_number, message, manifest FROM {Name} WHERE persistence_id = @a "
                            + "AND sequence_number > @b ORDER BY sequence_number LIMIT @c",
                        r => Of(r.GetInt64(0), r.GetFieldValue<byte[]>(1), r.IsDBNull(2) ? "" : r.GetString(2)),
                        TaskPersistence.IdOf(task),
                        after,
                        limit
                    ),
            cancellationToken
        );

    /// <summary>Removes all events of a task that never was one.</summary>
    public static Task RemoveAsync(JournalDatabase database, TaskId task, CancellationToken cancellationToken) =>
        database.WriteAsync(
            session => session.RunAsync($"DELETE FROM {Name} WHERE persistence_id = @a", TaskPersistence.IdOf(task)),
            cancellationToken
        );

    /// <summary>The row of an event that could be read.</summary>
    public static EventRow RowOf(TaskId task, ReadEvent e) => new(task, e.Sequence, e.Written!.Term, e.Written.At, e.Written.Event);

    private static ReadEvent Of(long sequence, byte[] message, string manifest) =>
        ActorTrainerSerializer.Read(message, manifest) switch
        {
            JournaledEvent written => new ReadEvent(sequence, written, null),
            Unreadable unreadable => new ReadEvent(sequence, null, unreadable.Reason),
            object other => new ReadEvent(sequence, null, $"'{manifest}' is no event but {other.GetType().Name}"),
        };
}
