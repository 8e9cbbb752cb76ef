namespace ActorTrainer.Core.Cluster;

/// <summary>
/// Time as this process has lived through it: of a gap between two readings of the clock, which is a process that was stopped or had no
/// processor, no more than a limit is counted. Others cannot be blamed for a silence in which nobody listened. Not safe for use by several
/// threads.
/// </summary>
/// <param name="longestStep">What one gap counts at most; longer than the process usually goes without looking.</param>
public sealed class OwnTime(TimeSpan longestStep)
{
    private TimeSpan? _last;
    private TimeSpan _lived;

    /// <summary>When the newest gap that was longer than the limit ended, in the time that is handed in; null: there was none.</summary>
    public TimeSpan? PausedUntil { get; private set; }

    /// <summary>How much was lived through up to now.</summary>
    /// <param name="now">Monotonic time from any start; must not go back.</param>
    public TimeSpan At(TimeSpan now)
    {
        TimeSpan step = now - (_last ?? now);
        if (step > longestStep)
        {
            PausedUntil = now;
            step = longestStep;
        }

        _last = now;
        return _lived += step;
    }
}
