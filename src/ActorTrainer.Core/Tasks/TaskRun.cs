using ActorTrainer.Core.Checkpoints;

namespace ActorTrainer.Core.Tasks;

/// <summary>Why a run was asked to end.</summary>
internal enum StopCause
{
    /// <summary>It was not.</summary>
    None,

    /// <summary>The user paused or cancelled the task: nothing follows.</summary>
    User,

    /// <summary>The user had the task go back to a checkpoint: it starts again from there.</summary>
    GoesBack,

    /// <summary>The shard is handed over, or the node stops.</summary>
    Release,

    /// <summary>It showed no progress for too long.</summary>
    Stalled,
}

/// <summary>The run that is under way: volatile, gone with the node. Only <see cref="TaskEntity"/> changes it.</summary>
internal sealed class TaskRun(RunKey key, bool isCommand, TimeSpan now)
{
    public RunKey Key { get; } = key;

    public bool IsCommand { get; } = isCommand;

    /// <summary>When it was begun.</summary>
    public TimeSpan Since { get; } = now;

    public WorkerPhase Phase { get; private set; } = WorkerPhase.Starting;

    public TimeSpan PhaseSince { get; private set; } = now;

    /// <summary>The process was asked to start; only then is there something to stop.</summary>
    public bool WorkerRequested { get; set; }

    /// <summary>Its environment is made before it starts.</summary>
    public bool Preparing { get; set; }

    public int Pid { get; set; }

    /// <summary>The C# trainer waits for its checkpoint.</summary>
    public bool Ready { get; set; }

    /// <summary>The checkpoint that is being restored or was; null: none.</summary>
    public CheckpointRef? Restore { get; set; }

    /// <summary>Why it starts from nothing although there were checkpoints; null: it does not, or there were none.</summary>
    public TaskWarned? FromNothing { get; set; }

    /// <summary>Nothing is left to restore: it is done or there is none.</summary>
    public bool RestoreSettled { get; set; }

    /// <summary>Whether it was said that the checkpoint cannot be read now.</summary>
    public bool RestoreWarned { get; set; }

    /// <summary>When an unreadable store is asked again.</summary>
    public TimeSpan? RestoreAgainAt { get; set; }

    /// <summary>Training has begun (its event was issued).</summary>
    public bool Begun { get; set; }

    public TimeSpan BegunAt { get; set; }

    public TaskProgress? Progress { get; set; }

    /// <summary>What a command's output has said; null: nothing.</summary>
    public WorkerPrinted? Printed { get; set; }

    /// <summary>A checkpoint of this run was committed.</summary>
    public bool Saved { get; set; }

    /// <summary>The step of the newest of them; 0: there is none.</summary>
    public long SavedStep { get; set; }

    /// <summary>What its saves cost; null: they are not paced by that.</summary>
    public SavePacer? Pacer { get; set; }

    public WorkerDone? Done { get; set; }

    public StopCause Stop { get; set; }

    /// <summary>It could not be started, and it is the node that lacks something.</summary>
    public bool NodeUnfit { get; set; }

    /// <summary>The stop request went out.</summary>
    public bool StopSent { get; set; }

    /// <summary>The state was asked for before the stop; at this time the stop goes out without it.</summary>
    public TimeSpan? SaveDeadline { get; set; }

    /// <summary>How it ended, once it has.</summary>
    public RunEnd? End { get; set; }

    /// <summary>Before this time it is not said what follows from its end; null: at once.</summary>
    public TimeSpan? VerdictAt { get; set; }

    /// <summary>The user was told that the run has ended and its last state is not in the store.</summary>
    public bool SaidWaitsForStore { get; set; }

    /// <summary>The guard died with it.</summary>
    public string? Lost { get; set; }

    public void Enter(WorkerPhase phase, TimeSpan now)
    {
        Phase = phase;
        PhaseSince = now;
    }

    /// <summary>The limit of the phase it is in, or null for none.</summary>
    public TimeSpan? Limit(StallSpec stall)
    {
        TimeSpan limit = Phase switch
        {
            WorkerPhase.Restoring => stall.Restoring,
            WorkerPhase.Training when IsCommand => stall.OfCommand() ?? TimeSpan.Zero,
            WorkerPhase.Training => stall.Training,
            WorkerPhase.Evaluating => stall.Evaluating,
            WorkerPhase.Saving => stall.Saving,
            _ when !RestoreSettled => stall.Restoring,
            _ when Preparing => TimeSpan.Zero,
            _ => stall.Starting,
        };
        return limit <= TimeSpan.Zero ? null : limit;
    }
}
