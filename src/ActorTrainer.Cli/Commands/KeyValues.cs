using ActorTrainer.Cli.Hosting;

namespace ActorTrainer.Cli.Commands;

/// <summary>Arguments of the form key=value.</summary>
internal static class KeyValues
{
    /// <exception cref="UsageException">One has no '=', or nothing before it.</exception>
    public static IReadOnlyList<Flag> Parse(string[]? texts, string option, string example)
    {
        List<Flag> pairs = [];
        foreach (string text in texts ?? [])
        {
            int equals = text.IndexOf('=', StringComparison.Ordinal);
            if (equals <= 0)
            {
                throw new UsageException($"{option}: '{text}' is not KEY=VALUE; write for example {option} {example}");
            }

            pairs.Add(new Flag(text[..equals], text[(equals + 1)..], option));
        }

        return pairs;
    }
}
