namespace ActorTrainer.Build.Suites;

/// <summary><c>test [--strict] [SUITE…]</c>: sets up, runs the suites, says how they went.</summary>
internal sealed class TestCommand(Repository repository, TextWriter console)
{
    private static readonly TimeSpan SuiteTimeout = TimeSpan.FromMinutes(10);

    /// <summary>Suites that start processes and measure time: they run alone, after the others, in this order.</summary>
    private static readonly string[] Alone =
        ["ActorTrainer.Cli.Tests", "ActorTrainer.Runtime.Tests", "ActorTrainer.Cluster.Tests", SuiteRunner.AkkaSuite];

    /// <summary>Runs the suites.</summary>
    /// <returns>0 when all went well, 1 when not, 2 for wrong arguments.</returns>
    public async Task<int> RunAsync(IReadOnlyList<string> arguments)
    {
        bool strict = arguments.Contains("--strict");
        string[] wanted = [.. arguments.Where(argument => argument != "--strict")];
        Suite[] suites = Choose(wanted);
        if (wanted.FirstOrDefault(argument => argument.StartsWith('-')) is { } unknown)
        {
            console.WriteLine($"'{unknown}' is not an option of test: there is --strict.");
            return 2;
        }

        if (suites.Length == 0)
        {
            console.WriteLine($"No suite is named like {string.Join(" or ", wanted)}.");
            return 2;
        }

        SetupOutcome setup = await Setup.RunAsync(console, Contains(suites, SuiteRunner.AkkaSuite) ? [Setup.Torch, Setup.PostgreSql] : [Setup.Torch]);
        SuiteRunner runner = new(repository, setup, SuiteTimeout);
        TestSummary summary = new(console, strict, suites.Max(suite => suite.Name.Length));
        summary.Begin();
        foreach (Suite[] group in Plan(suites))
        {
            await Parallel.ForEachAsync(
                group,
                new ParallelOptions { MaxDegreeOfParallelism = 2 },
                async (suite, _) => summary.Add(await runner.RunAsync(suite)));
        }

        if (Contains(suites, SuiteRunner.CoverageSuite))
        {
            summary.AddCoverage(runner.ReadCoverage());
        }

        foreach (Requirement missing in setup.Missing)
        {
            summary.AddLeftOut(missing);
        }

        return summary.End();
    }

    /// <summary>Groups of suites: those of one group may run at the same time.</summary>
    internal static IReadOnlyList<Suite[]> Plan(IReadOnlyList<Suite> suites) =>
    [
        [.. suites.Where(suite => !Alone.Contains(suite.Name))],
        .. Alone.SelectMany(name => suites.Where(suite => suite.Name == name)).Select(suite => new[] { suite }),
    ];

    private static bool Contains(Suite[] suites, string name) => suites.Any(suite => suite.Name == name);

    private Suite[] Choose(string[] wanted) =>
    [
        .. Suite.FindAll(repository)
            .Where(suite => wanted.Length == 0 || wanted.Any(part => suite.Name.Contains(part, StringComparison.OrdinalIgnoreCase))),
    ];
}
