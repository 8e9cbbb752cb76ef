using System.Text.RegularExpressions;
using ActorTrainer.Core.Progress;
using ActorTrainer.Core.Tasks;

namespace ActorTrainer.Core.Configuration;

/// <content>How the output of a command is read for its progress.</content>
public static partial class TaskSpecRules
{
    private const int MostPatterns = 8;
    private const int LongestPattern = 1000;

    /// <summary>
    /// What is wrong with a pattern by which lines of output are read, as the end of a sentence that begins with it; null: nothing.
    /// </summary>
    internal static string? PatternProblem(string? pattern)
    {
        if (string.IsNullOrEmpty(pattern) || pattern.Length > LongestPattern)
        {
            return $"must have 1 to {LongestPattern} characters";
        }

        Regex regex;
        try
        {
            regex = ProgressPattern.Compile(pattern);
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
        if (groups.FirstOrDefault(name => !ProgressPattern.Known.Contains(name) && !ProgressPattern.IsMetric(name)) is { } unknown)
        {
            string near = NearestName.Find(unknown, ProgressPattern.Known) is { } known ? $" (did you mean {known}?)" : "";
            return $"has a group '{unknown}'{near}, which means nothing; use step, total, epoch, epochs and metric_NAME";
        }

        return groups.Any(name => name is "step" or "epoch" || ProgressPattern.IsMetric(name))
            ? null
            : @"names nothing to read; name groups, as in step (?<step>\d+)/(?<total>\d+) loss (?<metric_loss>\S+)";
    }

    internal static string? ProgressProblem(ProgressSpec spec) =>
        spec.Patterns.Count > MostPatterns ? $"there are {spec.Patterns.Count} patterns; {MostPatterns} are looked at"
        : spec is { Off: true, Patterns.Count: > 0 } ? "off and patterns exclude each other; keep one of them"
        : null;

    private static string? Progress(TaskSpec spec)
    {
        if (spec.Progress is not { } progress)
        {
            return null;
        }

        if (spec.Command is null)
        {
            return "progress is for a command; a trainer tells its progress itself";
        }

        if (ProgressProblem(progress) is { } problem)
        {
            return $"progress: {problem}";
        }

        foreach (string pattern in progress.Patterns)
        {
            if (PatternProblem(pattern) is { } wrong)
            {
                return $"progress: the pattern '{pattern}' {wrong}";
            }
        }

        return null;
    }
}
