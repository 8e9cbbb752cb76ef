using System.Text.Json.Serialization;

namespace ActorTrainer.Core.Checkpoints;

/// <summary>How often a task saves, and what that was decided by.</summary>
/// <param name="Interval">From one save to the next.</param>
/// <param name="Reason">What settled it.</param>
/// <param name="Stall">How long training stands still for a save.</param>
/// <param name="Drag">By how much longer the steps take, all together, that are made while a save is committed.</param>
/// <param name="Commit">From the moment a state is staged to its commit.</param>
/// <param name="Trained">How long the task has trained in all, up to its last save. Steps that were done again count twice.</param>
/// <param name="Losses">How often it lost what it had done since its last save, from its first pace on.</param>
public sealed record SavePace(
    TimeSpan Interval,
    SavePaceReason Reason,
    TimeSpan Stall,
    TimeSpan Drag,
    TimeSpan Commit,
    TimeSpan Trained,
    int Losses
)
{
    /// <summary>The training time that a save costs.</summary>
    [JsonIgnore]
    public TimeSpan Cost => Stall + Drag;
}
