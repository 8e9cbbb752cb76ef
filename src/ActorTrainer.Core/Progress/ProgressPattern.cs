using System.Globalization;
using System.Text.RegularExpressions;

namespace ActorTrainer.Core.Progress;

/// <summary>A user's own regular expression for lines that tell of progress. Matching takes time in proportion to the line alone.</summary>
internal sealed class ProgressPattern
{
    private const string MetricPrefix = "metric_";

    /// <summary>Names of groups that mean something, beside those of metrics.</summary>
    public static readonly IReadOnlyList<string> Known = ["step", "total", "epoch", "epochs"];
    private readonly Regex _regex;

    public ProgressPattern(string pattern) => _regex = Compile(pattern);

    /// <summary>What the line says; null: it does not match.</summary>
    public LineReading? Read(string line)
    {
        Match match = _regex.Match(line);
        if (!match.Success)
        {
            return null;
        }

        Dictionary<string, double> metrics = new(StringComparer.Ordinal);
        foreach (Group group in match.Groups.Values.Where(group => group.Success && IsMetric(group.Name)))
        {
            if (Number(group) is { } value)
            {
                metrics[group.Name[MetricPrefix.Length..]] = value;
            }
        }

        long? step = Whole(match.Groups["step"]);
        long? total = Whole(match.Groups["total"]);
        double? epoch = Number(match.Groups["epoch"]);
        double? epochs = Number(match.Groups["epochs"]);
        LineReading reading = new()
        {
            Step = step,
            Total = step > total ? null : total,
            Epoch = epoch >= 0 ? epoch : null,
            TotalEpochs = epochs >= epoch ? epochs : null,
            Metrics = metrics,
            Source = "pattern",
            Trust = Trust.Pattern,
        };
        return reading.IsEmpty ? null : reading;
    }

    /// <summary>Whether a group is named after a metric.</summary>
    public static bool IsMetric(string group) =>
        group.Length > MetricPrefix.Length && group.StartsWith(MetricPrefix, StringComparison.Ordinal);

    /// <exception cref="ArgumentException">It is none.</exception>
    /// <exception cref="NotSupportedException">It cannot be matched in time in proportion to the line.</exception>
    public static Regex Compile(string pattern) =>
        new(pattern, RegexOptions.NonBacktracking | RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture);

    private static long? Whole(Group group) =>
        group.Success && long.TryParse(group.ValueSpan.Trim(), NumberStyles.AllowThousands, CultureInfo.InvariantCulture, out long value)
            ? value
            : null;

    private static double? Number(Group group)
    {
        if (!group.Success)
        {
            return null;
        }

        ReadOnlySpan<char> text = group.ValueSpan.Trim().TrimEnd("%,;");
        return double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double value) ? value
            : text.Equals("inf", StringComparison.OrdinalIgnoreCase) ? double.PositiveInfinity
            : text.Equals("-inf", StringComparison.OrdinalIgnoreCase) ? double.NegativeInfinity
            : null;
    }
}
