using ActorTrainer.Core.Journaling;

namespace ActorTrainer.Journal.Memory;

/// <summary>One node's face of a <see cref="MemoryJournal"/> that several share.</summary>
internal sealed class MemoryJournalHandle(MemoryJournal journal) : IJournal
{
    private readonly Lock _gate = new();
    private readonly List<long> _held = [];
    private bool _closed;

    public Task<JournalReply> SendAsync(JournalRequest request, CancellationToken cancellationToken)
    {
        if (cancellationToken.IsCancellationRequested)
        {
            return Task.FromCanceled<JournalReply>(cancellationToken);
        }

        return Task.FromResult(Volatile.Read(ref _closed) ? new JournalFailed("the journal is closed") : journal.ExecuteShared(request));
    }

    public Task HoldLifeLockAsync(long incarnation, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            _held.Add(incarnation);
        }

        journal.HoldLifeLock(incarnation);
        return Task.CompletedTask;
    }

    public Task<bool?> IsLifeLockFreeAsync(long incarnation, CancellationToken cancellationToken) =>
        Task.FromResult(journal.IsLifeLockFree(incarnation));

    public void ConfirmDown(long incarnation)
    {
        // Nobody can hold this journal's write lock while stopped.
    }

    public ValueTask DisposeAsync()
    {
        Volatile.Write(ref _closed, true);
        lock (_gate)
        {
            foreach (long incarnation in _held)
            {
                journal.Kill(incarnation);
            }

            _held.Clear();
        }

        return ValueTask.CompletedTask;
    }
}
