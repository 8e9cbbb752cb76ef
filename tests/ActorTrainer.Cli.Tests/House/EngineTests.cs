using System.Text.RegularExpressions;
using System.Xml.Linq;
using ActorTrainer.House;
using ActorTrainer.House.Suites;

namespace ActorTrainer.Cli.Tests.House;

/// <summary>What the house tools make of the akka engine's packages.</summary>
public sealed partial class EngineTests
{
    private const string Props = "<Project><PropertyGroup><AkkaLastGreen>2026-01-02 with Akka 1.5.0</AkkaLastGreen></PropertyGroup></Project>";

    [Fact]
    public void Lines_EngineBuilt_SaySo() =>
        AkkaBuild.Parse(Props, Result(engine: true, leftOut: "")).Lines.ShouldBe(["akka engine: built"]);

    [Fact]
    public void Lines_EngineLeftOut_SayWhyAndWhenItWasLastGreen() =>
        AkkaBuild.Parse(Props, Result(engine: false, leftOut: "Akka.Remote is not on this feed")).Lines.ShouldBe(
        [
            "akka engine: left out (Akka.Remote is not on this feed)",
            "akka engine: last green run 2026-01-02 with Akka 1.5.0",
        ]);

    [Fact]
    public void Parse_NothingFoundOutYet_IsLeftOut() => AkkaBuild.Parse(Props, null).LeftOut.ShouldNotBeNull().ShouldContain("yet");

    [Fact]
    public void LastGreen_OfTheRepository_HasADayAndVersions() =>
        AkkaBuild.Read(RepositoryFiles.Repository).LastGreen.ShouldMatch(@"^\d{4}-\d\d-\d\d with (\S+ \d+\.\d+\.\d+(, )?)+$");

    [Fact]
    public void LastGreen_InTheDocs_IsThatOfTheBuild() =>
        RepositoryFiles.Read("docs/engines.md").ShouldContain($"nothing failed: {AkkaBuild.Read(RepositoryFiles.Repository).LastGreen}.");

    [Fact]
    public void Packages_OfTheAkkaProjects_HaveTheirVersionsInOneFile()
    {
        string[] listed =
        [
            .. XElement.Parse(RepositoryFiles.Read("eng/Akka.props")).Descendants("AkkaPackage").Select(item => (string?)item.Attribute("Include") ?? ""),
        ];

        RepositoryFiles.Read("Directory.Packages.props").ShouldNotContain("Include=\"Akka");
        PackageNames().Matches(RepositoryFiles.Read("src/ActorTrainer.Akka/ActorTrainer.Akka.csproj") + RepositoryFiles.Read("tests/ActorTrainer.Akka.Tests/ActorTrainer.Akka.Tests.csproj"))
            .Select(match => match.Groups["name"].Value)
            .ShouldBeSubsetOf(listed);
    }

    [Theory]
    [InlineData("", "", "")]
    [InlineData("--strict Core", "", "--strict Core")]
    [InlineData("--strict --engine akka Core", "akka", "--strict Core")]
    [InlineData("failover --engine akka,embedded --check", "akka embedded", "failover --check")]
    [InlineData("--engine", "", "--engine")]
    public void Take_Arguments_SeparatesTheEngines(string arguments, string names, string rest)
    {
        EngineOption option = EngineOption.Take(arguments.Split(' ', StringSplitOptions.RemoveEmptyEntries));

        string.Join(' ', option.Names).ShouldBe(names);
        string.Join(' ', option.Rest).ShouldBe(rest);
    }

    [Theory]
    [InlineData(false, 0)]
    [InlineData(true, 1)]
    public void Summary_AkkaSuiteLeftOut_FailsOnlyWhenTheEngineWasAskedFor(bool required, int failed)
    {
        using StringWriter console = new();
        TestSummary summary = new(console, strict: true, 10);
        summary.AddLeftOut(SuiteRunner.AkkaSuite, "Akka.Remote is not on this feed", required);

        summary.End().ShouldBe(failed);
        console.ToString().ShouldContain("left out: ActorTrainer.Akka.Tests (Akka.Remote is not on this feed)");
    }

    [Fact]
    public void Filter_MissingRequirements_LeaveOutTheTestsThatNeedThem()
    {
        SuiteRunner.Filter([]).ShouldBeEmpty();
        SuiteRunner.Filter([Setup.Torch, Setup.Torch with { Name = "other" }]).ShouldBe(["--filter", "Requires!=torch&Requires!=other"]);
    }

    private static string Result(bool engine, string leftOut) =>
        $"<Project><PropertyGroup><AkkaEngine>{(engine ? "true" : "false")}</AkkaEngine><AkkaLeftOut>{leftOut}</AkkaLeftOut></PropertyGroup></Project>";

    [GeneratedRegex(@"PackageReference Include=""(?<name>(Akka|xunit)[^""]*)""")]
    private static partial Regex PackageNames();
}
