using System.Globalization;
using System.Text.RegularExpressions;
using ActorTrainer.Core.Configuration;

namespace ActorTrainer.Core.Progress;

/// <summary>A user's own regular expression for lines that tell of progress. Matching takes time in proportion to the line alone.</summary>
internal sealed class ProgressPattern
{
    private const string MetricPrefix = "metric_";
    private const int Longest = 1000;
    private static readonly string[] Known = ["step", "total", "epoch", "epochs"];
    private readonly Regex _regex;

    public ProgressPattern(string pattern) => _regex = Compile(pattern);

    /// <summary>What is wrong with a pattern, as the end of a sentence that begins with it; null: nothing.</summary>
    public static string? Problem(string? pattern)
    {
        if (string.IsNullOrEmpty(pattern) || pattern.Length > Longest)
        {
            return $"must have 1 to {Longest} characters";
        }

        Regex regex;
        try
        {
            regex = Compile(pattern);
        }
        catch (RegexParseException e)
        {
            return FormattableString.Invariant($"is no regular expression, wrong at character {e.Offset}: {e.Message.TrimEnd('.')}");
        }
        catch (Exception e) when (e is NotSupportedException or ArgumentException)
        {
            return "looks around, refers back or is too large, which costs time without bound; write it without (?=…), (?!…), (?<=…) "
                + "and \\1";
        }

        string[] groups = [.. regex.GetGroupNames().Where(name => !char.IsAsciiDigit(name[0]))];
        if (groups.FirstOrDefault(name => !Known.Contains(name) && !IsMetric(name)) is { } unknown)
        {
            string near = NearestName.Find(unknown, Known) is { } known ? $" (did you mean {known}?)" : "";
            return $"has a group '{unknown}'{near}, which means nothing; use step, total, epoch, epochs and metric_NAME";
        }

        return groups.Any(name => name is "step" or "epoch" || IsMetric(name))
            ? null
            : @"names nothing to read; name groups, as in step (?<step>\d+)/(?<total>\d+) loss (?<metric_loss>\S+)";
    }

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

    private static bool IsMetric(string group) =>
        group.Length > MetricPrefix.Length && group.StartsWith(MetricPrefix, StringComparison.Ordinal);

    private static Regex Compile(string pattern) =>
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
