using System.Collections.Concurrent;
using System.Collections.Immutable;
using ActorTrainer.Cluster.Persistence;
using Akka.Configuration;
using Akka.Persistence;
using Akka.Persistence.Sql.Journal;

namespace ActorTrainer.Cluster.Systems;

/// <summary>
/// Akka's SQL journal, whose tables and replay it uses, with ways of its own for what every task needs: an event is written by
/// <see cref="EventWriter"/>, and the numbers of the newest events of all actors that are recovered at the same time are read by
/// <see cref="LatestSequences"/> in one query. In a system that the host made it is Akka's journal in all.
/// </summary>
internal sealed class TaskJournal : SqlWriteJournal
{
    private readonly CancellationTokenSource _over = new();
    private readonly ConcurrentDictionary<string, Task> _writing = new(StringComparer.Ordinal);
    private readonly LatestSequences? _sequences;
    private readonly EventWriter? _writer;

    /// <param name="config">The plugin's section; Akka gives it.</param>
    public TaskJournal(Config config)
        : base(config)
    {
        if (Context.System.Settings.Setup.Get<JournalSetup>() is { HasValue: true } setup)
        {
            _sequences = new LatestSequences(setup.Value.Database, _over.Token);
            _writer = new EventWriter(setup.Value.Database, Context.System.Serialization, TimeProvider.System);
        }
    }

    /// <summary>Waits for what an earlier actor of the same id still writes, whatever becomes of it.</summary>
    public override async Task<long> ReadHighestSequenceNrAsync(
        string persistenceId,
        long fromSequenceNr,
        CancellationToken cancellationToken
    )
    {
        if (_sequences is null)
        {
            return await base.ReadHighestSequenceNrAsync(persistenceId, fromSequenceNr, cancellationToken);
        }

        if (_writing.TryGetValue(persistenceId, out Task? writing))
        {
            await writing.WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        return await _sequences.ReadAsync(persistenceId).WaitAsync(cancellationToken);
    }

    protected override Task<IImmutableList<Exception>> WriteMessagesAsync(
        IEnumerable<AtomicWrite> messages,
        CancellationToken cancellationToken
    )
    {
        if (_writer is null)
        {
            return base.WriteMessagesAsync(messages, cancellationToken);
        }

        // All of one actor. Its number is not read before the write is over, however it ends, so only the journal's own end cuts it off.
        List<AtomicWrite> all = [.. messages];
        string id = all[0].PersistenceId;
        Task<IImmutableList<Exception>> writing = _writer.WriteAsync(all, _over.Token)!;
        _writing[id] = writing;
        writing.ContinueWith(
            done => _writing.TryRemove(new KeyValuePair<string, Task>(id, done)),
            CancellationToken.None,
            TaskContinuationOptions.ExecuteSynchronously,
            TaskScheduler.Default
        );
        return writing;
    }

    protected override void PostStop()
    {
        _over.Cancel();
        _over.Dispose();
        base.PostStop();
    }
}
