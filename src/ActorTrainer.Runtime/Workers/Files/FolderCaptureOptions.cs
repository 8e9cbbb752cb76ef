using ActorTrainer.Core.Tasks;

namespace ActorTrainer.Runtime.Workers.Files;

/// <summary>What a watched folder reports.</summary>
/// <param name="State">A captured state, or null.</param>
/// <param name="Warning">What the task's owner has to know, once: why nothing was captured, or what no checkpoint has; or null.</param>
internal readonly record struct FolderCaptured(StagedState? State, string? Warning);

/// <summary>How a run's own process came to its end.</summary>
/// <param name="Violent">By a signal, or so as to be taken for that.</param>
/// <param name="ExitCode">Its exit code; null after a signal.</param>
/// <param name="Forced">Whether processes that it left behind were killed.</param>
internal readonly record struct RunEnd(bool Violent, int? ExitCode, bool Forced = false)
{
    /// <summary>Whether it came to its end by itself and says that all is well.</summary>
    public bool IsGood => this is { Violent: false, ExitCode: 0 };
}

/// <summary>How a folder is captured.</summary>
/// <param name="Mode">How states are recognised.</param>
/// <param name="DoneFile">The name of a file by which the script says that a state is complete; null: none.</param>
/// <param name="RestoredStep">The step that the run goes on from.</param>
/// <param name="RestoreFolder">Where restored files stand a second time; null: nowhere.</param>
/// <param name="State">Patterns of the paths below the folder that are captured; none: all.</param>
internal sealed record FolderCaptureOptions(
    CheckpointCapture Mode = CheckpointCapture.Auto,
    string? DoneFile = null,
    long RestoredStep = 0,
    string? RestoreFolder = null,
    IReadOnlyList<string>? State = null
)
{
    /// <summary>After how long without a state it is said why; zero: never.</summary>
    public TimeSpan WarnAfter { get; init; }

    /// <summary>How states are recognised: one that the script announces by a file is recognised by nothing else.</summary>
    public CheckpointCapture Recognises => DoneFile is null ? Mode : CheckpointCapture.Commit;

    /// <summary>Which paths are captured.</summary>
    public StatePaths Paths { get; } = new(State);
}
