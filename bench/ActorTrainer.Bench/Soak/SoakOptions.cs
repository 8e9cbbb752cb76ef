using ActorTrainer.Bench.Common;

namespace ActorTrainer.Bench.Soak;

/// <summary>How a soak is run.</summary>
/// <param name="Database">What the journal is in.</param>
/// <param name="Minutes">How long faults happen; what is unfinished then is waited for.</param>
/// <param name="Seed">Decides kinds, victims and lengths of the faults.</param>
internal sealed record SoakOptions(string Database, int Minutes, int Seed)
{
    /// <summary>Parses <c>[--minutes N] [--database NAME] [--seed S]</c>.</summary>
    /// <param name="arguments">What was given.</param>
    /// <param name="seed">The seed when none is given.</param>
    /// <exception cref="OptionException">An argument is not right.</exception>
    public static SoakOptions Parse(IReadOnlyList<string> arguments, int seed)
    {
        OptionSet options = OptionSet.Parse(
            arguments,
            ("--minutes", "15"),
            ("--database", BenchDatabase.Sqlite),
            ("--seed", FormattableString.Invariant($"{seed}"))
        );
        return new SoakOptions(
            options.One("--database", BenchDatabase.Sqlite, BenchDatabase.PostgreSql),
            options.Number("--minutes", least: 1, most: 24 * 60),
            options.Number("--seed", least: 0)
        );
    }
}
