namespace ActorTrainer.Build.Benches;

/// <summary>A line <c>NAME key=value …</c> in which a bench says its figures.</summary>
internal sealed record ResultLine(string Text, IReadOnlyDictionary<string, string> Figures)
{
    /// <summary>Parses a line of the bench of this name; null when the line is something else.</summary>
    public static ResultLine? Parse(string name, string line)
    {
        string[] words = line.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
        if (words.Length < 2 || words[0] != name)
        {
            return null;
        }

        Dictionary<string, string> figures = [];
        foreach (string word in words.Skip(1))
        {
            int equals = word.IndexOf('=');
            if (equals <= 0 || !figures.TryAdd(word[..equals], word[(equals + 1)..]))
            {
                return null;
            }
        }

        return new ResultLine(line.Trim(), figures);
    }
}
