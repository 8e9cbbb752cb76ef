using System.Collections.Immutable;
using Akka.Persistence;
using Akka.Serialization;

namespace ActorTrainer.Cluster.Persistence;

/// <summary>
/// Writes the events of persistent actors into the table of Akka.Persistence.Sql, as rows that it reads. Its own way there is a transaction
/// of three round trips, made by a general query builder. Thread-safe.
/// </summary>
/// <param name="database">Where the events are.</param>
/// <param name="serialization">Of the actor system.</param>
/// <param name="time">When an event is written.</param>
internal sealed class EventWriter(JournalDatabase database, Serialization serialization, TimeProvider time)
{
    private const string Insert =
        $"INSERT INTO {TaskPersistence.EventTable} (deleted, persistence_id, sequence_number, created, tags, message, identifier, "
        + "manifest, writer_uuid) VALUES (@a, @b, @c, @d, '', @e, @f, @g, @h)";

    /// <summary>However many actors write at once, half of the node's sessions are left for all else.</summary>
    private readonly SemaphoreSlim _turns = new(DatabaseConnections.Sessions / 2);

    /// <summary>Writes the events of one actor in one transaction.</summary>
    /// <returns>For each write why its events can never be written, null where they were; null: all were.</returns>
    /// <exception cref="System.Data.Common.DbException">
    /// Nothing was written: the database is away, or another owner has written under one of the numbers.
    /// </exception>
    public async Task<IImmutableList<Exception?>?> WriteAsync(IEnumerable<AtomicWrite> writes, CancellationToken cancellationToken)
    {
        List<Statement> rows = [];
        List<Exception?> problems = [];
        foreach (AtomicWrite write in writes)
        {
            try
            {
                rows.AddRange(((IEnumerable<IPersistentRepresentation>)write.Payload).Select(Row).ToArray());
                problems.Add(null);
            }
            catch (Exception e)
            {
                // Whatever a serializer throws: such an event is rejected.
                problems.Add(e);
            }
        }

        await _turns.WaitAsync(cancellationToken);
        try
        {
            await database.WriteAsync(rows, cancellationToken);
        }
        finally
        {
            _turns.Release();
        }

        return problems.TrueForAll(problem => problem is null) ? null : problems.ToImmutableList();
    }

    private Statement Row(IPersistentRepresentation written)
    {
        Serializer serializer = serialization.FindSerializerFor(written.Payload);
        return new Statement(
            Insert,
            false,
            written.PersistenceId,
            written.SequenceNr,
            time.GetUtcNow().Ticks,
            serializer.ToBinary(written.Payload),
            serializer.Identifier,
            Serialization.ManifestFor(serializer, written.Payload),
            written.WriterGuid
        );
    }
}
