namespace ActorTrainer.Core.Checkpoints;

/// <summary>Why a checkpoint was taken: short, stable words that stand in events, lists and manifests.</summary>
public static class CheckpointReasons
{
    /// <summary>The end of every so many epochs.</summary>
    public const string Epoch = "epoch";

    /// <summary>The time since the last one is over.</summary>
    public const string Interval = "interval";

    /// <summary>The time since the last one is over that suits what a save costs and how often work is lost.</summary>
    public const string Adaptive = "adaptive";

    /// <summary>The metric is better than ever.</summary>
    public const string Best = "best";

    /// <summary>The task has to give way to another.</summary>
    public const string Preemption = "preemption";

    /// <summary>The task is about to move.</summary>
    public const string Migration = "migration";

    /// <summary>Something failed and the state can still be saved.</summary>
    public const string Failure = "failure";

    /// <summary>The newest one was found to be damaged.</summary>
    public const string Damage = "damage";

    /// <summary>The user asked for it.</summary>
    public const string Request = "request";

    /// <summary>The node is drained.</summary>
    public const string Drain = "drain";

    /// <summary>The user pauses the task.</summary>
    public const string Pause = "pause";

    /// <summary>Training is complete.</summary>
    public const string Final = "final";

    /// <summary>Another task's checkpoint, from which this task was submitted to start.</summary>
    public const string Copied = "copied";

    /// <summary>Brought from outside by the user.</summary>
    public const string Imported = "imported";

    /// <summary>A command's files appeared complete in its checkpoint folder.</summary>
    public const string Files = "files";

    /// <summary>A command's files were there, and nothing but silence said that they are complete.</summary>
    public const string Inferred = "inferred";
}
