using ActorTrainer.Checkpoints;
using ActorTrainer.Core.Tasks;
using Microsoft.Extensions.Logging;

namespace ActorTrainer.Cluster.Tasks;

/// <summary>Starts the I/O that tasks ask for; each piece posts one input when it ends. No decision, no retry.</summary>
/// <param name="workers">Runs the workers; what they do comes through the node.</param>
/// <param name="store">Where checkpoints are.</param>
/// <param name="post">Takes the inputs; may be called from any thread.</param>
/// <param name="time">Says when a checkpoint is committed.</param>
/// <param name="logger">Where it logs.</param>
/// <param name="life">Ends what is under way.</param>
internal sealed partial class TaskEffects(
    IWorkerHost workers,
    ICheckpointStore store,
    Action<TaskInput> post,
    TimeProvider time,
    ILogger logger,
    CancellationToken life
)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<RunKey, Restoring> _restoring = [];

    /// <summary>Starts one effect and returns at once.</summary>
    public void Start(TaskEffect effect)
    {
        switch (effect)
        {
            case StartWorker start:
                workers.Start(start);
                break;
            case BeginTraining begin:
                workers.Begin(begin);
                break;
            case PaceSaves pace:
                workers.Pace(pace);
                break;
            case RequestStaging request:
                workers.RequestStaging(request);
                break;
            case StopWorker stop:
                workers.Stop(stop);
                break;
            case ReleaseStaged release:
                workers.Release(release);
                break;
            case RestoreCheckpoint restore:
                Restore(restore);
                break;
            case SaveCheckpoint save:
                _ = Task.Run(() => SaveAsync(save), life);
                break;
            case ListStoreFiles list:
                _ = Task.Run(() => ListAsync(list), life);
                break;
            case UnlinkStoreFiles unlink:
                _ = Task.Run(() => UnlinkAsync(unlink), life);
                break;
        }
    }

    /// <summary>
    /// A run that was warmed with an older checkpoint than the journal has is given another one, perhaps while the first is still on its
    /// way into the same folder: that one is broken off and has ended before the next begins.
    /// </summary>
    private void Restore(RestoreCheckpoint restore)
    {
        lock (_gate)
        {
            Restoring? former = _restoring.GetValueOrDefault(restore.Run);
            former?.Stop.Cancel();
            CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(life);
            Task before = former?.Ended ?? Task.CompletedTask;
            Restoring next = new(stop, Task.Run(() => RestoreAsync(before, restore, stop.Token), life));
            _restoring[restore.Run] = next;
            _ = next.Ended.ContinueWith(_ => Forget(restore.Run, next), TaskScheduler.Default);
        }
    }

    private void Forget(RunKey run, Restoring ended)
    {
        lock (_gate)
        {
            if (_restoring.GetValueOrDefault(run) == ended)
            {
                _ = _restoring.Remove(run);
            }

            ended.Stop.Dispose();
        }
    }

    private async Task RestoreAsync(Task former, RestoreCheckpoint restore, CancellationToken stop)
    {
        await former.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        try
        {
            if (!await workers.TryRestoreInMemoryAsync(restore, store, stop))
            {
                await store.RestoreAsync(restore.Run.Task, restore.Checkpoint, workers.RestoreDirectory(restore.Run), stop);
            }

            post(new CheckpointRestored(restore.Run, restore.Checkpoint.Name));
        }
        catch (CheckpointDamagedException e)
        {
            LogDamaged(logger, restore.Run.Task, restore.Checkpoint.Name, e.Message);
            post(new CheckpointUnreadable(restore.Run, restore.Checkpoint.Name, Damaged: true, e.Message));
        }
        catch (Exception e) when (e is CheckpointStoreException or IOException or UnauthorizedAccessException)
        {
            LogStoreFailed(logger, restore.Run.Task, "restored", e.Message);
            post(new CheckpointUnreadable(restore.Run, restore.Checkpoint.Name, Damaged: false, e.Message));
        }
    }

    private async Task SaveAsync(SaveCheckpoint save)
    {
        try
        {
            SaveRequest request = new(
                save.Run.Task,
                save.Run.Term,
                save.Name,
                save.State,
                workers.Staged(save.Run, save.State.Id),
                save.Listed
            )
            {
                IsFull = save.Full,
            };
            CheckpointRef stored = await store.SaveAsync(request, life);
            workers.Stored(save.Run, save.State.Id, stored);
            post(new CheckpointStored(save.Run, save.State.Id, stored with { SavedAt = time.GetUtcNow() }));
        }
        catch (Exception e) when (e is CheckpointStoreException or CheckpointDamagedException or IOException or UnauthorizedAccessException)
        {
            LogStoreFailed(logger, save.Run.Task, "saved", e.Message);
            bool isOfTheState = e is CheckpointStoreException { IsOfTheState: true };
            post(new CheckpointStoreFailed(save.Run, save.State.Id, e.Message) { IsOfTheState = isOfTheState });
        }
    }

    private async Task ListAsync(ListStoreFiles list)
    {
        try
        {
            post(new StoreFilesListed(list.Task, list.Term, await store.ListFilesAsync(list.Task, life)));
        }
        catch (Exception e) when (e is CheckpointStoreException or IOException or UnauthorizedAccessException)
        {
            // Garbage stays until the next activation looks again.
            LogStoreFailed(logger, list.Task, "listed", e.Message);
        }
    }

    private async Task UnlinkAsync(UnlinkStoreFiles unlink)
    {
        try
        {
            await store.UnlinkAsync(unlink.Task, unlink.Files, life);
        }
        catch (Exception e) when (e is CheckpointStoreException or IOException or UnauthorizedAccessException)
        {
            LogStoreFailed(logger, unlink.Task, "cleaned up", e.Message);
        }
    }

    private sealed record Restoring(CancellationTokenSource Stop, Task Ended);
}
