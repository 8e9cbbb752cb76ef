using ActorTrainer.Runtime.Workers.Guard;

namespace ActorTrainer.Runtime.Workers;

/// <summary>
/// Something that the guard runs under the name of a run before the run's own process, so that whatever ends the run ends it, too.
/// </summary>
/// <param name="isLong">Whether it gives way to the node, as a run does that has begun.</param>
internal sealed class RunStep(bool isLong)
{
    public bool IsLong { get; } = isLong;

    /// <summary>How it ended; cancelled when the run is no more.</summary>
    public TaskCompletionSource<GuardExited> Ended { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
}
