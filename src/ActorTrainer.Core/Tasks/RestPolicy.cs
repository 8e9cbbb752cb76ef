namespace ActorTrainer.Core.Tasks;

/// <summary>
/// Which tasks may be at <em>rest</em>: with nobody who keeps them in memory, since nothing happens to them until they get slots or a
/// command. Their rows say all that is asked of them meanwhile.
/// </summary>
public static class RestPolicy
{
    /// <summary>Whether a task may rest where it is.</summary>
    public static bool MayRest(TaskStatus status) => status is TaskStatus.Pending or TaskStatus.Paused or TaskStatus.Held;

    /// <summary>
    /// Whether a task of a lost life may go on resting under another one. A held one may be held since that life could not read its events:
    /// the next one perhaps can.
    /// </summary>
    public static bool OutlivesItsOwner(TaskStatus status) => status is TaskStatus.Pending or TaskStatus.Paused;
}
