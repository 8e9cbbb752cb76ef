namespace ActorTrainer.House.Suites;

/// <summary><c>test [--strict] [--engine NAME] [SUITE…]</c>: sets up, runs the suites, says how they went.</summary>
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
        EngineOption engine = EngineOption.Take(arguments);
        bool strict = engine.Rest.Contains("--strict");
        string[] wanted = [.. engine.Rest.Where(argument => argument != "--strict")];
        string[] suites = Discover(wanted);
        if (wanted.FirstOrDefault(argument => argument.StartsWith('-')) is { } unknown)
        {
            console.WriteLine($"'{unknown}' is not an option of test: there are --strict, --engine and --feed.");
            return 2;
        }

        if (suites.Length == 0)
        {
            console.WriteLine($"No suite below tests/ is named like {string.Join(" or ", wanted)}.");
            return 2;
        }

        AkkaBuild akka = AkkaBuild.Read(repository);
        bool withAkka = akka.LeftOut is null && suites.Contains(SuiteRunner.AkkaSuite);
        SetupOutcome setup = await Setup.RunAsync(console, withAkka ? [Setup.Torch, Setup.PostgreSql] : [Setup.Torch]);
        SuiteRunner runner = new(repository, setup, SuiteTimeout);
        TestSummary summary = new(console, strict, suites.Max(suite => suite.Length));
        summary.Begin();
        foreach (string[] group in Plan([.. suites.Where(suite => suite != SuiteRunner.AkkaSuite || akka.LeftOut is null)]))
        {
            await Parallel.ForEachAsync(
                group,
                new ParallelOptions { MaxDegreeOfParallelism = 2 },
                async (suite, _) => summary.Add(await runner.RunAsync(suite)));
        }

        if (suites.Contains(SuiteRunner.CoverageSuite))
        {
            summary.AddCoverage(runner.ReadCoverage());
        }

        if (akka.LeftOut is { } reason && suites.Contains(SuiteRunner.AkkaSuite))
        {
            summary.AddLeftOut(SuiteRunner.AkkaSuite, reason, required: engine.Names.Contains("akka"));
        }

        foreach (Requirement missing in setup.Missing)
        {
            summary.AddLeftOut(missing);
        }

        return summary.End();
    }

    /// <summary>Groups of suites: those of one group may run at the same time.</summary>
    internal static IReadOnlyList<string[]> Plan(IReadOnlyList<string> suites) =>
    [
        [.. suites.Except(Alone)],
        .. Alone.Intersect(suites).Select(suite => new[] { suite }),
    ];

    private string[] Discover(string[] wanted) =>
    [
        .. Directory.EnumerateDirectories(repository.PathOf("tests"), "*.Tests")
            .Select(folder => Path.GetFileName(folder))
            .Where(name => File.Exists(repository.PathOf("tests", name, name + ".csproj")))
            .Where(name => wanted.Length == 0 || wanted.Any(part => name.Contains(part, StringComparison.OrdinalIgnoreCase)))
            .Order(StringComparer.Ordinal),
    ];
}
