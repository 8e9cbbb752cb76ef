namespace ActorTrainer.Core.Checkpoints;

/// <summary>What settles how long it is from save to save.</summary>
public enum SavePaceReason
{
    /// <summary>The least is lost in all, by saves and by steps that are done again after a loss.</summary>
    Balance,

    /// <summary>Saves may take no more of the training time.</summary>
    Overhead,

    /// <summary>A save is committed before the next one begins.</summary>
    Commit,

    /// <summary>It is never less than <see cref="SavePacePolicy.Shortest"/>.</summary>
    Shortest,

    /// <summary>It is never more than the task's interval.</summary>
    Longest,
}

/// <summary>What the decision about the pace looks at.</summary>
public readonly record struct SavePaceInputs
{
    /// <summary>How much training time one save takes: the stall, and what steps take longer while it is committed.</summary>
    public TimeSpan Cost { get; init; }

    /// <summary>From the moment a state is staged to its commit.</summary>
    public TimeSpan Commit { get; init; }

    /// <summary>How often the task lost what it had done since its last save.</summary>
    public int Losses { get; init; }

    /// <summary>How long the task has trained in all.</summary>
    public TimeSpan Trained { get; init; }

    /// <summary>The largest part of the training time that saves may take, above 0.</summary>
    public double MaxOverhead { get; init; }

    /// <summary>The task's interval.</summary>
    public TimeSpan Longest { get; init; }

    /// <summary>The pace that is kept now; null: none yet.</summary>
    public TimeSpan? Present { get; init; }
}

/// <summary>How often to save.</summary>
/// <param name="Interval">From one save to the next, whole milliseconds.</param>
/// <param name="Reason">What settled it.</param>
/// <param name="Changes">Whether it is to be kept from now on. False: the present pace is near enough.</param>
public readonly record struct SavePaceDecision(TimeSpan Interval, SavePaceReason Reason, bool Changes);

/// <summary>How often a state is worth saving, by what a save costs and how often one is needed.</summary>
/// <remarks>
/// <para>
/// With C the training time that a save costs and M the mean time between losses, saves every T lose C/T of the time, and a loss has
/// T/2 of it done again on average, which is T/2M of the time. The sum is least at T = sqrt(2 C M): Young, "A first order approximation to
/// the optimum checkpoint interval", CACM 17(9), 1974; Daly, "A higher order estimate of the optimum checkpoint interval for restart
/// dumps", FGCS 22(3), 2006, whose further terms matter only where C is no longer small beside M. How long the commit takes besides does
/// not move that optimum, since it adds the same to every loss.
/// </para>
/// <para>
/// M is (1 d + time trained) / (1 + losses): the estimate from what was seen when one loss in a day is taken as seen before (the mean of
/// a gamma distribution of the rate, of shape 1 and rate 1 d, after a Poisson number of losses). So it is neither infinite nor zero.
/// </para>
/// <para>
/// C/T stays within a bound by measuring while the training runs, and no save begins before the last one is committed, as in Mohan et al.,
/// "CheckFreq: Frequent, Fine-Grained DNN Checkpointing", FAST '21 (its online profiling and rate tuning). Both are kept with a quarter to
/// spare, so that a measurement that comes out a little higher does not break them at once. They go before the longest interval.
/// </para>
/// </remarks>
public static class SavePacePolicy
{
    /// <summary>When the first save is made while nothing is known of the cost, unless the task's interval is shorter.</summary>
    public static readonly TimeSpan First = TimeSpan.FromSeconds(10);

    /// <summary>No pace is faster: every save is a few events in the journal.</summary>
    public static readonly TimeSpan Shortest = TimeSpan.FromSeconds(1);

    /// <summary>Default of the largest part of the training time that saves may take.</summary>
    public const double DefaultMaxOverhead = 0.01;

    /// <summary>The time in which one loss is taken as seen before anything was.</summary>
    internal static readonly TimeSpan Prior = TimeSpan.FromDays(1);

    /// <summary>
    /// A pace is kept until the wanted one is so many times as long or as short. The loss is flat around its least: at 1.5 times the best
    /// interval it is (1.5 + 1/1.5)/2 = 1.08 of the least.
    /// </summary>
    internal const double Material = 1.5;

    private const double Spare = 1.25;

    /// <summary>The mean time between losses, from what was seen and one loss in a day.</summary>
    /// <param name="losses">Losses seen.</param>
    /// <param name="trained">In how long a time.</param>
    public static TimeSpan MeanTimeBetweenLosses(int losses, TimeSpan trained) => (Prior + trained) / (1.0 + losses);

    /// <summary>The pace before anything is known.</summary>
    /// <param name="longest">The task's interval.</param>
    public static TimeSpan FirstOf(TimeSpan longest) => longest < First ? longest : First;

    /// <summary>Decides after a save.</summary>
    public static SavePaceDecision Decide(in SavePaceInputs inputs)
    {
        double cost = inputs.Cost.TotalSeconds;
        double bound = cost / inputs.MaxOverhead;
        double seconds = Math.Sqrt(2 * cost * MeanTimeBetweenLosses(inputs.Losses, inputs.Trained).TotalSeconds);
        SavePaceReason reason = SavePaceReason.Balance;
        if (seconds > inputs.Longest.TotalSeconds)
        {
            (seconds, reason) = (inputs.Longest.TotalSeconds, SavePaceReason.Longest);
        }

        foreach (
            (double floor, SavePaceReason of) in (ReadOnlySpan<(double, SavePaceReason)>)
                [
                    (Shortest.TotalSeconds, SavePaceReason.Shortest),
                    (Spare * inputs.Commit.TotalSeconds, SavePaceReason.Commit),
                    (Spare * bound, SavePaceReason.Overhead),
                ]
        )
        {
            if (seconds < floor)
            {
                (seconds, reason) = (floor, of);
            }
        }

        // Rounded up, so that the bounds hold.
        TimeSpan interval = TimeSpan.FromMilliseconds(Math.Ceiling(seconds * 1000));
        return new SavePaceDecision(interval, reason, inputs.Present is not { } present || Changes(present.TotalSeconds, seconds, bound));
    }

    private static bool Changes(double present, double wanted, double bound) =>
        present < bound || wanted >= Material * present || wanted * Material <= present;
}
