using ActorTrainer.Bench.Common;

namespace ActorTrainer.Bench.Scale;

/// <summary>What is measured: every database.</summary>
/// <param name="Databases">What the journal is in.</param>
/// <param name="Tasks">Tasks that wait, for more slots than any node has.</param>
/// <param name="Running">Tasks that run besides.</param>
internal sealed record ScaleOptions(IReadOnlyList<string> Databases, int Tasks, int Running)
{
    private const int MostRunning = 200;

    /// <summary>Parses <c>[--database NAME,…] [--tasks N]</c>; a fiftieth of the tasks run, 200 of the 10,000 of the default.</summary>
    /// <exception cref="OptionException">An argument is not right.</exception>
    public static ScaleOptions Parse(IReadOnlyList<string> arguments)
    {
        OptionSet options = OptionSet.Parse(arguments, ("--database", BenchDatabase.Sqlite), ("--tasks", "10000"));
        int tasks = options.Number("--tasks", least: 50, most: 100_000);
        return new ScaleOptions(
            options.Several("--database", BenchDatabase.Sqlite, BenchDatabase.PostgreSql),
            tasks,
            Math.Min(MostRunning, tasks / 50)
        );
    }
}
