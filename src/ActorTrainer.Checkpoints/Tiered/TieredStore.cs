using ActorTrainer.Checkpoints.Bundles;
using ActorTrainer.Core.Checkpoints;
using ActorTrainer.Core.Configuration;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Tasks;

namespace ActorTrainer.Checkpoints.Tiered;

/// <summary>
/// A folder, and behind it another store to which everything is copied in the background, as the same files under the same names. A save
/// takes what the folder takes; one behind it that is away delays the copying and nothing else. What is not copied yet is noted on disk and
/// goes on after a restart. A restore takes the folder first, then what stands behind it, and what the folder lost is fetched from there.
/// A folder that is empty when this starts is taken for a new disk and filled again; one that is away later is away.
/// </summary>
public sealed partial class TieredStore : ICheckpointStore, IAsyncDisposable
{
    private const int CommitAttempts = 3;

    private readonly FolderStore _local;
    private readonly ChunkedStore _remote;
    private readonly SyncBacklog _backlog;
    private readonly SyncLoop _loop;

    /// <summary>Opens a store; nothing is read or written before <see cref="Start"/>.</summary>
    /// <param name="local">The folder.</param>
    /// <param name="remote">What stands behind it; the caller's to dispose of, after this.</param>
    /// <param name="backlogFolder">Where it notes what is still to be copied; on a disk of this node's own, and nobody else's.</param>
    /// <param name="interval">How often it copies; null: as soon as something was saved.</param>
    /// <param name="time">For the interval.</param>
    /// <param name="report">Told, on any thread, when something is to be said.</param>
    public TieredStore(
        FolderStore local,
        ChunkedStore remote,
        string backlogFolder,
        TimeSpan? interval,
        TimeProvider time,
        Action<TierNotice>? report = null
    )
        : this(local, remote, bundles: null, backlogFolder, interval, time, report) { }

    /// <summary>A store that copies bundles, too.</summary>
    internal TieredStore(
        FolderStore local,
        ChunkedStore remote,
        BundleCopy? bundles,
        string backlogFolder,
        TimeSpan? interval,
        TimeProvider time,
        Action<TierNotice>? report
    )
    {
        ArgumentNullException.ThrowIfNull(local);
        ArgumentNullException.ThrowIfNull(remote);
        (_local, _remote) = (local, remote);
        _backlog = new SyncBacklog(backlogFolder, ((FolderFiles)local.Files).Disk);
        TierCopy copy = new((FolderFiles)local.Files, remote.Files, local.Buffers);
        _loop = new SyncLoop(_backlog, copy, bundles, remote.Files, interval, time, report ?? (_ => { }));
    }

    /// <summary>
    /// When a save ends: <see cref="CheckpointDurability.Local"/> (default) when the folder has it. <see
    /// cref="CheckpointDurability.Copies"/>: when it is copied too, or several attempts failed; it is copied later then. <see
    /// cref="CheckpointDurability.Store"/>: when it is copied too; a save whose copy fails has failed.
    /// </summary>
    public CheckpointDurability Durability { get; init; }

    /// <summary>How many checkpoints, bundles and removals what stands behind the folder has not heard of yet.</summary>
    public int Backlog => _backlog.Count;

    /// <summary>Takes up what is still to be copied and begins to copy it.</summary>
    /// <exception cref="CheckpointStoreException">The folder of the backlog cannot be read or written.</exception>
    public void Start()
    {
        Load();
        _loop.Start();
    }

    /// <summary>Takes it up without beginning.</summary>
    internal void Load()
    {
        _backlog.Load();
        ((FolderFiles)_local.Files).TryCreateStore();
    }

    /// <inheritdoc />
    public Task<CheckpointRef> SaveAsync(SaveRequest request, CancellationToken cancellationToken) =>
        KeepAsync(
            new SyncEntry(request.Task.Value, request.Name, []),
            () => _local.SaveAsync(request, cancellationToken),
            TryCommitAsync,
            cancellationToken
        );

    /// <inheritdoc />
    public Task RestoreAsync(TaskId task, CheckpointRef checkpoint, string targetDirectory, CancellationToken cancellationToken) =>
        EitherAsync(
            task,
            checkpoint,
            async store =>
            {
                await store.RestoreAsync(task, checkpoint, targetDirectory, cancellationToken).ConfigureAwait(false);
                return true;
            }
        );

    /// <inheritdoc />
    public Task<long> VerifyAsync(TaskId task, CheckpointRef checkpoint, CancellationToken cancellationToken) =>
        EitherAsync(task, checkpoint, store => store.VerifyAsync(task, checkpoint, cancellationToken));

    /// <inheritdoc />
    public Task<long> ScrubAsync(TaskId task, CheckpointRef checkpoint, long bytesPerSecond, CancellationToken cancellationToken) =>
        EitherAsync(task, checkpoint, store => store.ScrubAsync(task, checkpoint, bytesPerSecond, cancellationToken));

    /// <inheritdoc />
    public Task<ICheckpointContent> OpenAsync(TaskId task, CheckpointRef checkpoint, CancellationToken cancellationToken) =>
        EitherAsync(task, checkpoint, store => store.OpenAsync(task, checkpoint, cancellationToken));

    /// <inheritdoc />
    public Task<CheckpointRef> CopyAsync(
        TaskId from,
        CheckpointRef checkpoint,
        TaskId to,
        string name,
        CancellationToken cancellationToken
    ) =>
        KeepAsync(
            new SyncEntry(to.Value, name, []),
            async () =>
            {
                try
                {
                    return await _local.CopyAsync(from, checkpoint, to, name, cancellationToken).ConfigureAwait(false);
                }
                catch (CheckpointDamagedException)
                {
                    await _loop.FetchAsync(from, checkpoint, cancellationToken).ConfigureAwait(false);
                    return await _local.CopyAsync(from, checkpoint, to, name, cancellationToken).ConfigureAwait(false);
                }
            },
            TryCommitAsync,
            cancellationToken
        );

    /// <inheritdoc />
    public async Task<IReadOnlyDictionary<string, long>> MeasureAsync(
        TaskId task,
        IReadOnlyList<string> files,
        CancellationToken cancellationToken
    )
    {
        IReadOnlyDictionary<string, long> sizes = await _local.MeasureAsync(task, files, cancellationToken).ConfigureAwait(false);
        string[] others = [.. files.Where(file => !sizes.ContainsKey(file))];
        if (others.Length == 0 || _loop.IsAway)
        {
            return sizes;
        }

        try
        {
            IReadOnlyDictionary<string, long> behind = await _remote.MeasureAsync(task, others, cancellationToken).ConfigureAwait(false);
            return sizes.Concat(behind).ToDictionary(StringComparer.Ordinal);
        }
        catch (CheckpointStoreException)
        {
            return sizes;
        }
    }

    /// <summary>
    /// Names of all files of a task in the folder and behind it; in the folder alone while the other one is away: what is left over there
    /// is then found the next time.
    /// </summary>
    public async Task<IReadOnlyList<string>> ListFilesAsync(TaskId task, CancellationToken cancellationToken)
    {
        IReadOnlyList<string> files = await _local.ListFilesAsync(task, cancellationToken).ConfigureAwait(false);
        if (_loop.IsAway)
        {
            return files;
        }

        try
        {
            IReadOnlyList<string> others = await _remote.ListFilesAsync(task, cancellationToken).ConfigureAwait(false);
            return [.. files.Union(others.Except(_backlog.Condemned(task))).Order(StringComparer.Ordinal)];
        }
        catch (CheckpointStoreException)
        {
            return files;
        }
    }

    /// <inheritdoc />
    public async Task UnlinkAsync(TaskId task, IReadOnlyList<string> files, CancellationToken cancellationToken)
    {
        await _local.UnlinkAsync(task, files, cancellationToken).ConfigureAwait(false);
        await NoteAsync(new SyncEntry(task.Value, null, files), held: false, cancellationToken).ConfigureAwait(false);
        _loop.Wake();
    }

    /// <summary>Ends the copying; what is not copied yet is copied after the next start.</summary>
    public ValueTask DisposeAsync() => _loop.DisposeAsync();

    /// <summary>The checkpoints that are not copied yet.</summary>
    internal IReadOnlyList<(TaskId Task, string Checkpoint)> Waiting => _backlog.Waiting;

    /// <summary>
    /// Looks whether checkpoints of a task stand here and behind the folder: what the folder lacks is fetched, what is not behind it is
    /// noted and copied.
    /// </summary>
    /// <param name="task">The task, which no other node saves.</param>
    /// <param name="listed">Its checkpoints, the most important first.</param>
    /// <param name="cancellationToken">Ends it early.</param>
    /// <returns>Those for which that could not be done, and why: one of the two stores is away, or the checkpoint was removed.</returns>
    internal Task<IReadOnlyDictionary<string, string>> MendAsync(
        TaskId task,
        IReadOnlyList<CheckpointRef> listed,
        CancellationToken cancellationToken
    ) => _loop.MendAsync(task, listed, cancellationToken);

    /// <summary>Copies all that is to be copied, now.</summary>
    internal Task DrainAsync(CancellationToken cancellationToken) => _loop.DrainAsync(cancellationToken);

    private Task<SyncEntry> NoteAsync(SyncEntry entry, bool held, CancellationToken cancellationToken) =>
        Task.Run(() => _backlog.Add(entry, held), cancellationToken);

    /// <summary>Makes something here that is to be there, too.</summary>
    /// <param name="toCopy">What is noted of it.</param>
    /// <param name="make">Makes it.</param>
    /// <param name="tryCopy">Copies it now, where that is to be, takes back the note, and says whether it did.</param>
    /// <param name="cancellationToken">Gives up the note.</param>
    private async Task<T> KeepAsync<T>(
        SyncEntry toCopy,
        Func<Task<T>> make,
        Func<SyncEntry, CancellationToken, Task<bool>> tryCopy,
        CancellationToken cancellationToken
    )
    {
        // Noted before: after a crash in between, an entry of which nothing is here is passed over.
        SyncEntry entry = await NoteAsync(toCopy, held: true, cancellationToken).ConfigureAwait(false);
        try
        {
            T made = await make().ConfigureAwait(false);
            if (!await tryCopy(entry, cancellationToken).ConfigureAwait(false))
            {
                _backlog.Release(entry);
                _loop.Wake();
            }

            return made;
        }
        catch
        {
            TryForget(entry);
            throw;
        }
    }

    /// <summary>Takes back what was noted of a save that failed. What stays tells of nothing that is there, and is passed over.</summary>
    private void TryForget(SyncEntry entry)
    {
        try
        {
            _backlog.Remove(entry);
        }
        catch (CheckpointStoreException)
        {
            // The error that brought us here matters more.
        }
    }

    /// <summary>Copies what was saved just now, before anybody else's turn.</summary>
    /// <returns>Whether it is copied; false: it was saved and is copied later.</returns>
    /// <exception cref="CheckpointStoreException">It is not copied, and so not committed; its files are gone.</exception>
    private async Task<bool> TryCommitAsync(SyncEntry entry, CancellationToken cancellationToken)
    {
        if (Durability == CheckpointDurability.Local)
        {
            return false;
        }

        for (int attempt = 1; ; attempt++)
        {
            try
            {
                await _loop.PushAsync(entry, cancellationToken).ConfigureAwait(false);
                _backlog.Remove(entry);
                return true;
            }
            catch (CheckpointStoreException) when (Durability == CheckpointDurability.Copies)
            {
                // What failed is passed over for a while, so that each attempt goes to others.
                if (attempt == CommitAttempts)
                {
                    return false;
                }
            }
            catch (CheckpointStoreException)
            {
                await TryUnlinkAsync(entry).ConfigureAwait(false);
                throw;
            }
        }
    }

    private async Task TryUnlinkAsync(SyncEntry entry)
    {
        string name = entry.Checkpoint!;
        string[] files = [CheckpointNames.ManifestFile(name), CheckpointNames.PackFile(name)];
        try
        {
            await UnlinkAsync(TaskId.Parse(entry.Task), files, CancellationToken.None).ConfigureAwait(false);
        }
        catch (CheckpointStoreException)
        {
            // What stays is garbage without a name; the next activation condemns it. The error that brought us here matters more.
        }
    }

    /// <summary>Asks the folder, and what stands behind it when the folder has not got it.</summary>
    private async Task<T> EitherAsync<T>(TaskId task, CheckpointRef checkpoint, Func<ChunkedStore, Task<T>> ask)
    {
        Exception here;
        try
        {
            return await ask(_local).ConfigureAwait(false);
        }
        catch (Exception e) when (e is CheckpointDamagedException or CheckpointStoreException)
        {
            here = e;
        }

        try
        {
            T answer = await ask(_remote).ConfigureAwait(false);
            if (here is CheckpointDamagedException)
            {
                _loop.Fetch(task, checkpoint);
            }

            return answer;
        }
        catch (CheckpointDamagedException e) when (here is CheckpointDamagedException)
        {
            throw new CheckpointDamagedException($"{here.Message} Behind the folder: {e.Message}", e);
        }
        catch (CheckpointDamagedException e)
        {
            // The folder may come back, and may have it.
            throw new CheckpointStoreException(here.Message, e);
        }
        catch (CheckpointStoreException e)
        {
            throw new CheckpointStoreException($"{here.Message} Behind the folder: {e.Message}", e);
        }
    }
}

/// <summary>Something that a tiered store has to say.</summary>
/// <param name="IsProblem">Whether somebody should look at it.</param>
/// <param name="Text">What it is, and what to do.</param>
public sealed record TierNotice(bool IsProblem, string Text);
