namespace ActorTrainer.Core.Configuration;

/// <summary>Finds what a misspelt name probably meant.</summary>
public static class NearestName
{
    /// <summary>The candidate with the fewest edits, if that is few enough to be a slip; the first of equals. Null: none.</summary>
    public static string? Find(string name, IEnumerable<string> candidates)
    {
        string? best = null;
        string folded = Fold(name);

        // What shares no letter with a short name is no slip of it.
        int limit = Math.Min(Math.Max(2, name.Length / 3) + 1, folded.Length);
        foreach (string candidate in candidates)
        {
            int distance = Distance(folded, Fold(candidate));
            if (distance < limit)
            {
                limit = distance;
                best = candidate;
            }
        }

        return best;
    }

    /// <summary>
    /// Insertions, deletions, replacements and swaps of neighbours that turn one text into the other (Damerau-Levenshtein, restricted
    /// form).
    /// </summary>
    public static int Distance(string a, string b)
    {
        int[] beforeLast = new int[b.Length + 1];
        int[] last = new int[b.Length + 1];
        int[] row = new int[b.Length + 1];
        for (int j = 0; j <= b.Length; j++)
        {
            last[j] = j;
        }

        for (int i = 1; i <= a.Length; i++)
        {
            row[0] = i;
            for (int j = 1; j <= b.Length; j++)
            {
                int cost = a[i - 1] == b[j - 1] ? 0 : 1;
                row[j] = Math.Min(Math.Min(row[j - 1] + 1, last[j] + 1), last[j - 1] + cost);
                if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                {
                    row[j] = Math.Min(row[j], beforeLast[j - 2] + 1);
                }
            }

            (beforeLast, last, row) = (last, row, beforeLast);
        }

        return last[b.Length];
    }

    /// <summary>camelCase, snake_case and kebab-case of the same words are the same name here.</summary>
    private static string Fold(string name) =>
        name.Replace("-", "", StringComparison.Ordinal).Replace("_", "", StringComparison.Ordinal).ToLowerInvariant();
}
