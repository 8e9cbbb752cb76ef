using ActorTrainer.Build.Suites;
using ActorTrainer.Build.Tests.Rules;

namespace ActorTrainer.Build.Tests.Suites;

public sealed class SuiteTests
{
    private const string Trx = """
        <TestRun xmlns="http://microsoft.com/schemas/VisualStudio/TeamTest/2010">
          <Results>
            <UnitTestResult testName="A.Passes" outcome="Passed" />
            <UnitTestResult testName="A.Skipped" outcome="NotExecuted" />
            <UnitTestResult testName="A.Fails" outcome="Failed">
              <Output><ErrorInfo><Message>1 was 2</Message><StackTrace>at A</StackTrace></ErrorInfo></Output>
            </UnitTestResult>
          </Results>
        </TestRun>
        """;

    private const string Cobertura = """
        <coverage>
          <packages>
            <package name="Core">
              <classes>
                <class name="A" filename="A.cs"><lines><line number="1" hits="3" /><line number="2" hits="0" /></lines></class>
                <class name="A/Lambda" filename="A.cs"><lines><line number="2" hits="1" /><line number="3" hits="0" /></lines></class>
                <class name="B" filename="B.cs"><lines><line number="1" hits="0" /><line number="2" hits="0" /></lines></class>
              </classes>
            </package>
            <package name="Other">
              <classes><class name="C" filename="C.cs"><lines><line number="1" hits="0" /></lines></class></classes>
            </package>
          </packages>
        </coverage>
        """;

    [Fact]
    public void ParseTrx_MixedResults_CountsAndNamesThem()
    {
        TrxReport report = TrxReport.Parse(Trx);

        report.Passed.ShouldBe(1);
        report.Skipped.ShouldBe(["A.Skipped"]);
        report.Failures.ShouldBe([new FailedTest("A.Fails", "1 was 2", "at A")]);
    }

    [Fact]
    public void ParseCoverage_LineSharedByClasses_CountsOnce()
    {
        CoverageReport report = CoverageReport.Parse(Cobertura, "Core");

        report.Covered.ShouldBe(2);
        report.Lines.ShouldBe(5);
        report.Percent.ShouldBe(40);
        report.Uncovered.ShouldBe([("B.cs", 2), ("A.cs", 1)]);
    }

    [Fact]
    public void Summary_AllWell_EndsWithTheCountsAlone() =>
        Summarize(strict: true, Ran(passed: 3), coverage: Coverage(90)).ShouldBe((0, "3 passed, 0 failed"));

    [Fact]
    public void Summary_FailedTest_FailsInAnyMode() =>
        Summarize(strict: false, Ran(passed: 1, failures: [new FailedTest("A", "m", "s")])).ShouldBe((1, "1 passed, 1 failed"));

    [Fact]
    public void Summary_SuiteWithAProblem_FailsInAnyMode() =>
        Summarize(strict: false, Ran(passed: 1) with { Problem = "hung" }).ShouldBe((1, "1 passed, 1 failed"));

    [Theory]
    [InlineData(false, 0)]
    [InlineData(true, 4)]
    public void Summary_SkippedEmptyLeftOutOrUncovered_FailsWhenStrict(bool strict, int failed)
    {
        using StringWriter console = new();
        TestSummary summary = new(console, strict, 10);
        summary.Add(Ran(passed: 5, skipped: ["A.Skipped"]));
        summary.Add(Ran(passed: 0));
        summary.AddCoverage(Coverage(89.99));
        summary.AddLeftOut(Setup.Torch);

        int exitCode = summary.End();

        exitCode.ShouldBe(failed == 0 ? 0 : 1);
        string[] lines = console.ToString().TrimEnd().Split('\n');
        lines[^1].TrimEnd().ShouldBe($"5 passed, {failed} failed");
        lines.ShouldContain(line => line.Contains("skipped: A.Skipped", StringComparison.Ordinal));
        lines.ShouldContain(line => line.Contains("has no tests", StringComparison.Ordinal));
        lines.ShouldContain(line => line.Contains(": 89.9 % (8999 of 10000 lines), below 90 %", StringComparison.Ordinal));
        lines.ShouldContain(line => line.Contains("left out: what needs PyTorch", StringComparison.Ordinal));
    }

    [Fact]
    public void Plan_SuitesThatMeasureTime_RunAloneAndClusterLast()
    {
        string[] names =
        [
            "ActorTrainer.Cluster.Tests",
            "ActorTrainer.EndToEnd.Tests",
            "ActorTrainer.Core.Tests",
            "ActorTrainer.New.Tests",
            "ActorTrainer.Runtime.Tests",
        ];

        TestCommand
            .Plan([.. names.Select(name => new Suite(name, name))])
            .Select(group => group.Select(suite => suite.Name))
            .ShouldBe([
                ["ActorTrainer.Core.Tests", "ActorTrainer.New.Tests"],
                ["ActorTrainer.Runtime.Tests"],
                ["ActorTrainer.EndToEnd.Tests"],
                ["ActorTrainer.Cluster.Tests"],
            ]);
    }

    /// <summary>They run while what others need is still being installed.</summary>
    [Fact]
    public void Plan_FirstGroup_NeedsNothingBesidesTheSdk() =>
        TestCommand
            .Plan(Suite.FindAll(RepositoryFiles.Repository))[0]
            .SelectMany(suite => Directory.EnumerateFiles(suite.Folder, "*.cs", SearchOption.AllDirectories))
            .Where(file => File.ReadAllText(file).Contains("[Trait(\"Requires\"", StringComparison.Ordinal))
            .Where(file => Path.GetFileName(file) != "SuiteTests.cs")
            .ShouldBeEmpty();

    [Fact]
    public void Excerpt_Crash_BeginsWhereTheProgramSaysSo() =>
        SuiteRunner.Excerpt("Starting\nProcess terminated. Out of luck\n   at A\n").ShouldBe("Process terminated. Out of luck\n   at A");

    [Fact]
    public void Excerpt_LongOutput_IsItsEndCutToAWidth()
    {
        string[] lines = SuiteRunner
            .Excerpt(string.Join('\n', Enumerable.Range(1, 50).Select(i => $"{i} {new string('x', 300)}")))
            .Split('\n');

        lines.Length.ShouldBe(20);
        lines[^1].ShouldStartWith("50 x");
        lines[^1].Length.ShouldBe(161);
    }

    [Theory]
    [InlineData("NAME=x\nID=debian\n", true)]
    [InlineData("ID=ubuntu\nID_LIKE=\"debian\"\n", true)]
    [InlineData("ID=linuxmint\nID_LIKE=\"ubuntu debian\"\n", true)]
    [InlineData("ID=fedora\nVARIANT_ID=debian\n", false)]
    [InlineData("", false)]
    public void IsDebian_OsRelease_IsReadByItsIds(string text, bool expected) => Setup.IsDebian(text).ShouldBe(expected);

    [Theory]
    [InlineData("--fsat", "'--fsat' is not an option of test: there are --strict and --fast.")]
    [InlineData("--strict --fast", "--fast leaves tests out, and --strict fails for what is left out: give one of them.")]
    [InlineData("--fast Orleans", "No suite is named like Orleans.")]
    public async Task Test_WrongArguments_SaysSoAndExitsWith2(string arguments, string expected)
    {
        using StringWriter console = new();

        (await new TestCommand(RepositoryFiles.Repository, console).RunAsync(arguments.Split(' '))).ShouldBe(2);

        console.ToString().TrimEnd().ShouldBe(expected);
    }

    [Fact]
    public void Summary_LeftOutOfTheFastLane_IsNamedAndNoFailure()
    {
        using StringWriter console = new();
        TestSummary summary = new(console, strict: false, 10);
        summary.AddLeftOut("A.Tests", new SlowTests(Whole: false, ["B", "C.D"]));
        summary.AddLeftOut("E.Tests", new SlowTests(Whole: true, []));

        summary.End().ShouldBe(0);
        console.ToString().ReplaceLineEndings("\n").ShouldBe("  left out: A.Tests: B, C.D\n  left out: E.Tests\n0 passed, 0 failed\n");
    }

    [Fact]
    public void FindAll_OfTheRepository_AreTheTrackedTestProjects() =>
        Suite
            .FindAll(RepositoryFiles.Repository)
            .Select(suite => Path.GetRelativePath(RepositoryFiles.Repository.Root, suite.Folder).Replace('\\', '/'))
            .ShouldBe(
                RepositoryFiles
                    .Tracked.Where(path => path.EndsWith(".Tests.csproj", StringComparison.Ordinal))
                    .Select(path => Path.GetDirectoryName(path)!),
                ignoreOrder: true
            );

    [Fact]
    public void Filter_Traits_LeaveOutTheTestsThatHaveAny()
    {
        SuiteRunner.Filter([]).ShouldBeEmpty();
        SuiteRunner.Filter(["Requires=torch", SlowTests.Trait]).ShouldBe(["--filter", "Requires!=torch&Lane!=Slow"]);
    }

    private static SuiteResult Ran(int passed, FailedTest[]? failures = null, string[]? skipped = null) =>
        new("A.Tests", new TrxReport(passed, failures ?? [], skipped ?? []), TimeSpan.FromSeconds(1.25));

    private static CoverageReport Coverage(double percent) => new((int)Math.Round(percent * 100), 10000, [("A.cs", 1)]);

    private static (int ExitCode, string LastLine) Summarize(bool strict, SuiteResult suite, CoverageReport? coverage = null)
    {
        using StringWriter console = new();
        TestSummary summary = new(console, strict, 10);
        summary.Begin();
        summary.Add(suite);
        summary.AddCoverage(coverage ?? Coverage(95));
        int exitCode = summary.End();
        return (exitCode, console.ToString().TrimEnd().Split('\n')[^1].TrimEnd());
    }
}
