namespace ActorTrainer.Training.Worker;

/// <summary>
/// Finds out how much longer steps take while the node stores a state: hashing, compressing and writing take processor and disk from the
/// training. Compares them with the steps beside which nothing is stored.
/// </summary>
/// <remarks>
/// Steps differ by themselves, so only what is above twice the standard deviation of such a sum is taken for the store's doing: a
/// little too low, and hardly ever chance. It gets sharper from save to save, because the extra time adds up faster than chance does. And
/// of the saves it looks at one may have met something else, a pause of the machine for one: the worst counts as the second worst does.
/// </remarks>
internal sealed class SaveMeter
{
    /// <summary>So many quiet steps have to be known before others are compared with them.</summary>
    private const int Enough = 8;

    /// <summary>A new step's share in what a quiet step takes, once there are many.</summary>
    private const double Newest = 1.0 / 32;

    /// <summary>So many saves are looked at, the last ones.</summary>
    private const int Looked = 10;

    private const double Deviations = 2;

    private double _mean;
    private double _variance;
    private long _quiet;
    private double _busySeconds;
    private long _busySteps;

    /// <summary>Of each save how much longer the steps beside it took, in seconds, and how many they were.</summary>
    private readonly Queue<(double Extra, long Steps)> _saves = [];

    /// <summary>How much longer the steps beside one save take, all together; null: not known yet, one save tells nothing.</summary>
    public TimeSpan? Drag
    {
        get
        {
            if (_saves.Count < 2)
            {
                return null;
            }

            double[] extra = [.. _saves.Select(save => save.Extra).Order()];
            extra[^1] = extra[^2];
            double chance = Deviations * Math.Sqrt(_variance * _saves.Sum(save => save.Steps));
            return TimeSpan.FromSeconds(Math.Max(0, extra.Sum() - chance) / extra.Length);
        }
    }

    /// <summary>A step was made.</summary>
    /// <param name="took">How long it took.</param>
    /// <param name="besideSave">Whether a state was staged and not released when it began.</param>
    public void Step(TimeSpan took, bool besideSave)
    {
        double seconds = took.TotalSeconds;
        if (besideSave)
        {
            _busySeconds += seconds;
            _busySteps++;
            return;
        }

        Settle();
        _quiet++;
        double weight = Math.Max(1.0 / _quiet, Newest);
        double off = seconds - _mean;
        _mean += weight * off;
        _variance = (1 - weight) * (_variance + (weight * off * off));
    }

    // At the first quiet step after a save all steps beside it are known.
    private void Settle()
    {
        if (_busySteps > 0 && _quiet >= Enough)
        {
            _saves.Enqueue((_busySeconds - (_busySteps * _mean), _busySteps));
            if (_saves.Count > Looked)
            {
                _ = _saves.Dequeue();
            }
        }

        (_busySeconds, _busySteps) = (0, 0);
    }
}
