namespace ActorTrainer.Training.Worker;

/// <summary>
/// Finds out how much longer steps take while the node stores a state: hashing, compressing and writing take processor and disk from the
/// training. Compares them with the steps beside which nothing is stored.
/// </summary>
/// <remarks>
/// Steps differ by themselves, so only what is above twice the standard deviation of such a sum is taken for the store's doing: a
/// little too low, and hardly ever chance. It gets sharper from save to save, because the extra time adds up faster than chance does.
/// </remarks>
internal sealed class SaveMeter
{
    /// <summary>So many quiet steps have to be known before others are compared with them.</summary>
    private const int Enough = 8;

    /// <summary>A new step's share in what a quiet step takes, once there are many.</summary>
    private const double Newest = 1.0 / 32;

    /// <summary>What a save leaves of the weight of those before it.</summary>
    private const double Fading = 0.9;

    private const double Deviations = 2;

    private double _mean;
    private double _variance;
    private long _quiet;
    private double _busySeconds;
    private long _busySteps;
    private double _extra;
    private double _steps;
    private double _saves;

    /// <summary>How much longer the steps beside one save take, all together; null: not known yet.</summary>
    public TimeSpan? Drag =>
        _saves > 0 ? TimeSpan.FromSeconds(Math.Max(0, _extra - (Deviations * Math.Sqrt(_variance * _steps))) / _saves) : null;

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
            _extra = (_extra * Fading) + _busySeconds - (_busySteps * _mean);
            _steps = (_steps * Fading) + _busySteps;
            _saves = (_saves * Fading) + 1;
        }

        (_busySeconds, _busySteps) = (0, 0);
    }
}
