using System.Text.Json;
using System.Xml.Linq;

namespace ActorTrainer.Build.Tests.Rules;

/// <summary>What a project elsewhere gets that references one of ours: it does not see Directory.Packages.props.</summary>
public sealed class PackageTests
{
    public static TheoryData<string> Projects() => [.. LayeringTests.ProjectNames()];

    /// <summary>
    /// A version for a package that only comes along with another one holds inside of the repository. What was compiled against it does
    /// not start with the older one that a project elsewhere would get.
    /// </summary>
    [Theory]
    [MemberData(nameof(Projects))]
    public void Versions_OfPackagesThatComeAlong_HoldForProjectsElsewhere(string project)
    {
        string assets = RepositoryFiles.Repository.PathOf($"src/{project}/obj/project.assets.json");
        File.Exists(assets).ShouldBeTrue("build the solution before this test");
        using JsonDocument restored = JsonDocument.Parse(File.ReadAllText(assets));
        string[] comeAlong = restored.RootElement.TryGetProperty("centralTransitiveDependencyGroups", out JsonElement groups)
            ? [.. groups.EnumerateObject().SelectMany(group => group.Value.EnumerateObject()).Select(package => package.Name).Distinct()]
            : [];
        string[] named =
        [
            .. LayeringTests
                .ProjectNames()
                .SelectMany(name => XElement.Parse(RepositoryFiles.Read($"src/{name}/{name}.csproj")).Descendants("PackageReference"))
                .Select(reference => (string)reference.Attribute("Include")!),
        ];

        comeAlong.Except(named).ShouldBeEmpty("name them in the project that uses what brings them");
    }
}
