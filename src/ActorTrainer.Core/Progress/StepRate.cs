namespace ActorTrainer.Core.Progress;

/// <summary>How long training still takes, from the steps seen in one run.</summary>
public sealed class StepRate
{
    private const int MostReadings = 60;
    private const int FewestReadings = 4;

    /// <summary>How much the two halves of what was seen may differ: a pace that is not steady says nothing of what comes.</summary>
    private const double Steady = 2;

    private static readonly TimeSpan Shortest = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan Apart = TimeSpan.FromMilliseconds(250);
    private readonly Queue<(TimeSpan At, long Step)> _readings = new();
    private (TimeSpan At, long Step) _last;

    /// <summary>Takes a step. One that is behind the last begins anew.</summary>
    /// <param name="step">Steps done.</param>
    /// <param name="now">When that was, by a monotonic clock.</param>
    public void Add(long step, TimeSpan now)
    {
        if (step < _last.Step)
        {
            Clear();
        }

        if (_readings.Count > 0 && (step == _last.Step || now - _last.At < Apart))
        {
            return;
        }

        _last = (now, step);
        _readings.Enqueue(_last);
        if (_readings.Count > MostReadings)
        {
            _ = _readings.Dequeue();
        }
    }

    /// <summary>Forgets what was seen.</summary>
    public void Clear()
    {
        _readings.Clear();
        _last = default;
    }

    /// <summary>About how long it still takes; null: too little was seen, or the pace is not steady.</summary>
    /// <param name="total">Steps in all; null: not known.</param>
    public TimeSpan? Remaining(long? total)
    {
        if (total is not { } steps || steps < _last.Step || _readings.Count < FewestReadings)
        {
            return null;
        }

        (TimeSpan At, long Step) first = _readings.Peek();
        (TimeSpan At, long Step) middle = _readings.ElementAt(_readings.Count / 2);
        if (_last.At - first.At < Shortest)
        {
            return null;
        }

        double early = (middle.Step - first.Step) / (middle.At - first.At).TotalSeconds;
        double late = (_last.Step - middle.Step) / (_last.At - middle.At).TotalSeconds;
        double whole = (_last.Step - first.Step) / (_last.At - first.At).TotalSeconds;
        double seconds = (steps - _last.Step) / whole;
        return early > late * Steady || late > early * Steady || seconds > TimeSpan.FromDays(3650).TotalSeconds
            ? null
            : TimeSpan.FromSeconds(Math.Round(seconds));
    }
}
