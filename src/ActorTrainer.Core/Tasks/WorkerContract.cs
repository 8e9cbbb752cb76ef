using ActorTrainer.Core.Identity;

namespace ActorTrainer.Core.Tasks;

/// <summary>One run of a worker: the task, the term it runs under, and the number of the run within the task's life.</summary>
public readonly record struct RunKey(TaskId Task, long Term, int Run)
{
    /// <inheritdoc />
    public override string ToString() => $"{Task}/{Term}-{Run}";
}

/// <summary>What a worker is busy with; the stall watchdog has a limit for each.</summary>
public enum WorkerPhase
{
    /// <summary>The process starts.</summary>
    Starting,

    /// <summary>The trainer reads its data and builds its model.</summary>
    Initializing,

    /// <summary>The trainer loads a checkpoint.</summary>
    Restoring,

    /// <summary>Steps are done.</summary>
    Training,

    /// <summary>The trainer evaluates.</summary>
    Evaluating,

    /// <summary>The trainer writes its state.</summary>
    Saving,
}

/// <summary>
/// Something that became of an effect of a task, or that its worker did. Inputs of another run than the current one are dropped.
/// </summary>
public abstract record TaskInput
{
    /// <summary>The task that it is for.</summary>
    public TaskId? Target =>
        this switch
        {
            WorkerStarted i => i.Run.Task,
            WorkerStartFailed i => i.Run.Task,
            WorkerPreparing i => i.Run.Task,
            WorkerReady i => i.Run.Task,
            WorkerPhaseChanged i => i.Run.Task,
            WorkerActive i => i.Run.Task,
            WorkerProgressed i => i.Run.Task,
            WorkerPrinted i => i.Run.Task,
            WorkerStaged i => i.Run.Task,
            WorkerStageFailed i => i.Run.Task,
            WorkerWarned i => i.Run.Task,
            WorkerDone i => i.Run.Task,
            WorkerExited i => i.Run.Task,
            WorkerLost i => i.Run.Task,
            CheckpointRestored i => i.Run.Task,
            CheckpointUnreadable i => i.Run.Task,
            CheckpointStored i => i.Run.Task,
            CheckpointStoreFailed i => i.Run.Task,
            StoreFilesListed i => i.Task,
            _ => null,
        };
}

/// <summary>The worker's process stands. For a command that is all it ever says of itself.</summary>
public sealed record WorkerStarted(RunKey Run, int Pid) : TaskInput;

/// <summary>
/// Before the process can start, the node makes the environment that the task needs, which may take long. A start or its failure follows.
/// </summary>
/// <param name="Run">The run.</param>
/// <param name="Detail">What is made, for the user.</param>
public sealed record WorkerPreparing(RunKey Run, string Detail) : TaskInput;

/// <summary>The process could not be started: no such executable, no permission, no memory.</summary>
public sealed record WorkerStartFailed(RunKey Run, string Detail) : TaskInput
{
    /// <summary>
    /// Whether it is the node that lacks something: the executable, the working directory. That is no failure of the task, which another
    /// node may be able to start.
    /// </summary>
    public bool NodeUnfit { get; init; }

    /// <summary>The last lines of what was to be done before, oldest first; empty: there are none.</summary>
    public IReadOnlyList<string> LastLines { get; init; } = [];
}

/// <summary>A C# trainer's process is connected and initialised: it waits for <see cref="BeginTraining"/>.</summary>
public sealed record WorkerReady(RunKey Run) : TaskInput;

/// <summary>The worker went into another phase.</summary>
public sealed record WorkerPhaseChanged(RunKey Run, WorkerPhase Phase) : TaskInput;

/// <summary>A command that is watched has printed something or used processor time since it was looked at last.</summary>
public sealed record WorkerActive(RunKey Run) : TaskInput;

/// <summary>Steps were done.</summary>
public sealed record WorkerProgressed(RunKey Run, TaskProgress Progress) : TaskInput;

/// <summary>The output of a command said how far it is.</summary>
/// <param name="Run">The run.</param>
/// <param name="Output">What it said.</param>
/// <param name="Remaining">About how long it still takes; null: not known.</param>
public sealed record WorkerPrinted(RunKey Run, OutputProgress Output, TimeSpan? Remaining) : TaskInput;

/// <summary>The worker wrote its state into a folder of its run directory and trains on; the folder stays until it is released.</summary>
public sealed record WorkerStaged(RunKey Run, StagedState State) : TaskInput;

/// <summary>The worker was asked to stage and could not.</summary>
public sealed record WorkerStageFailed(RunKey Run, string Reason, string Detail) : TaskInput;

/// <summary>Something about the run that its user has to know, and that ends nothing.</summary>
public sealed record WorkerWarned(RunKey Run, string Detail) : TaskInput;

/// <summary>The trainer says that training is complete. Its exit follows.</summary>
public sealed record WorkerDone(RunKey Run, TaskProgress Progress, IReadOnlyDictionary<string, string> Results) : TaskInput;

/// <summary>The process and all its descendants are gone.</summary>
/// <param name="Run">The run.</param>
/// <param name="ExitCode">Exit code, or null when ended by a signal or not known.</param>
/// <param name="Signal">Signal number, or null.</param>
/// <param name="Error">The trainer's exception, or null.</param>
/// <param name="LastLines">Its last output lines, oldest first, at most 20.</param>
public sealed record WorkerExited(RunKey Run, int? ExitCode, int? Signal, string? Error, IReadOnlyList<string> LastLines) : TaskInput;

/// <summary>The guard process died; the run was ended with it.</summary>
public sealed record WorkerLost(RunKey Run, string Detail) : TaskInput;

/// <summary>The checkpoint's files stand in the run's restore directory, verified.</summary>
public sealed record CheckpointRestored(RunKey Run, string Checkpoint) : TaskInput;

/// <summary>The checkpoint could not be restored.</summary>
/// <param name="Run">The run.</param>
/// <param name="Checkpoint">The checkpoint's name.</param>
/// <param name="Damaged">True: its bytes are wrong or missing for good. False: the store could not be read now.</param>
/// <param name="Detail">What was found, with file and place.</param>
public sealed record CheckpointUnreadable(RunKey Run, string Checkpoint, bool Damaged, string Detail) : TaskInput;

/// <summary>The staged state is durable: packs and manifest are written and synced.</summary>
public sealed record CheckpointStored(RunKey Run, string StagedId, CheckpointRef Checkpoint) : TaskInput;

/// <summary>The staged state could not be stored (disk full, store away). The staged folder still stands.</summary>
public sealed record CheckpointStoreFailed(RunKey Run, string StagedId, string Detail) : TaskInput
{
    /// <summary>Whether the state is at fault, which cannot be read, and not the store: to try again is of no use.</summary>
    public bool IsOfTheState { get; init; }
}

/// <summary>Files of the task in the store.</summary>
public sealed record StoreFilesListed(TaskId Task, long Term, IReadOnlyList<string> Files) : TaskInput;

/// <summary>A state written by a worker, not yet in the store.</summary>
/// <param name="Id">Unique in the run; also the folder's name below the run's staging directory.</param>
/// <param name="Step">Steps done; for a command the number of the checkpoint.</param>
/// <param name="Epoch">Epochs done with the part of the current one.</param>
/// <param name="Reason">Why it was taken.</param>
/// <param name="Metrics">Metrics at that moment.</param>
public sealed record StagedState(string Id, long Step, double Epoch, string Reason, IReadOnlyDictionary<string, double> Metrics)
{
    /// <summary>What a command's output had said when these files were written, without metrics; null: nothing.</summary>
    public OutputProgress? Output { get; init; }

    /// <summary>How long training stood still for it; null: the worker does not say.</summary>
    public TimeSpan? Stall { get; init; }

    /// <summary>
    /// How much longer the steps take, all together, that are made while a save is committed, by what the worker has seen of its saves
    /// before this one; null: it cannot tell.
    /// </summary>
    public TimeSpan? Drag { get; init; }
}

/// <summary>A piece of I/O that a task asks for, started after its events are durable; most end in one <see cref="TaskInput"/>.</summary>
public abstract record TaskEffect;

/// <summary>
/// Starts the worker's process. A command starts at once (with <c>ACTORTRAINER_RESTORE_DIR</c> when <paramref name="HasRestore"/>); a C#
/// trainer initialises and then waits for <see cref="BeginTraining"/>.
/// </summary>
/// <param name="Run">The run.</param>
/// <param name="Spec">What to run.</param>
/// <param name="HasRestore">Whether its restore directory holds a checkpoint.</param>
/// <param name="RestoredStep">The step of that checkpoint; a command's own checkpoints are numbered on from it.</param>
public sealed record StartWorker(RunKey Run, TaskSpec Spec, bool HasRestore, long RestoredStep = 0) : TaskEffect;

/// <summary>Restores a checkpoint into the run's restore directory, or into memory, verifying every chunk.</summary>
/// <param name="Run">The run.</param>
/// <param name="Checkpoint">What it begins with.</param>
public sealed record RestoreCheckpoint(RunKey Run, CheckpointRef Checkpoint) : TaskEffect
{
    /// <summary>Whether the run is a C# trainer's, which may find its state in memory; a command looks for files. Default false.</summary>
    public bool ForTrainer { get; init; }
}

/// <summary>Lets a ready C# trainer load the restored checkpoint, if any, and train.</summary>
/// <param name="Run">The run.</param>
/// <param name="HasRestore">Whether its restore directory holds a checkpoint.</param>
/// <param name="Policy">When it stages by itself.</param>
/// <param name="BestMetric">The best value so far of the policy's metric, or null.</param>
public sealed record BeginTraining(RunKey Run, bool HasRestore, CheckpointSpec Policy, double? BestMetric) : TaskEffect
{
    /// <summary>From save to save by what they cost; null: that is not known, or not asked for.</summary>
    public TimeSpan? Pace { get; init; }
}

/// <summary>Has a trainer save at another pace from now on, as far as its policy takes such saves. Not answered.</summary>
public sealed record PaceSaves(RunKey Run, TimeSpan Interval) : TaskEffect;

/// <summary>
/// Asks the worker to stage its state at the end of the current step. A command only gets <c>SIGUSR1</c> if it asked for it.
/// </summary>
public sealed record RequestStaging(RunKey Run, string Reason) : TaskEffect;

/// <summary>Stores a staged state under a name.</summary>
/// <param name="Run">The run.</param>
/// <param name="State">The staged state.</param>
/// <param name="Name">The checkpoint's name.</param>
/// <param name="Listed">Checkpoints whose chunks may be referenced instead of written again, newest first.</param>
public sealed record SaveCheckpoint(RunKey Run, StagedState State, string Name, IReadOnlyList<CheckpointRef> Listed) : TaskEffect
{
    /// <summary>Whether it is to share no chunk with <see cref="Listed"/>, so that what damages them leaves it whole.</summary>
    public bool Full { get; init; }
}

/// <summary>The staged folder is not needed any more.</summary>
public sealed record ReleaseStaged(RunKey Run, string StagedId) : TaskEffect;

/// <summary>
/// Ends the worker: asked first (protocol message, SIGTERM), forced after the grace. Zero: forced at once. Ends in
/// <see cref="WorkerExited"/>.
/// </summary>
public sealed record StopWorker(RunKey Run, TimeSpan Grace) : TaskEffect;

/// <summary>Lists the task's files in the store; answered by <see cref="StoreFilesListed"/>.</summary>
public sealed record ListStoreFiles(TaskId Task, long Term) : TaskEffect;

/// <summary>Unlinks files of the task in the store that are condemned. Not answered.</summary>
public sealed record UnlinkStoreFiles(TaskId Task, IReadOnlyList<string> Files) : TaskEffect;
