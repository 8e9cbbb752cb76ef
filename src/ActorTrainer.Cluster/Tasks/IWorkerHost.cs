using ActorTrainer.Checkpoints;
using ActorTrainer.Core.Tasks;

namespace ActorTrainer.Cluster.Tasks;

/// <summary>
/// Runs worker processes through the guard and turns what they do into inputs. All methods return at once; what becomes of them is
/// posted. Nothing here decides or retries.
/// </summary>
public interface IWorkerHost : IAsyncDisposable
{
    /// <summary>Sweeps orphans of a former life of this node, removes run directories that nobody needs, starts the guard.</summary>
    Task StartAsync(Action<TaskInput> post, CancellationToken cancellationToken);

    /// <summary>Starts a worker; posts started or start-failed, then ready (C# trainers).</summary>
    void Start(StartWorker effect);

    /// <summary>Lets a ready C# trainer go.</summary>
    void Begin(BeginTraining effect);

    /// <summary>Has a C# trainer save at another pace.</summary>
    void Pace(PaceSaves effect);

    /// <summary>Asks for the state.</summary>
    void RequestStaging(RequestStaging effect);

    /// <summary>Ends a worker with all its descendants; posts exited. A run that does not stand is answered by exited at once.</summary>
    void Stop(StopWorker effect);

    /// <summary>Lets go of a staged state.</summary>
    void Release(ReleaseStaged effect);

    /// <summary>A staged state.</summary>
    StateSource Staged(RunKey run, string stagedId);

    /// <summary>A staged state is stored as a checkpoint; it is released when that is journaled.</summary>
    void Stored(RunKey run, string stagedId, CheckpointRef checkpoint);

    /// <summary>
    /// Has a run begin with a checkpoint in memory: it stands there since it was saved here, or there is room to read it into. False: it is
    /// to be restored into the run's folder.
    /// </summary>
    /// <exception cref="CheckpointStoreException">What stands in memory cannot be read.</exception>
    Task<bool> TryRestoreInMemoryAsync(RestoreCheckpoint restore, ICheckpointStore store, CancellationToken cancellationToken);

    /// <summary>Has memory ready for a state that may come from another node.</summary>
    /// <param name="bytes">How large the largest one is; 0: none may come.</param>
    void ExpectState(long bytes);

    /// <summary>The folder that a checkpoint is restored into before the run begins.</summary>
    string RestoreDirectory(RunKey run);

    /// <summary>Ends every worker at once, without grace, and waits for it (the node fences itself or stops).</summary>
    Task StopAllAsync(TimeSpan grace, CancellationToken cancellationToken);
}
