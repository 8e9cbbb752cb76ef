using ActorTrainer.Core.Configuration;

namespace ActorTrainer.Runtime.Api;

/// <summary>Finds the names that a user may have meant.</summary>
internal static class NearestNames
{
    /// <summary>At most three candidates, nearest first: within a third of the text's length in edits, or containing the text.</summary>
    public static IReadOnlyList<string> Find(string text, IEnumerable<string> candidates)
    {
        int allowed = Math.Max(2, text.Length / 3);
        return
        [
            .. candidates
                .Distinct(StringComparer.Ordinal)
                .Select(candidate => (Name: candidate, Distance: Score(text, candidate)))
                .Where(pair => pair.Distance <= allowed)
                .OrderBy(pair => pair.Distance)
                .ThenBy(pair => pair.Name, StringComparer.Ordinal)
                .Take(3)
                .Select(pair => pair.Name),
        ];
    }

    private static int Score(string text, string candidate) =>
        text.Length > 1 && candidate.Contains(text, StringComparison.Ordinal) ? 1 : NearestName.Distance(text, candidate);
}
