using ActorTrainer.Core.Progress;
using ActorTrainer.Core.Tasks;
using ActorTrainer.Runtime.Workers.Files;
using ActorTrainer.Runtime.Workers.Output;

namespace ActorTrainer.Runtime.Workers;

/// <summary>What the host knows of one run. Touched by the host's loop only.</summary>
internal sealed class WorkerRun(StartWorker effect, long askedAt)
{
    public StartWorker Effect { get; } = effect;

    public RunKey Key => Effect.Run;

    /// <summary><c>task/term-run</c>, as guard and worker call it.</summary>
    public string Name { get; } = effect.Run.ToString();

    public bool IsCommand => Effect.Spec.Command is not null;

    /// <summary>When it was asked for, as a time stamp.</summary>
    public long AskedAt { get; } = askedAt;

    /// <summary>When it had done its first step, as a time stamp; null while it has not.</summary>
    public long? BegunAt { get; set; }

    /// <summary>The spare that became its process; null: it was started for this run.</summary>
    public SpareWorker? Spare { get; set; }

    /// <summary>
    /// Whether the spare has said that it took the run. Until then nothing of the run was in it, and another process may have the run.
    /// </summary>
    public bool SpareAnswered { get; set; }

    /// <summary>What its process is started with; null while it is prepared.</summary>
    public PreparedStart? Prepared { get; set; }

    /// <summary>The guard that was asked to start it, or null while it is prepared.</summary>
    public GuardLink? Guard { get; set; }

    /// <summary>What the guard runs for it before its own process; null: nothing.</summary>
    public RunStep? Step { get; set; }

    /// <summary>Cancelled when it is asked to stop, for what is done before its process stands.</summary>
    public CancellationTokenSource Stopping { get; } = new();

    /// <summary>Keeps the environment that was made for it; null: none was.</summary>
    public IDisposable? Environment { get; set; }

    /// <summary>0 until it stands.</summary>
    public int Pid { get; set; }

    /// <summary>Whether its end was reported by the guard; only its last files and messages are waited for.</summary>
    public bool Ended { get; set; }

    /// <summary>Set when it was asked to stop.</summary>
    public TimeSpan? StopGrace { get; set; }

    /// <summary>The trainer's exception, or what was wrong with its protocol.</summary>
    public string? Error { get; set; }

    /// <summary>A trainer's connection, once it said hello.</summary>
    public WorkerConnection? Connection { get; set; }

    /// <summary>How fast a trainer makes its steps.</summary>
    public StepRate Rate { get; } = new();

    /// <summary>What a command's output says of its progress; null: it is not looked at.</summary>
    public RunProgress? Printed { get; set; }

    /// <summary>A command's checkpoint folder.</summary>
    public CheckpointFolder? Folder { get; set; }
}
