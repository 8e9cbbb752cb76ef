using ActorTrainer.Core.Journaling;

namespace ActorTrainer.Journal;

/// <summary>
/// The SQL event store with the tables of ownership and the read models. One conformance suite holds every implementation.
/// </summary>
public interface IJournal : IAsyncDisposable
{
    /// <summary>
    /// Carries out one request. Never throws for what a database or a disk can do: that is a <see cref="JournalFailed"/>.
    /// Writes that wait at the same time may be committed together.
    /// </summary>
    Task<JournalReply> SendAsync(JournalRequest request, CancellationToken cancellationToken);

    /// <summary>
    /// Takes the life lock of an incarnation: it is held until the journal is disposed of or the process dies.
    /// </summary>
    Task HoldLifeLockAsync(long incarnation, CancellationToken cancellationToken);

    /// <summary>Whether the life lock of an incarnation is free, that is, its process is gone; null when it cannot be told.</summary>
    Task<bool?> IsLifeLockFreeAsync(long incarnation, CancellationToken cancellationToken);

    /// <summary>
    /// Says that gossip has confirmed an incarnation down. If its process still stands (stopped) and holds the write lock that this
    /// journal waits for, it is killed, so that it does not block the others.
    /// </summary>
    void ConfirmDown(long incarnation);
}
