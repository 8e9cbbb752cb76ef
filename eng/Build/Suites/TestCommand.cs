using System.Globalization;

namespace ActorTrainer.Build.Suites;

/// <summary><c>test [--strict | --fast] [SUITE…]</c>: sets up, runs the suites, says how they went.</summary>
internal sealed class TestCommand(Repository repository, TextWriter console)
{
    private static readonly TimeSpan SuiteTimeout = TimeSpan.FromMinutes(10);

    /// <summary>Suites that start processes and measure time: they run alone, after the others, in this order.</summary>
    private static readonly string[] Alone =
    [
        SuiteRunner.StoreSuite,
        "ActorTrainer.Cli.Tests",
        SuiteRunner.WaitingSuite,
        SuiteRunner.EndToEndSuite,
        SuiteRunner.ClusterSuite,
    ];

    /// <summary>Runs the suites.</summary>
    /// <returns>0 when all went well, 1 when not, 2 for wrong arguments.</returns>
    public async Task<int> RunAsync(IReadOnlyList<string> arguments)
    {
        bool strict = arguments.Contains("--strict");
        bool fast = arguments.Contains("--fast");
        string[] wanted = [.. arguments.Where(argument => argument is not ("--strict" or "--fast"))];
        if (wanted.FirstOrDefault(argument => argument.StartsWith('-')) is { } unknown)
        {
            console.WriteLine($"'{unknown}' is not an option of test: there are --strict and --fast.");
            return 2;
        }

        if (strict && fast)
        {
            console.WriteLine("--fast leaves tests out, and --strict fails for what is left out: give one of them.");
            return 2;
        }

        Suite[] suites = Choose(wanted);
        if (suites.Length == 0)
        {
            console.WriteLine($"No suite is named like {string.Join(" or ", wanted)}.");
            return 2;
        }

        return fast ? await RunFastAsync(suites) : await RunAllAsync(suites, strict);
    }

    /// <summary>Groups of suites: those of one group may run at the same time, and those of the first one need the SDK alone.</summary>
    internal static IReadOnlyList<Suite[]> Plan(IReadOnlyList<Suite> suites) =>
        [
            [.. suites.Where(suite => !Alone.Contains(suite.Name))],
            .. Alone.SelectMany(name => suites.Where(suite => suite.Name == name)).Select(suite => new[] { suite }),
        ];

    private async Task<int> RunAllAsync(Suite[] suites, bool strict)
    {
        // What is installed takes the disk more than the processors, and is for suites that run later.
        Task<SetupOutcome> settingUp = Setup.RunAsync(
            console,
            [
                Setup.Torch,
                .. Contains(suites, SuiteRunner.StoreSuite) ? [Setup.S3] : Array.Empty<Requirement>(),
                .. Contains(suites, SuiteRunner.ClusterSuite) ? [Setup.PostgreSql] : Array.Empty<Requirement>(),
                .. Contains(suites, SuiteRunner.EndToEndSuite) ? [Setup.Namespaces, Setup.Venv] : Array.Empty<Requirement>(),
            ]
        );
        TestSummary summary = new(console, strict, suites.Max(suite => suite.Name.Length));
        summary.Begin();
        IReadOnlyList<Suite[]> groups = Plan(suites);
        await RunGroupAsync(
            groups[0],
            new SuiteRunner(repository, new SetupOutcome([], new Dictionary<string, string>()), SuiteTimeout),
            summary
        );
        SetupOutcome setup = await settingUp;
        SuiteRunner runner = new(repository, setup, SuiteTimeout);
        foreach (Suite[] group in groups.Skip(1))
        {
            await RunGroupAsync(group, runner, summary);
        }

        if (Contains(suites, SuiteRunner.CoverageSuite))
        {
            summary.AddCoverage(runner.ReadCoverage());
        }

        if (strict)
        {
            summary.AddFormat(await Formatter.CheckAsync(repository));
        }

        foreach (Requirement missing in setup.Missing)
        {
            summary.AddLeftOut(missing);
        }

        return summary.End();
    }

    /// <summary>Nothing is installed or measured, and what is slow does not run, so suites can share the machine.</summary>
    private async Task<int> RunFastAsync(Suite[] suites)
    {
        long start = TimeProvider.System.GetTimestamp();
        SetupOutcome nothing = new(
            [Setup.Torch, Setup.S3, Setup.PostgreSql, Setup.Namespaces, Setup.Venv],
            new Dictionary<string, string>()
        );
        SuiteRunner runner = new(repository, nothing, SuiteTimeout, fast: true);
        TestSummary summary = new(console, strict: false, suites.Max(suite => suite.Name.Length));
        Dictionary<Suite, SlowTests> slow = suites
            .Where(suite => File.Exists(suite.Assembly))
            .ToDictionary(suite => suite, suite => SlowTests.Read(suite.Assembly));
        summary.Begin();
        await RunGroupAsync(
            [
                // The largest first, so that none is left to run alone at the end.
                .. suites
                    .Where(suite => !slow.TryGetValue(suite, out SlowTests? tests) || !tests.Whole)
                    .OrderByDescending(suite => File.Exists(suite.Assembly) ? new FileInfo(suite.Assembly).Length : 0),
            ],
            runner,
            summary
        );
        foreach ((Suite suite, SlowTests tests) in slow.Where(pair => pair.Value.Whole || pair.Value.Names.Count > 0))
        {
            summary.AddLeftOut(suite.Name, tests);
        }

        console.WriteLine(
            string.Create(CultureInfo.InvariantCulture, $"The fast lane took {TimeProvider.System.GetElapsedTime(start).TotalSeconds:0} s.")
        );
        return summary.End();
    }

    private static Task RunGroupAsync(Suite[] group, SuiteRunner runner, TestSummary summary) =>
        Parallel.ForEachAsync(
            group,
            new ParallelOptions { MaxDegreeOfParallelism = 2 },
            async (suite, _) => summary.Add(await runner.RunAsync(suite))
        );

    private static bool Contains(Suite[] suites, string name) => suites.Any(suite => suite.Name == name);

    private Suite[] Choose(string[] wanted) =>
        [
            .. Suite
                .FindAll(repository)
                .Where(suite => wanted.Length == 0 || wanted.Any(part => suite.Name.Contains(part, StringComparison.OrdinalIgnoreCase))),
        ];
}
