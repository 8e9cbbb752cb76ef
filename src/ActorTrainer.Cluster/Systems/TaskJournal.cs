using System.Collections.Concurrent;
using System.Collections.Immutable;
using ActorTrainer.Cluster.Persistence;
using Akka.Configuration;
using Akka.Persistence;
using Akka.Persistence.Sql.Journal;

namespace ActorTrainer.Cluster.Systems;

/// <summary>
/// Akka's SQL journal, but for one question: the number of an actor's newest event, a transaction of its own for every actor there, is read
/// for all that ask at the same time, <see cref="LatestSequences"/>. In a system that the host made it is Akka's journal in all.
/// </summary>
internal sealed class TaskJournal : SqlWriteJournal
{
    private readonly CancellationTokenSource _over = new();
    private readonly ConcurrentDictionary<string, Task> _writing = new(StringComparer.Ordinal);
    private readonly LatestSequences? _sequences;

    /// <param name="config">The plugin's section; Akka gives it.</param>
    public TaskJournal(Config config)
        : base(config) =>
        _sequences = SessionSetup.Find(Context.System) is { } setup ? new LatestSequences(setup.Database, _over.Token) : null;

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
        // All of one actor.
        List<AtomicWrite> all = [.. messages];
        Task<IImmutableList<Exception>> writing = base.WriteMessagesAsync(all, cancellationToken);
        string id = all[0].PersistenceId;
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
