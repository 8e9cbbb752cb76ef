using System.Globalization;
using ActorTrainer.Core.Checkpoints;
using ActorTrainer.Core.Tasks;

namespace ActorTrainer.Cli.Output;

/// <summary>How often a trainer saves by what that costs, and why.</summary>
internal static class PaceText
{
    /// <summary>The pace in one sentence.</summary>
    public static string Describe(SavePace pace) => $"every {Time(pace.Interval)}, {Why(pace)}";

    /// <summary>A change of it.</summary>
    public static string Changed(TaskSavesPaced e) =>
        e.From is { } from ? $"every {Time(e.Pace.Interval)}, before every {Time(from)}; {Why(e.Pace)}" : Describe(e.Pace);

    /// <summary>A fraction in percent.</summary>
    public static string Percent(double fraction) => $"{(fraction * 100).ToString("0.##", CultureInfo.InvariantCulture)} %";

    private static string Why(SavePace pace)
    {
        string drag = pace.Drag > TimeSpan.Zero ? $" (standstill {Time(pace.Stall)}, slower steps {Time(pace.Drag)})" : "";
        string losses = pace.Losses == 1 ? "1 loss" : FormattableString.Invariant($"{pace.Losses} losses");
        string between = Human.Duration(SavePacePolicy.MeanTimeBetweenLosses(pace.Losses, pace.Trained));
        return $"{Reason(pace.Reason)}: a save costs {Time(pace.Cost)}{drag} and is committed after {Time(pace.Commit)}; "
            + $"{losses} in {Human.Duration(pace.Trained)} of training, taken as one in {between}";
    }

    private static string Reason(SavePaceReason reason) =>
        reason switch
        {
            SavePaceReason.Balance => "where saves and work done again take the least time together",
            SavePaceReason.Overhead => "as more saves would take more of the time than max-overhead allows",
            SavePaceReason.Commit => "as no save begins before the last one is committed",
            SavePaceReason.Shortest => "which is as often as any task saves",
            SavePaceReason.Longest => "the task's interval",
            _ => reason.ToString(),
        };

    /// <summary>Shorter times than <see cref="Human.Duration"/> is for.</summary>
    private static string Time(TimeSpan time) =>
        time < TimeSpan.FromMilliseconds(10) ? $"{time.TotalMilliseconds.ToString("0.#", CultureInfo.InvariantCulture)}ms"
        : time >= TimeSpan.FromSeconds(1) && time < TimeSpan.FromSeconds(10)
            ? $"{time.TotalSeconds.ToString("0.#", CultureInfo.InvariantCulture)}s"
        : Human.Duration(time);
}
