namespace ActorTrainer.Core.Membership;

/// <summary>
/// The phi-accrual estimate of one peer: how improbable its present silence is, given the intervals seen so far.
/// Hayashibara, Défago, Yared, Katayama: "The φ accrual failure detector" (SRDS 2004), equations 1 to 3:
/// phi(t) = -log10(1 - F(t)), F the normal distribution with the mean and variance of the last intervals.
/// </summary>
internal sealed class PhiAccrual
{
    private const int Window = 200;
    private const double LogTenE = 0.43429448190325182765;
    private readonly Queue<double> _intervals = new();
    private readonly double _longest;
    private readonly double _leastDeviation;
    private double _sum;
    private double _sumOfSquares;

    /// <param name="expected">The heartbeat interval; the estimate starts with it and a deviation of half of it.</param>
    /// <param name="longest">Longer intervals are outages, not jitter, and count as this long: one outage must not blunt the estimate.</param>
    public PhiAccrual(TimeSpan expected, TimeSpan longest)
    {
        _longest = longest.TotalSeconds;
        // On a quiet network the variance tends to zero and any hiccup would look certain.
        _leastDeviation = expected.TotalSeconds / 2;
        Push(expected.TotalSeconds - _leastDeviation);
        Push(expected.TotalSeconds + _leastDeviation);
    }

    public void Observe(TimeSpan interval) => Push(double.Clamp(interval.TotalSeconds, 0, _longest));

    public double Phi(TimeSpan silence)
    {
        double mean = _sum / _intervals.Count;
        double variance = double.Max(0, (_sumOfSquares / _intervals.Count) - (mean * mean));
        double deviation = double.Max(_leastDeviation, double.Sqrt(variance));
        return -LogTail((silence.TotalSeconds - mean) / deviation) * LogTenE;
    }

    private void Push(double seconds)
    {
        _intervals.Enqueue(seconds);
        _sum += seconds;
        _sumOfSquares += seconds * seconds;
        if (_intervals.Count > Window)
        {
            double oldest = _intervals.Dequeue();
            _sum -= oldest;
            _sumOfSquares -= oldest * oldest;
        }
    }

    // Natural logarithm of the normal distribution's upper tail, by the Chebyshev fit of erfc (Press et al., "Numerical
    // Recipes in C", 2nd edition, section 6.2: relative error below 1.2e-7). Kept as a logarithm: the tail itself underflows
    // after 38 deviations.
    private static double LogTail(double deviations)
    {
        double x = double.Abs(deviations) / double.Sqrt(2);
        double t = 1 / (1 + (0.5 * x));
        double exponent = (-x * x) - 1.26551223 + (t * (1.00002368 + (t * (0.37409196 + (t * (0.09678418 +
            (t * (-0.18628806 + (t * (0.27886807 + (t * (-1.13520398 + (t * (1.48851587 +
            (t * (-0.82215223 + (t * 0.17087277)))))))))))))))));
        double logErfc = double.Log(t) + exponent;
        return deviations >= 0 ? logErfc - double.Log(2) : double.Log(1 - (double.Exp(logErfc) / 2));
    }
}
