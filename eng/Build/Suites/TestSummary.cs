using System.Globalization;

namespace ActorTrainer.Build.Suites;

/// <summary>Prints how the suites went and counts; the last line is <c>N passed, N failed</c>.</summary>
/// <param name="console">Where it prints.</param>
/// <param name="strict">Whether what was left out, skipped, empty or too little covered counts as failed.</param>
/// <param name="nameWidth">The width of the column of names.</param>
internal sealed class TestSummary(TextWriter console, bool strict, int nameWidth)
{
    /// <summary>Line coverage that a strict run asks for, in percent.</summary>
    public const double CoverageBound = 90;

    private const int MessageLines = 40;
    private const int StackLines = 8;

    private readonly Lock _lock = new();
    private int _passed;
    private int _failed;

    /// <summary>Prints the head of the table.</summary>
    public void Begin() => console.WriteLine($"{"suite".PadRight(nameWidth)}  passed  failed  skipped  seconds");

    /// <summary>Prints and counts a suite. May be called from several threads.</summary>
    public void Add(SuiteResult suite)
    {
        lock (_lock)
        {
            TrxReport report = suite.Report;
            _passed += report.Passed;
            _failed += report.Failures.Count;
            console.WriteLine(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{suite.Name.PadRight(nameWidth)}  {report.Passed, 6}  {report.Failures.Count, 6}  "
                        + $"{report.Skipped.Count, 7}  {suite.Elapsed.TotalSeconds, 7:0.0}"
                )
            );
            foreach (FailedTest failure in report.Failures)
            {
                console.WriteLine($"  failed: {failure.Name}");
                Indent(failure.Message, MessageLines);
                Indent(failure.StackTrace, StackLines);
            }

            foreach (string test in report.Skipped)
            {
                Report(strict, $"skipped: {test}");
            }

            if (suite.Problem is not null)
            {
                Report(true, $"failed: {suite.Name} {suite.Problem}; all it wrote is in artifacts/tests/{suite.Name}.log");
                Indent(suite.Log, MessageLines);
            }

            if (suite.Note is not null)
            {
                console.WriteLine($"  note: {suite.Note}");
            }

            if (suite.IsEmpty)
            {
                Report(strict, "it has no tests");
            }
        }
    }

    /// <summary>Prints the coverage; null: it was not measured.</summary>
    public void AddCoverage(CoverageReport? coverage)
    {
        if (coverage is null)
        {
            Report(strict, $"Line coverage of {SuiteRunner.CoveredAssembly} was not measured.");
            return;
        }

        // Rounded down, so that what is shown as enough is enough.
        double shown = Math.Floor(coverage.Percent * 10) / 10;
        bool enough = coverage.Percent >= CoverageBound;
        string bound = enough ? "" : string.Create(CultureInfo.InvariantCulture, $", below {CoverageBound} %");
        Report(
            strict && !enough,
            string.Create(
                CultureInfo.InvariantCulture,
                $"Line coverage of {SuiteRunner.CoveredAssembly}: {shown:0.0} % ({coverage.Covered} of {coverage.Lines} lines){bound}"
            )
        );
        if (!enough)
        {
            foreach ((string file, int lines) in coverage.Uncovered.Take(8))
            {
                console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"    {lines, 5} lines not covered in {file}"));
            }
        }
    }

    /// <summary>Prints what the check of the format found; null: nothing.</summary>
    public void AddFormat(string? problem)
    {
        if (problem is not null)
        {
            string[] lines = problem.Split('\n', 2);
            Report(true, $"failed: {lines[0]}");
            Indent(lines[^1], MessageLines);
        }
    }

    /// <summary>Prints what was left out for want of something.</summary>
    public void AddLeftOut(Requirement missing) => Report(strict, $"left out: {missing.Covers}. {missing.Remedy}");

    /// <summary>Prints what the fast lane left out of a suite.</summary>
    public void AddLeftOut(string suite, SlowTests tests) =>
        Report(false, $"left out: {suite}{(tests.Whole ? "" : $": {string.Join(", ", tests.Names)}")}");

    /// <summary>Prints the last line.</summary>
    /// <returns>The exit code.</returns>
    public int End()
    {
        console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{_passed} passed, {_failed} failed"));
        return _failed == 0 ? 0 : 1;
    }

    private void Report(bool counts, string text)
    {
        if (counts)
        {
            _failed++;
        }

        console.WriteLine($"  {text}");
    }

    private void Indent(string text, int lines)
    {
        string[] all = text.TrimEnd().Split('\n');
        foreach (string line in all.Take(lines))
        {
            console.WriteLine($"    {line.TrimEnd()}");
        }

        if (all.Length > lines)
        {
            console.WriteLine("    …");
        }
    }
}
