using System.Diagnostics;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using ActorTrainer.Build.Tests.Rules;

namespace ActorTrainer.Build.Tests;

public sealed partial class ScriptTests
{
    private static readonly string[] Documented = ["build", "test", "format", "demo", "bench", "soak", "publish"];

    [Fact]
    public void Targets_OfBash_AreThoseDocumented() =>
        BashTargets().Match(RepositoryFiles.Read("build.sh")).Groups["targets"].Value.Split(' ').ShouldBe(Documented);

    [Fact]
    public void Targets_OfPowerShell_AreThoseOfBash() =>
        PowerShellTargets()
            .Match(RepositoryFiles.Read("build.ps1"))
            .Groups["targets"]
            .Value.Split(", ")
            .Select(target => target.Trim('\''))
            .ShouldBe(BashTargets().Match(RepositoryFiles.Read("build.sh")).Groups["targets"].Value.Split(' '));

    [Fact]
    public void Targets_OfTheBuildProject_AreThoseDocumented() =>
        XElement
            .Parse(RepositoryFiles.Read("eng/build.proj"))
            .Elements("Target")
            .Select(target => (string?)target.Attribute("Name"))
            .ShouldBe(Documented);

    [Fact]
    public void Targets_OfTheTool_AreThoseDocumented() => Program.Targets.ShouldBe(Documented);

    [Fact]
    public void Usage_NamesEveryTarget()
    {
        IEnumerable<string> named = RepositoryFiles
            .Read("eng/usage.txt")
            .Split('\n')
            .Select(line => UsageLine().Match(line))
            .Where(match => match.Success)
            .Select(match => match.Groups["target"].Value);

        named.ShouldBe(Documented);
    }

    [Fact]
    public void Commands_OfBothScripts_RunTheSameMsBuildCommand()
    {
        string bash = MsBuild().Match(RepositoryFiles.Read("build.sh")).Groups["arguments"].Value;
        string powerShell = MsBuild().Match(RepositoryFiles.Read("build.ps1")).Groups["arguments"].Value;

        bash.ShouldNotBeEmpty();
        powerShell.Replace("'", "", StringComparison.Ordinal).ShouldBe(bash);
    }

    [Theory]
    [InlineData("")]
    [InlineData("tset")]
    [InlineData("Build")]
    public void Bash_UnknownTarget_ShowsTheUsageAndExitsWith2(string target)
    {
        (int exitCode, string error) = Run(Environment.GetEnvironmentVariable("PATH")!, target);

        exitCode.ShouldBe(2);
        error.ShouldBe(RepositoryFiles.Read("eng/usage.txt"));
    }

    [Fact]
    public void Bash_WithoutSdk_SaysInOneLineHowToGetItAndExitsWith1()
    {
        string tools = Directory.CreateTempSubdirectory("build-tools-").FullName;
        try
        {
            foreach (string tool in new[] { "bash", "dirname", "cat" })
            {
                File.CreateSymbolicLink(Path.Combine(tools, tool), File.Exists($"/bin/{tool}") ? $"/bin/{tool}" : $"/usr/bin/{tool}");
            }

            (int exitCode, string error) = Run(tools, "build");

            exitCode.ShouldBe(1);
            error.TrimEnd('\n').ShouldNotContain("\n");
            error.ShouldContain("https://dotnet.microsoft.com/download/dotnet/10.0");
        }
        finally
        {
            Directory.Delete(tools, recursive: true);
        }
    }

    private static (int ExitCode, string Error) Run(string path, params string[] arguments)
    {
        ProcessStartInfo start = new(
            "/bin/bash",
            [RepositoryFiles.Repository.PathOf("build.sh"), .. arguments.Where(argument => argument.Length > 0)]
        )
        {
            RedirectStandardError = true,
        };
        start.Environment["PATH"] = path;
        using Process bash = Process.Start(start)!;
        string error = bash.StandardError.ReadToEnd();
        bash.WaitForExit();
        return (bash.ExitCode, error);
    }

    [GeneratedRegex(@"^targets=""(?<targets>[^""]+)""", RegexOptions.Multiline)]
    private static partial Regex BashTargets();

    [GeneratedRegex(@"^\$targets = (?<targets>.+)$", RegexOptions.Multiline)]
    private static partial Regex PowerShellTargets();

    [GeneratedRegex(@"^  (?<target>[a-z]+) ")]
    private static partial Regex UsageLine();

    [GeneratedRegex(@"dotnet msbuild (?<arguments>[^;\n]+)")]
    private static partial Regex MsBuild();
}
