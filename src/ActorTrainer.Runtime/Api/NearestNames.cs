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
        text.Length > 1 && candidate.Contains(text, StringComparison.Ordinal) ? 1 : Distance(text, candidate);

    /// <summary>Edit distance (Levenshtein 1966) by the two-row dynamic program.</summary>
    private static int Distance(string a, string b)
    {
        int[] previous = [.. Enumerable.Range(0, b.Length + 1)];
        int[] current = new int[b.Length + 1];
        for (int i = 1; i <= a.Length; i++)
        {
            current[0] = i;
            for (int j = 1; j <= b.Length; j++)
            {
                int replaced = previous[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
                current[j] = Math.Min(replaced, 1 + Math.Min(previous[j], current[j - 1]));
            }

            (previous, current) = (current, previous);
        }

        return previous[b.Length];
    }
}
