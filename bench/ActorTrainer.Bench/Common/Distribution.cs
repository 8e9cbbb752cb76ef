namespace ActorTrainer.Bench.Common;

/// <summary>Measured values.</summary>
internal sealed class Distribution
{
    private readonly List<double> _values = [];

    public int Count => _values.Count;

    /// <summary>The largest; 0 when there is none.</summary>
    public double Max => _values.Count == 0 ? 0 : _values.Max();

    public void Add(double value) => _values.Add(value);

    /// <summary>The values added last.</summary>
    public IEnumerable<double> Last(int count) => _values.TakeLast(count);

    /// <summary>The smallest value that at least so many per cent of all do not exceed (nearest rank); 0 when there is none.</summary>
    public double Percentile(int percent)
    {
        double[] sorted = [.. _values.Order()];
        return sorted.Length == 0 ? 0 : sorted[Math.Max(0, (int)Math.Ceiling(sorted.Length * percent / 100.0) - 1)];
    }
}
