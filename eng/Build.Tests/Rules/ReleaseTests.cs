using System.Globalization;
using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace ActorTrainer.Build.Tests.Rules;

/// <summary><c>eng/released.txt</c>, and what has to be there of each version that stands in it.</summary>
public sealed partial class ReleaseTests
{
    private const string Released = "eng/released.txt";

    /// <summary>What each version has written, kept to show that it is still read.</summary>
    private static readonly string[] Kept =
    [
        "tests/ActorTrainer.Cluster.Tests/Released/VERSION/journal.sql",
        "tests/ActorTrainer.Cluster.Tests/Released/VERSION/checkpoints.txt",
        "tests/ActorTrainer.Cluster.Tests/Released/VERSION/messages.txt",
        "tests/ActorTrainer.Training.Tests/Released/VERSION/from-worker.txt",
        "tests/ActorTrainer.Training.Tests/Released/VERSION/from-node.txt",
        "tests/ActorTrainer.Client.Tests/Released/VERSION/http-api.txt",
    ];

    private static Version Present { get; } =
        Version.Parse(XElement.Parse(RepositoryFiles.Read("Directory.Build.props")).Descendants("Version").Single().Value);

    [Fact]
    public void Lines_OfReleased_AreVersionDateAndCommit()
    {
        string[] lines = RepositoryFiles.Read(Released).Split('\n', StringSplitOptions.RemoveEmptyEntries);

        lines.Where(line => !Line().IsMatch(line)).ShouldBeEmpty("a line is for example: 0.2.0 2026-11-28 and 40 digits of the commit");
        lines.ShouldNotBeEmpty();
    }

    [Fact]
    public void Versions_OfReleased_AreInOrder()
    {
        List<Release> releases = Releases();

        releases.Select(r => r.Version).ShouldBe(releases.Select(r => r.Version).Distinct().Order());
        releases.Select(r => r.Date).ShouldBeInOrder();
    }

    [Fact]
    public void Version_OfTheBuild_IsNotBeforeTheLastRelease() => Present.ShouldBeGreaterThanOrEqualTo(Releases()[^1].Version);

    /// <summary>The commit of a release has its section, and is not on record yet.</summary>
    [Fact]
    public void Changelog_HasASectionForEachRelease()
    {
        string[] sections =
        [
            .. Section()
                .Matches(RepositoryFiles.Read("CHANGELOG.md"))
                .Select(section => $"{section.Groups["version"].Value} {section.Groups["date"].Value}")
                .Reverse(),
        ];
        string[] releases = [.. Releases().Select(r => r.ToString())];

        sections.Take(releases.Length).ShouldBe(releases);
        sections.Skip(releases.Length).Where(s => !s.StartsWith($"{Present} ", StringComparison.Ordinal)).ShouldBeEmpty();
    }

    [Fact]
    public void Files_OfEachRelease_AreKept() =>
        Releases().SelectMany(KeptOf).Except(RepositoryFiles.Tracked).ShouldBeEmpty("see Releases in CONTRIBUTING.md");

    /// <summary>In a clone without history there is nothing to look at.</summary>
    [Fact]
    public async Task Commit_OfEachRelease_IsInTheHistoryAndItsFilesAreUnchanged()
    {
        if ((await GitAsync("rev-parse", "--is-shallow-repository")).Output.Trim() != "false")
        {
            return;
        }

        foreach (Release release in Releases())
        {
            (await GitAsync("merge-base", "--is-ancestor", release.Commit, "HEAD")).ExitCode.ShouldBe(
                0,
                $"{Released}: commit {release.Commit} of {release.Version} is not in the history"
            );
            foreach (string path in KeptOf(release))
            {
                bool had = (await GitAsync("cat-file", "-e", $"{release.Commit}:{path}")).ExitCode == 0;
                bool same = !had || (await GitAsync("diff", "--quiet", release.Commit, "--", path)).ExitCode == 0;
                same.ShouldBeTrue($"{path} was changed after the release that wrote it");
            }
        }
    }

    private static IEnumerable<string> KeptOf(Release release) =>
        Kept.Select(path => path.Replace("VERSION", release.Version.ToString(), StringComparison.Ordinal));

    private static List<Release> Releases() =>
        [
            .. Line()
                .Matches(RepositoryFiles.Read(Released))
                .Select(line => new Release(
                    Version.Parse(line.Groups["version"].Value),
                    DateOnly.ParseExact(line.Groups["date"].Value, "yyyy-MM-dd", CultureInfo.InvariantCulture),
                    line.Groups["commit"].Value
                )),
        ];

    private static Task<ChildResult> GitAsync(params string[] arguments) =>
        ChildProcess.RunCapturedAsync(
            "git",
            ["-c", "safe.directory=*", .. arguments],
            RepositoryFiles.Repository.Root,
            new Dictionary<string, string>(),
            TimeSpan.FromMinutes(1)
        );

    [GeneratedRegex(@"^(?<version>\d+\.\d+\.\d+) (?<date>\d{4}-\d{2}-\d{2}) (?<commit>[0-9a-f]{40})$", RegexOptions.Multiline)]
    private static partial Regex Line();

    [GeneratedRegex(@"^## \[(?<version>\d[^\]]*)\] - (?<date>\S+)$", RegexOptions.Multiline)]
    private static partial Regex Section();

    private sealed record Release(Version Version, DateOnly Date, string Commit)
    {
        public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Version} {Date:yyyy-MM-dd}");
    }
}
