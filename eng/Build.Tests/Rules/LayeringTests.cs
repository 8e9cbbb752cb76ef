using System.Xml.Linq;

namespace ActorTrainer.Build.Tests.Rules;

public sealed class LayeringTests
{
    /// <summary>What each project may reference: inward only.</summary>
    private static readonly Dictionary<string, string[]> Allowed = new()
    {
        ["ActorTrainer.Core"] = [],
        ["ActorTrainer.Hocon"] = ["ActorTrainer.Core"],
        ["ActorTrainer.Checkpoints"] = ["ActorTrainer.Core"],
        ["ActorTrainer.Training"] = ["ActorTrainer.Core"],
        ["ActorTrainer.Client"] = ["ActorTrainer.Core"],
        ["ActorTrainer.Cluster"] = ["ActorTrainer.Core", "ActorTrainer.Hocon", "ActorTrainer.Checkpoints"],
        ["ActorTrainer.Runtime"] =
        [
            "ActorTrainer.Core",
            "ActorTrainer.Hocon",
            "ActorTrainer.Checkpoints",
            "ActorTrainer.Training",
            "ActorTrainer.Client",
            "ActorTrainer.Cluster",
        ],
        ["ActorTrainer.Cli"] =
        [
            "ActorTrainer.Core",
            "ActorTrainer.Hocon",
            "ActorTrainer.Checkpoints",
            "ActorTrainer.Training",
            "ActorTrainer.Client",
            "ActorTrainer.Cluster",
            "ActorTrainer.Runtime",
        ],
    };

    public static TheoryData<string> Projects() => [.. ProjectNames()];

    internal static IEnumerable<string> ProjectNames() => ProjectFiles("src/").Select(path => Path.GetFileNameWithoutExtension(path));

    [Theory]
    [MemberData(nameof(Projects))]
    public void ProjectReferences_OfAProductProject_PointInward(string project)
    {
        Allowed.ShouldContainKey(project, $"say in {nameof(LayeringTests)} what {project} may reference");
        XElement file = Load($"src/{project}/{project}.csproj");

        string[] outward =
        [
            .. file.Descendants("ProjectReference")
                .Select(reference => ((string?)reference.Attribute("Include") ?? "").Replace('\\', '/'))
                .Where(path => !Allowed[project].Any(name => path == $"../{name}/{name}.csproj")),
        ];

        outward.ShouldBeEmpty();
    }

    /// <summary>What stands around the product: samples are as a user's own programs, and the build tool needs nothing of it.</summary>
    [Theory]
    [InlineData("samples/", "src/", "samples/")]
    [InlineData("bench/", "src/", "tests/ActorTrainer.Testing/", "samples/Digits/")]
    [InlineData("eng/Build/")]
    public void ProjectReferences_AroundTheProduct_PointInward(string folder, params string[] allowed)
    {
        string[] projects = [.. ProjectFiles(folder)];

        string[] outward =
        [
            .. projects.SelectMany(path =>
                Load(path)
                    .Descendants("ProjectReference")
                    .Select(reference =>
                        Path.GetRelativePath(
                            "/",
                            Path.GetFullPath($"/{Path.GetDirectoryName(path)}/{(string?)reference.Attribute("Include")}")
                        )
                    )
                    .Where(target => !allowed.Any(start => target.StartsWith(start, StringComparison.Ordinal)))
                    .Select(target => $"{path}: {target}")
            ),
        ];

        projects.ShouldNotBeEmpty();
        outward.ShouldBeEmpty();
    }

    [Fact]
    public void AssemblyReferences_OfCore_AreThePlatformAlone()
    {
        string[] others =
        [
            .. typeof(Core.CoreJsonContext)
                .Assembly.GetReferencedAssemblies()
                .Select(name => name.Name!)
                .Where(name => !name.StartsWith("System.", StringComparison.Ordinal)),
        ];

        others.ShouldBeEmpty();
    }

    [Fact]
    public void Allowed_Projects_AreThoseThatThereAre() => Allowed.Keys.ShouldBe(ProjectNames(), ignoreOrder: true);

    [Fact]
    public void PackageReferences_OfAllProjects_LeaveTheVersionToDirectoryPackages()
    {
        string[] versioned =
        [
            .. ProjectFiles("")
                .SelectMany(path =>
                    Load(path)
                        .Descendants("PackageReference")
                        .Where(reference =>
                            reference.Attribute("Version") is not null
                            || reference.Attribute("VersionOverride") is not null
                            || reference.Element("Version") is not null
                            || reference.Element("VersionOverride") is not null
                        )
                        .Select(reference => $"{path}: {(string?)reference.Attribute("Include")}")
                ),
        ];

        versioned.ShouldBeEmpty();
    }

    [Fact]
    public void Solution_HoldsEveryProject()
    {
        string solution = RepositoryFiles.Read("ActorTrainer.sln").Replace('\\', '/');

        string[] missing = [.. ProjectFiles("").Where(path => !solution.Contains($"\"{path}\"", StringComparison.Ordinal))];

        missing.ShouldBeEmpty("add them with 'dotnet sln add'");
    }

    private static IEnumerable<string> ProjectFiles(string folder) =>
        RepositoryFiles.Tracked.Where(path =>
            path.StartsWith(folder, StringComparison.Ordinal) && path.EndsWith(".csproj", StringComparison.Ordinal)
        );

    private static XElement Load(string path) => XElement.Parse(RepositoryFiles.Read(path));
}
