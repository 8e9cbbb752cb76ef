using System.Collections.Concurrent;
using System.Security.Cryptography;
using ActorTrainer.Checkpoints;
using ActorTrainer.Checkpoints.Bundles;
using ActorTrainer.Client;
using ActorTrainer.Cluster;
using ActorTrainer.Core.Checkpoints;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Queries;
using ActorTrainer.Core.Tasks;
using ActorTrainer.Runtime.Api;
using ActorTrainer.Runtime.Workers;

namespace ActorTrainer.Runtime.Node;

/// <summary>The node's own part of what the API shows: progress that its workers report, their output, checkpoints in its store.</summary>
internal sealed class NodeFiles(
    ITaskClient client,
    ICheckpointStore store,
    Func<IReadOnlyList<(TaskId Task, string Checkpoint)>?> uncopied,
    IBundleStore bundles,
    WorkerHost workers,
    ArrivalFolders arrivals,
    TimeProvider time
) : INodeFiles
{
    private readonly DeterministicRandom _random = new(BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(sizeof(ulong))));
    private readonly Lock _drawing = new();
    private readonly ConcurrentDictionary<TaskId, TaskProgress> _progress = new();

    public IReadOnlyDictionary<TaskId, TaskProgress> LiveProgress => _progress;

    /// <summary>Takes what a worker reports.</summary>
    public void Observe(TaskInput input)
    {
        switch (input)
        {
            case WorkerProgressed progressed:
                _progress[progressed.Run.Task] = progressed.Progress;
                break;
            case WorkerExited exited:
                _progress.TryRemove(exited.Run.Task, out _);
                break;
            case WorkerLost lost:
                _progress.TryRemove(lost.Run.Task, out _);
                break;
        }
    }

    public async Task<CheckpointVerification> VerifyCheckpointAsync(TaskId task, string checkpoint, CancellationToken cancellationToken)
    {
        if (await FindAsync(task, checkpoint, cancellationToken) is not { } listing)
        {
            return new CheckpointVerification(checkpoint, false, false, 0, $"task {task} lists no checkpoint {checkpoint}");
        }

        try
        {
            long bytes = await store.VerifyAsync(task, listing.Checkpoint, cancellationToken);
            await RecordAsync(task, checkpoint, null, cancellationToken);
            return new CheckpointVerification(checkpoint, true, true, bytes, "intact");
        }
        catch (CheckpointDamagedException e)
        {
            await RecordAsync(task, checkpoint, e.Message, cancellationToken);
            return new CheckpointVerification(checkpoint, true, false, 0, e.Message);
        }
        catch (CheckpointStoreException e)
        {
            return new CheckpointVerification(checkpoint, true, false, 0, $"could not be read now: {e.Message}");
        }
    }

    /// <summary>
    /// Tells the task what was found, if it is owned here: another node may have another folder, and its saves and restores are not of it.
    /// A task that cannot be asked now is told by whoever reads the checkpoint next; the answer has what was found in any case.
    /// </summary>
    private async Task RecordAsync(TaskId task, string checkpoint, string? damage, CancellationToken cancellationToken)
    {
        IReadOnlyList<TaskListing> listed = await client.ListTasksAsync(new TaskFilter(Task: task), cancellationToken);
        if (listed.Any(known => OwnTasks.Shards(client.View).Contains(known.Summary.Shard)))
        {
            _ = await client.AskAsync(task, new RecordVerification(checkpoint, time.GetUtcNow(), damage), cancellationToken);
        }
    }

    public IReadOnlyList<UncopiedCheckpoint>? UncopiedCheckpoints =>
        uncopied()?.Select(waiting => new UncopiedCheckpoint(waiting.Task, waiting.Checkpoint)).ToArray();

    public IBundleStore Bundles => bundles;

    public async Task<ICheckpointContent?> OpenCheckpointAsync(TaskId task, string checkpoint, CancellationToken cancellationToken) =>
        await FindAsync(task, checkpoint, cancellationToken) is { } listing
            ? await store.OpenAsync(task, listing.Checkpoint, cancellationToken)
            : null;

    public async Task<IReadOnlyDictionary<string, long?>> ListStoreFilesAsync(TaskId task, CancellationToken cancellationToken)
    {
        IReadOnlyList<string> files = await store.ListFilesAsync(task, cancellationToken);
        string[] known = [.. files.Where(file => CheckpointNames.TryParseFile(file, out _))];
        IReadOnlyDictionary<string, long> sizes = await store.MeasureAsync(task, known, cancellationToken);
        return known.ToDictionary(file => file, file => sizes.TryGetValue(file, out long bytes) ? bytes : (long?)null);
    }

    public string CreateArrivalFolder() => arrivals.Create();

    public async Task<CheckpointRef> ImportCheckpointAsync(ImportedState state, string folder, CancellationToken cancellationToken)
    {
        string name;
        lock (_drawing)
        {
            name = CheckpointNames.Create(state.Term, state.Step, _random);
        }

        // Of no other checkpoint a chunk: their packs may go while this one is not listed yet.
        StagedState staged = new(name, state.Step, state.Epoch, CheckpointReasons.Imported, new Dictionary<string, double>());
        SaveRequest request = new(state.Task, state.Term, name, staged, StateSource.OfFolder(folder), []);
        return (await store.SaveAsync(request, cancellationToken)) with { SavedAt = time.GetUtcNow() };
    }

    public async Task DropImportAsync(TaskId task, CheckpointRef checkpoint)
    {
        try
        {
            await store.UnlinkAsync(task, [.. checkpoint.Packs, CheckpointNames.ManifestFile(checkpoint.Name)], CancellationToken.None);
        }
        catch (Exception e) when (e is CheckpointStoreException or IOException or UnauthorizedAccessException)
        {
            // The task's next owner removes what no event names.
        }
    }

    private async Task<CheckpointListing?> FindAsync(TaskId task, string checkpoint, CancellationToken cancellationToken) =>
        (await client.ListCheckpointsAsync(task, cancellationToken)).FirstOrDefault(c => c.Checkpoint.Name == checkpoint);

    public IReadOnlyList<OutputFile> OutputFiles(TaskId task) => workers.OutputPlaces(task);
}
