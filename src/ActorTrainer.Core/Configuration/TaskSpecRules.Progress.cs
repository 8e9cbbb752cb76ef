using ActorTrainer.Core.Progress;
using ActorTrainer.Core.Tasks;

namespace ActorTrainer.Core.Configuration;

/// <content>How the output of a command is read for its progress.</content>
public static partial class TaskSpecRules
{
    private const int MostPatterns = 8;

    /// <summary>
    /// What is wrong with a pattern by which lines of output are read, as the end of a sentence that begins with it; null: nothing.
    /// </summary>
    internal static string? PatternProblem(string? pattern) => ProgressPattern.Problem(pattern);

    internal static string? ProgressProblem(ProgressSpec spec) =>
        spec.Patterns is null ? "patterns is null; leave it out for its default"
        : spec.Patterns.Count > MostPatterns ? $"there are {spec.Patterns.Count} patterns; {MostPatterns} are looked at"
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
