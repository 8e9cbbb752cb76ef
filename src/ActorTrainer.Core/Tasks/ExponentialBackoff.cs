namespace ActorTrainer.Core.Tasks;

/// <summary>How long to wait before something that did not succeed is tried again.</summary>
public static class ExponentialBackoff
{
    private const int MostDoublings = 30;

    /// <summary>The first wait, doubled with each repetition, at most the longest.</summary>
    /// <param name="first">The wait before the first repetition; not negative.</param>
    /// <param name="repetitions">Those that there were already; less than none counts as none.</param>
    /// <param name="longest">What no wait exceeds.</param>
    public static TimeSpan After(TimeSpan first, int repetitions, TimeSpan longest) =>
        TimeSpan.FromTicks((long)Math.Min(longest.Ticks, first.Ticks * Math.Pow(2, Math.Clamp(repetitions, 0, MostDoublings))));
}
