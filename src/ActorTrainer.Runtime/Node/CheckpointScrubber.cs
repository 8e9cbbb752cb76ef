using ActorTrainer.Checkpoints;
using ActorTrainer.Checkpoints.Peers;
using ActorTrainer.Cluster;
using ActorTrainer.Core.Checkpoints;
using ActorTrainer.Core.Configuration;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Queries;
using ActorTrainer.Core.Tasks;
using Microsoft.Extensions.Logging;

namespace ActorTrainer.Runtime.Node;

/// <summary>
/// Reads back the checkpoints of the tasks that this node owns, one after the other and slowly, and tells their owner what it found. What
/// is due is asked of the journal each time, so that a node that starts again, or takes tasks over, goes on where the last one was. Copies
/// that it keeps for other nodes it reads back as well; what is damaged of them the store fetches anew.
/// </summary>
/// <param name="client">Lists tasks and checkpoints, and takes what was found.</param>
/// <param name="store">Where they are.</param>
/// <param name="copies">The copies that this node keeps for others; null: it keeps none.</param>
/// <param name="model">How often, and how fast.</param>
/// <param name="time">The clock.</param>
/// <param name="logger">Where it logs.</param>
internal sealed partial class CheckpointScrubber(
    ITaskClient client,
    ICheckpointStore store,
    KeptCopies? copies,
    ScrubModel model,
    TimeProvider time,
    ILogger logger
) : IAsyncDisposable
{
    private static readonly TimeSpan ShortestPause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestPause = TimeSpan.FromHours(1);

    private readonly Dictionary<TaskId, DateTimeOffset> _knownSince = [];
    private readonly CancellationTokenSource _stop = new();
    private Task _loop = Task.CompletedTask;

    /// <summary>Begins, unless nothing is to be read back.</summary>
    public void Start()
    {
        if (model.Every > TimeSpan.Zero)
        {
            _loop = Task.Run(LoopAsync, CancellationToken.None);
        }
    }

    /// <summary>Reads back all that is due now.</summary>
    public async Task PassAsync(CancellationToken cancellationToken)
    {
        IReadOnlySet<int> owned = OwnTasks.Shards(client.View);
        HashSet<TaskId> tasks =
        [
            .. (await client.ListTasksAsync(new TaskFilter(), cancellationToken))
                .Where(task => owned.Contains(task.Summary.Shard))
                .Select(task => task.Summary.Task),
        ];
        foreach (TaskId gone in _knownSince.Keys.Except(tasks).ToArray())
        {
            _ = _knownSince.Remove(gone);
        }

        foreach (TaskId task in tasks)
        {
            _ = _knownSince.TryAdd(task, time.GetUtcNow());
        }

        ILookup<TaskId, CheckpointListing> listed = (await client.ListCheckpointsAsync(null, cancellationToken)).ToLookup(c => c.Task);
        foreach (TaskId task in tasks.Where(task => Due(task, [.. listed[task]]).Count > 0))
        {
            await ReadBackAsync(task, cancellationToken);
        }

        if (copies is not null)
        {
            await ReadBackAsync(copies, [.. listed.Where(task => !tasks.Contains(task.Key)).SelectMany(task => task)], cancellationToken);
        }
    }

    /// <summary>
    /// Reads back what is due of the copies for others, for so long that own ones are not late by it. Their owners say what becomes of a
    /// checkpoint that is damaged everywhere.
    /// </summary>
    private async Task ReadBackAsync(KeptCopies kept, IReadOnlyList<CheckpointListing> listed, CancellationToken cancellationToken)
    {
        long began = time.GetTimestamp();
        foreach (CheckpointListing listing in listed.Where(listing => !listing.Damaged))
        {
            string manifest = CheckpointNames.ManifestFile(listing.Checkpoint.Name);
            if (kept.Files.KnownWholeAt(listing.Task, manifest) is not { } at || time.GetUtcNow() - at < model.Every)
            {
                continue;
            }

            if (time.GetElapsedTime(began) > LongestPause)
            {
                return;
            }

            if (await LookAsync(kept.Folder, listing.Task, listing.Checkpoint, cancellationToken) is not { } found)
            {
                continue;
            }

            if (found.Damage is null)
            {
                kept.Files.NoteWhole(listing.Task, manifest, time.GetUtcNow());
            }
            else
            {
                LogCopyDamaged(logger, listing.Task, listing.Checkpoint.Name, found.Damage);

                // Reading it where others have it too has the store fetch it; it is due until it is whole.
                _ = await LookAsync(store, listing.Task, listing.Checkpoint, cancellationToken);
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _loop;
        _stop.Dispose();
    }

    private IReadOnlyList<CheckpointListing> Due(TaskId task, IReadOnlyList<CheckpointListing> listed) =>
        ScrubPolicy.Due(listed, time.GetUtcNow(), model.Every, _knownSince[task]);

    /// <summary>
    /// Reads back what is due of a task; what is listed is asked anew each time, as it changes while that takes its time.
    /// </summary>
    private async Task ReadBackAsync(TaskId task, CancellationToken cancellationToken)
    {
        HashSet<string> read = new(StringComparer.Ordinal);
        HashSet<string> damaged = new(StringComparer.Ordinal);
        while (true)
        {
            IReadOnlyList<CheckpointListing> listed = await client.ListCheckpointsAsync(task, cancellationToken);
            CheckpointListing? next = ScrubPolicy
                .Suspects(listed, damaged)
                .Concat(Due(task, listed))
                .FirstOrDefault(listing => !read.Contains(listing.Checkpoint.Name));
            if (next is null)
            {
                return;
            }

            string name = next.Checkpoint.Name;
            _ = read.Add(name);
            if (await LookAsync(store, task, next.Checkpoint, cancellationToken) is { } found)
            {
                _ = await client.AskAsync(task, new RecordVerification(name, time.GetUtcNow(), found.Damage), cancellationToken);
                if (found.Damage is not null)
                {
                    LogDamaged(logger, task, name, found.Damage);
                    _ = damaged.Add(name);
                }
            }
        }
    }

    /// <summary>Null: the store did not answer, which says nothing about the checkpoint.</summary>
    private async Task<Finding?> LookAsync(
        ICheckpointStore place,
        TaskId task,
        CheckpointRef checkpoint,
        CancellationToken cancellationToken
    )
    {
        try
        {
            long bytes = await place.ScrubAsync(task, checkpoint, model.BytesPerSecond, cancellationToken);
            LogWhole(logger, task, checkpoint.Name, bytes);
            return new Finding(null);
        }
        catch (CheckpointDamagedException e)
        {
            return new Finding(e.Message);
        }
        catch (Exception e) when (e is CheckpointStoreException or IOException or UnauthorizedAccessException)
        {
            LogUnread(logger, task, checkpoint.Name, e.Message);
            return null;
        }
    }

    private async Task LoopAsync()
    {
        // A hundredth of the time that a checkpoint counts as whole makes no difference to it.
        TimeSpan pause = TimeSpan.FromTicks(Math.Clamp(model.Every.Ticks / 100, ShortestPause.Ticks, LongestPause.Ticks));
        try
        {
            while (true)
            {
                await Task.Delay(pause, time, _stop.Token);
                await TryPassAsync();
            }
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            // The node ends.
        }
    }

    private async Task TryPassAsync()
    {
        try
        {
            await PassAsync(_stop.Token);
        }
        catch (JournalUnavailableException e)
        {
            // Nothing is decided without it; what is due stays due.
            LogNoPass(logger, e.Message);
        }
    }

    /// <summary>What came of reading; without damage it is whole.</summary>
    private sealed record Finding(string? Damage);
}

/// <summary>What a node keeps for others.</summary>
/// <param name="Files">Says what is there, and since when it is known to be whole.</param>
/// <param name="Folder">Reads it.</param>
internal sealed record KeptCopies(PeerFolder Files, ICheckpointStore Folder);
