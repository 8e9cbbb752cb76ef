using System.Collections.Concurrent;
using System.Globalization;
using ActorTrainer.Checkpoints.Bundles;
using ActorTrainer.Core.Checkpoints;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Tasks;

namespace ActorTrainer.Checkpoints.Tiered;

/// <summary>
/// Works off the backlog in its order, one entry at a time: a removal never overtakes the copy of what it removes. While what stands behind
/// the folder is away it tries again now and then, and says so once.
/// </summary>
internal sealed class SyncLoop(
    SyncBacklog backlog,
    TierCopy copy,
    BundleCopy? bundles,
    IStoreFiles remote,
    TimeSpan? interval,
    TimeProvider time,
    Action<TierNotice> report
) : IAsyncDisposable
{
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(10);

    private readonly ConcurrentQueue<(TaskId Task, CheckpointRef Checkpoint)> _lost = [];
    private readonly SemaphoreSlim _work = new(1);
    private readonly SemaphoreSlim _one = new(1);
    private readonly CancellationTokenSource _stopping = new();
    private Task _running = Task.CompletedTask;
    private volatile bool _away;

    /// <summary>Whether the last attempt did not reach the other store.</summary>
    public bool IsAway => _away;

    /// <summary>Begins.</summary>
    public void Start() => _running = Task.Run(RunAsync);

    /// <summary>Says that there is something to do.</summary>
    public void Wake()
    {
        if (interval is null && _work.CurrentCount == 0)
        {
            _work.Release();
        }
    }

    /// <summary>
    /// Fetches what the folder has lost of a checkpoint, when its turn comes. Forgotten with the process: it is found again.
    /// </summary>
    public void Fetch(TaskId task, CheckpointRef checkpoint)
    {
        _lost.Enqueue((task, checkpoint));
        if (_work.CurrentCount == 0)
        {
            _work.Release();
        }
    }

    /// <summary>Fetches it now.</summary>
    public Task FetchAsync(TaskId task, CheckpointRef checkpoint, CancellationToken cancellationToken) =>
        OnThreadAsync(() => copy.Fetch(task, checkpoint, cancellationToken), cancellationToken);

    /// <summary>Copies one that was saved just now.</summary>
    /// <exception cref="CheckpointStoreException">One of the two stores is away.</exception>
    public Task PushAsync(SyncEntry entry, CancellationToken cancellationToken) =>
        OnThreadAsync(
            () => Push(TaskId.Parse(entry.Task), entry.Checkpoint!, CheckpointNames.PackFile(entry.Checkpoint!), cancellationToken),
            cancellationToken
        );

    /// <summary>Copies a bundle; nothing is done where bundles are not copied.</summary>
    /// <param name="hash">The bundle's.</param>
    /// <param name="isWhole">Whether it was read through just now.</param>
    /// <param name="cancellationToken">Gives it up.</param>
    /// <exception cref="BundleException">It is not here any more, or damaged.</exception>
    /// <exception cref="CheckpointStoreException">One of the two places is away.</exception>
    public async Task PushBundleAsync(string hash, bool isWhole, CancellationToken cancellationToken)
    {
        if (bundles is not null)
        {
            await bundles.PushAsync(hash, isWhole, mayCreateStore: !backlog.RemoteSeen, cancellationToken).ConfigureAwait(false);
            backlog.NoteRemoteSeen();
        }
    }

    /// <summary>
    /// Fetches what the folder lacks of checkpoints, and notes what is not behind it. One that fails keeps the others from nothing.
    /// </summary>
    /// <returns>Those for which that could not be done, and why: one of the two stores is away, or the checkpoint was removed.</returns>
    public async Task<IReadOnlyDictionary<string, string>> MendAsync(
        TaskId task,
        IReadOnlyList<CheckpointRef> listed,
        CancellationToken cancellationToken
    )
    {
        Dictionary<string, string> failed = new(StringComparer.Ordinal);
        await OnThreadAsync(
                () =>
                {
                    HashSet<(TaskId Task, string Checkpoint)> waiting = [.. backlog.Waiting];
                    foreach (CheckpointRef checkpoint in listed.Where(checkpoint => !waiting.Contains((task, checkpoint.Name))))
                    {
                        cancellationToken.ThrowIfCancellationRequested();
                        try
                        {
                            Mend(task, checkpoint, cancellationToken);
                        }
                        catch (Exception e) when (e is CheckpointStoreException || StoreErrors.IsFromSystem(e))
                        {
                            failed[checkpoint.Name] = e.Message;
                        }
                    }
                },
                cancellationToken
            )
            .ConfigureAwait(false);
        return failed;
    }

    /// <summary>Works off all that there is.</summary>
    /// <exception cref="CheckpointStoreException">One of the two stores is away.</exception>
    public async Task DrainAsync(CancellationToken cancellationToken)
    {
        await _one.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            while (backlog.First() is { } entry)
            {
                await DoAsync(entry, cancellationToken).ConfigureAwait(false);
                backlog.Remove(entry);
            }

            await FetchLostAsync(cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            _one.Release();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync().ConfigureAwait(false);
        await _running.ConfigureAwait(false);
        _stopping.Dispose();
        _work.Dispose();
        _one.Dispose();
    }

    private async Task RunAsync()
    {
        try
        {
            while (true)
            {
                await WaitAsync().ConfigureAwait(false);
                await TryDrainAsync().ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
        {
            // The node ends; the backlog stays.
        }
    }

    private async Task WaitAsync()
    {
        TimeSpan longest = _away ? RetryAfter : interval ?? Timeout.InfiniteTimeSpan;
        if (longest == Timeout.InfiniteTimeSpan)
        {
            await _work.WaitAsync(_stopping.Token).ConfigureAwait(false);
            return;
        }

        using CancellationTokenSource over = new(longest, time);
        using CancellationTokenSource either = CancellationTokenSource.CreateLinkedTokenSource(over.Token, _stopping.Token);
        try
        {
            await _work.WaitAsync(either.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!_stopping.IsCancellationRequested)
        {
            // It is time.
        }
    }

    private async Task TryDrainAsync()
    {
        try
        {
            await DrainAsync(_stopping.Token).ConfigureAwait(false);
            if (_away)
            {
                _away = false;
                report(new TierNotice(false, "what stands behind the checkpoint store's folder answers again, and has everything now"));
            }
        }
        catch (Exception e) when (!_stopping.IsCancellationRequested)
        {
            // Whatever it is: nothing would be copied any more if it ended the loop.
            if (!_away)
            {
                _away = true;
                report(
                    new TierNotice(
                        true,
                        string.Create(
                            CultureInfo.InvariantCulture,
                            $"{backlog.Count} checkpoints, bundles and removals wait to be copied: {e.Message} Training and saving go on."
                        )
                    )
                );
            }
        }
    }

    private async Task DoAsync(SyncEntry entry, CancellationToken cancellationToken)
    {
        TaskId task = TaskId.Parse(entry.Task);
        try
        {
            if (entry.Bundle is { } hash)
            {
                await PushBundleAsync(hash, isWhole: false, cancellationToken).ConfigureAwait(false);
                return;
            }

            await OnThreadAsync(
                    () =>
                    {
                        if (entry.Checkpoint is { } name)
                        {
                            Push(task, name, justSaved: null, cancellationToken);
                            return;
                        }

                        foreach (string file in entry.Files)
                        {
                            remote.Delete(task, file, cancellationToken);
                        }
                    },
                    cancellationToken
                )
                .ConfigureAwait(false);
        }
        catch (CheckpointDamagedException e)
        {
            report(new TierNotice(true, $"a checkpoint is not copied, since it is damaged: {e.Message}"));
        }
        catch (BundleException e)
        {
            report(new TierNotice(true, $"a bundle is not copied: {e.Message}"));
        }
    }

    private void Mend(TaskId task, CheckpointRef checkpoint, CancellationToken cancellationToken)
    {
        // Asked for each of them: while the others were copied, some of the rest may have been removed.
        if (
            !backlog.Condemned(task).Contains(CheckpointNames.ManifestFile(checkpoint.Name))
            && copy.Lacks(task, checkpoint, cancellationToken)
        )
        {
            backlog.Add(new SyncEntry(task.Value, checkpoint.Name, []), held: false);
            Wake();
        }
    }

    private void Push(TaskId task, string name, string? justSaved, CancellationToken cancellationToken)
    {
        if (copy.Push(task, name, mayCreateStore: !backlog.RemoteSeen, justSaved, cancellationToken))
        {
            backlog.NoteRemoteSeen();
        }
    }

    private async Task FetchLostAsync(CancellationToken cancellationToken)
    {
        while (_lost.TryDequeue(out (TaskId Task, CheckpointRef Checkpoint) lost))
        {
            try
            {
                // A node whose folder is its own has nothing of a task that comes to it: its disk is whole.
                bool hadIt = copy.IsListedHere(lost.Task, lost.Checkpoint, cancellationToken);
                await FetchAsync(lost.Task, lost.Checkpoint, cancellationToken).ConfigureAwait(false);
                report(
                    hadIt
                        ? new TierNotice(
                            true,
                            $"what the checkpoint store's folder had lost of {lost.Checkpoint.Name} of {lost.Task} was fetched again; "
                                + "look at its disk"
                        )
                        : new TierNotice(
                            false,
                            $"{lost.Checkpoint.Name} of {lost.Task}, which the checkpoint store's folder did not have, was fetched"
                        )
                );
            }
            catch (Exception e) when (e is CheckpointDamagedException or CheckpointStoreException)
            {
                report(new TierNotice(true, $"what the checkpoint store's folder has lost could not be fetched: {e.Message}"));
            }
        }
    }

    private Task OnThreadAsync(Action work, CancellationToken cancellationToken) =>
        Task.Factory.StartNew(
            () =>
            {
                try
                {
                    work();
                }
                catch (Exception e) when (StoreErrors.IsFromSystem(e))
                {
                    throw new CheckpointStoreException($"A checkpoint could not be copied: {e.Message.TrimEnd('.')}.", e);
                }
            },
            cancellationToken,
            TaskCreationOptions.DenyChildAttach,
            remote.Threads
        );
}
