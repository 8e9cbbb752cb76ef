using System.Globalization;

namespace ActorTrainer.Build.Suites;

/// <summary>Runs the tests of one built test project.</summary>
/// <param name="repository">Where the results go.</param>
/// <param name="setup">What the machine has; tests that require what it lacks are left out.</param>
/// <param name="timeout">After this a suite is taken to hang.</param>
/// <param name="fast">Whether to leave out <see cref="SlowTests"/>, and not to measure coverage.</param>
internal sealed class SuiteRunner(Repository repository, SetupOutcome setup, TimeSpan timeout, bool fast = false)
{
    /// <summary>The suite whose run measures the coverage of <see cref="CoveredAssembly"/>.</summary>
    public const string CoverageSuite = CoveredAssembly + ".Tests";

    /// <summary>The assembly whose coverage is measured.</summary>
    public const string CoveredAssembly = "ActorTrainer.Core";

    /// <summary>The suite of the actors, whose test kit wants xunit 2: it is a library that a test host runs.</summary>
    public const string ClusterSuite = "ActorTrainer.Cluster.Tests";

    /// <summary>The suite of the checkpoint stores, some of whose tests ask a server.</summary>
    public const string StoreSuite = "ActorTrainer.Checkpoints.Tests";

    /// <summary>The suite of real nodes and real trainings.</summary>
    public const string EndToEndSuite = "ActorTrainer.EndToEnd.Tests";

    /// <summary>Suites start hundreds of processes: without this guard of their compiled code a start takes a tenth less.</summary>
    private const string WriteXorExecute = "DOTNET_EnableWriteXorExecute";

    /// <summary>Its tests wait for processes half of the time.</summary>
    public const string WaitingSuite = "ActorTrainer.Runtime.Tests";

    private const int LogLines = 20;
    private const int LogColumns = 160;

    private string Results => repository.PathOf("artifacts", "tests");

    /// <summary>Runs it.</summary>
    public async Task<SuiteResult> RunAsync(Suite suite)
    {
        if (!File.Exists(suite.Assembly))
        {
            return new SuiteResult(
                suite.Name,
                TrxReport.Empty,
                TimeSpan.Zero,
                $"was not built: add it with 'dotnet sln add {suite.Folder}'"
            );
        }

        string report = Path.Combine(Results, suite.Name + ".trx");
        Directory.CreateDirectory(Results);
        File.Delete(report);
        long start = TimeProvider.System.GetTimestamp();
        ChildResult child = await ChildProcess.RunCapturedAsync(
            "dotnet",
            Arguments(suite, report),
            repository.Root,
            new Dictionary<string, string>(setup.Environment) { [WriteXorExecute] = "0" },
            timeout
        );
        TimeSpan elapsed = TimeProvider.System.GetElapsedTime(start);
        await File.WriteAllTextAsync(Path.Combine(Results, suite.Name + ".log"), child.Output);
        TrxReport tests = File.Exists(report) ? TrxReport.Parse(await File.ReadAllTextAsync(report)) : TrxReport.Empty;
        return new SuiteResult(suite.Name, tests, elapsed, ProblemOf(child, tests), Excerpt(child.Output), NoteOf(child));
    }

    /// <summary>Reads the coverage that the run of <see cref="CoverageSuite"/> measured; null when it measured none.</summary>
    public CoverageReport? ReadCoverage()
    {
        string? file = Directory.Exists(CoverageFolder)
            ? Directory.EnumerateFiles(CoverageFolder, "coverage.cobertura.xml", SearchOption.AllDirectories).FirstOrDefault()
            : null;
        return file is null ? null : CoverageReport.Parse(File.ReadAllText(file), CoveredAssembly);
    }

    private string CoverageFolder => Path.Combine(Results, "coverage");

    private IEnumerable<string> Arguments(Suite suite, string report) =>
        suite.Name switch
        {
            ClusterSuite => [.. Hosted(suite, report), "--results-directory", Results, .. Filter(LeftOut)],
            CoverageSuite when !fast =>
            [
                .. Hosted(suite, report),
                "--results-directory",
                EmptyCoverageFolder(),
                "--settings",
                repository.PathOf("eng", "coverage.runsettings"),
                "--collect",
                "XPlat Code Coverage",
            ],

            // The test project is a program; run alone it is faster and its processes are its own.
            _ =>
            [
                suite.Assembly,
                "-noLogo",
                "-noColor",
                "-longRunning",
                "120",
                "-trx",
                report,
                .. suite.Name == WaitingSuite ? ["-maxThreads", "1.5x"] : Array.Empty<string>(),
                .. LeftOut.SelectMany(trait => new[] { "-trait-", trait }),
            ],
        };

    private static IEnumerable<string> Hosted(Suite suite, string report) =>
        ["test", suite.Folder, "--no-build", "--configuration", "Release", "--nologo", "--logger", $"trx;LogFileName={report}"];

    /// <summary>The traits of the tests that are left out.</summary>
    private string[] LeftOut => [.. setup.Missing.Select(missing => $"Requires={missing.Name}"), .. fast ? new[] { SlowTests.Trait } : []];

    /// <summary>The options of <c>dotnet test</c> that leave out the tests with any of these traits.</summary>
    internal static IEnumerable<string> Filter(IReadOnlyList<string> traits) =>
        traits.Count == 0 ? [] : ["--filter", string.Join('&', traits.Select(trait => trait.Replace("=", "!=", StringComparison.Ordinal)))];

    /// <summary>So that what is read afterwards is of this run.</summary>
    private string EmptyCoverageFolder()
    {
        if (Directory.Exists(CoverageFolder))
        {
            Directory.Delete(CoverageFolder, recursive: true);
        }

        return CoverageFolder;
    }

    private string? ProblemOf(ChildResult child, TrxReport tests)
    {
        if (child.TimedOut)
        {
            return string.Create(
                CultureInfo.InvariantCulture,
                $"hung: it was ended with its processes after {timeout.TotalMinutes:0.#} min"
            );
        }

        bool ranNothing = tests.Passed + tests.Failures.Count + tests.Skipped.Count == 0;
        if (child.ExitCode == 0 || tests.Failures.Count > 0 || (ranNothing && SaysNoTests(child.Output)))
        {
            return null;
        }

        return string.Create(CultureInfo.InvariantCulture, $"ended with exit code {child.ExitCode} and no failed test");
    }

    private static bool SaysNoTests(string output) =>
        output.Contains("No test is available", StringComparison.Ordinal) || output.Contains("Total: 0,", StringComparison.Ordinal);

    private static string? NoteOf(ChildResult child) => child.OutputHeldOpen ? "something it started outlived it" : null;

    /// <summary>Where the program says that it crashed, else the end of what it wrote.</summary>
    internal static string Excerpt(string output)
    {
        string[] lines = output.TrimEnd().Split('\n');
        int crash = Array.FindLastIndex(
            lines,
            line =>
                line.StartsWith("Process terminated", StringComparison.Ordinal)
                || line.StartsWith("Unhandled exception", StringComparison.Ordinal)
        );
        IEnumerable<string> shown = crash < 0 ? lines.TakeLast(LogLines) : lines.Skip(crash).Take(LogLines);
        return string.Join('\n', shown.Select(line => line.Length <= LogColumns ? line : line[..LogColumns] + "…"));
    }
}
