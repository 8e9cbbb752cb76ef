namespace ActorTrainer.Cli.Commands;

/// <summary>Arguments of the form key=value.</summary>
internal static class KeyValues
{
    /// <exception cref="UsageException">One has no '=', or nothing before it.</exception>
    public static IReadOnlyList<KeyValuePair<string, string>> Parse(string[]? texts, string option, string example)
    {
        List<KeyValuePair<string, string>> pairs = [];
        foreach (string text in texts ?? [])
        {
            int equals = text.IndexOf('=', StringComparison.Ordinal);
            if (equals <= 0)
            {
                throw new UsageException($"{option}: '{text}' is not KEY=VALUE; write for example {option} {example}");
            }

            pairs.Add(new(text[..equals], text[(equals + 1)..]));
        }

        return pairs;
    }
}
