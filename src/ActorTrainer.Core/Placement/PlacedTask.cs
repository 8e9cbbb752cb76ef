using ActorTrainer.Core.Sharding;

namespace ActorTrainer.Core.Placement;

/// <summary>
/// A task as it was shown last, with what follows from how it was shown before: since when it runs and how fast. Both by the clock of the
/// one who looks; no two clocks are compared.
/// </summary>
internal sealed class PlacedTask(TaskDemand demand, TimeSpan now)
{
    /// <summary>Longer than any training; keeps an estimate from a step that took no time within what a duration holds.</summary>
    private const double LongestSeconds = 1e9;

    private TimeSpan _since = now - demand.RanFor;
    private TimeSpan _firstAt = now;
    private TimeSpan _lastAt = now;
    private long _firstStep = demand.Step;

    public TaskDemand Demand { get; private set; } = demand;

    public void Show(TaskDemand demand, TimeSpan now)
    {
        bool sameRun = Demand.Runs && demand.Runs && demand.Run == Demand.Run && demand.Step >= Demand.Step;
        TimeSpan since = now - demand.RanFor;
        if (!sameRun)
        {
            _since = since;
            (_firstAt, _firstStep, _lastAt) = (now, demand.Step, now);
        }
        else
        {
            _since = since < _since ? since : _since;
            _lastAt = demand.Step > Demand.Step ? now : _lastAt;
        }

        Demand = demand;
    }

    /// <summary>For how long the present run has lasted, as far as is known.</summary>
    public TimeSpan RanFor(TimeSpan now) => now - _since;

    /// <summary>How long it still takes at the pace of this run; null: not known.</summary>
    public TimeSpan? Left(TimeSpan now)
    {
        if (Demand.TotalSteps is not { } total)
        {
            return null;
        }

        long steps = Demand.Step - _firstStep;
        double took = (_lastAt - _firstAt).TotalSeconds;
        if (Demand.Step >= total)
        {
            return TimeSpan.Zero;
        }

        if (steps <= 0 || took <= 0)
        {
            return null;
        }

        double left = ((total - Demand.Step) * (took / steps)) - (now - _lastAt).TotalSeconds;
        return TimeSpan.FromSeconds(Math.Clamp(left, 0, LongestSeconds));
    }
}
