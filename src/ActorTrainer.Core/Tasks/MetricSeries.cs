namespace ActorTrainer.Core.Tasks;

/// <summary>
/// How a task's metrics went, over all of its runs: a bounded number of points that covers the whole training evenly by steps. When it is
/// full, every second one of two that stand too near is left out, so that it gets coarser and never forgets its beginning. Pure.
/// </summary>
/// <param name="Stride">Two points, but for the newest, are at least so many steps apart.</param>
/// <param name="Points">By step, each above the one before.</param>
public sealed record MetricSeries(long Stride, IReadOnlyList<MetricPoint> Points)
{
    /// <summary>How many points there are at most.</summary>
    public const int MaxPoints = 512;

    /// <summary>How many metrics a point has at most; of more, the first by name.</summary>
    public const int MaxMetrics = 32;

    /// <summary>Nothing told yet.</summary>
    public static MetricSeries Empty { get; } = new(1, []);

    /// <summary>
    /// The series with a point more. One at or below the newest step begins where a run was restored: what was beyond it did not go on.
    /// </summary>
    public MetricSeries With(MetricPoint point)
    {
        List<MetricPoint> points = [.. Points.TakeWhile(p => p.Step < point.Step)];

        // The newest one only holds the place of the next that is far enough.
        if (points.Count > 1 && points[^1].Step - points[^2].Step < Stride)
        {
            points.RemoveAt(points.Count - 1);
        }

        points.Add(point with { Metrics = Bounded(point.Metrics) });
        long stride = Stride;
        while (points.Count > MaxPoints)
        {
            stride *= 2;
            points = Thinned(points, stride);
        }

        return new MetricSeries(stride, points);
    }

    private static List<MetricPoint> Thinned(List<MetricPoint> points, long stride)
    {
        List<MetricPoint> kept = [points[0]];
        foreach (MetricPoint point in points.Skip(1).SkipLast(1).Where(point => point.Step - kept[^1].Step >= stride))
        {
            kept.Add(point);
        }

        kept.Add(points[^1]);
        return kept;
    }

    private static IReadOnlyDictionary<string, double> Bounded(IReadOnlyDictionary<string, double> metrics) =>
        metrics.Count <= MaxMetrics
            ? metrics
            : metrics.OrderBy(m => m.Key, StringComparer.Ordinal).Take(MaxMetrics).ToDictionary(StringComparer.Ordinal);
}

/// <summary>The metrics at one step.</summary>
/// <param name="Step">Steps done since the very beginning.</param>
/// <param name="Epoch">Epochs done; 0 when not known.</param>
/// <param name="At">When it was told, by the clock of the node that ran the task, UTC.</param>
/// <param name="Metrics">The value of each metric; those that are not finite included.</param>
public sealed record MetricPoint(long Step, double Epoch, DateTimeOffset At, IReadOnlyDictionary<string, double> Metrics);
