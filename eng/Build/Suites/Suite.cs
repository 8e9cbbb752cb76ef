namespace ActorTrainer.Build.Suites;

/// <summary>A test project.</summary>
/// <param name="Name">Its name, which ends in <c>.Tests</c>.</param>
/// <param name="Folder">Its folder.</param>
internal sealed record Suite(string Name, string Folder)
{
    /// <summary>The folders below the root that hold test projects.</summary>
    private static readonly string[] Parents = ["tests", "eng"];

    /// <summary>What the build made of it.</summary>
    public string Assembly => Path.Combine(Folder, "bin", "Release", "net10.0", Name + ".dll");

    /// <summary>Finds the test projects of a working copy, by name.</summary>
    public static IReadOnlyList<Suite> FindAll(Repository repository) =>
        [
            .. Parents
                .SelectMany(parent => Directory.EnumerateDirectories(repository.PathOf(parent), "*.Tests"))
                .Select(folder => new Suite(Path.GetFileName(folder), folder))
                .Where(suite => File.Exists(Path.Combine(suite.Folder, suite.Name + ".csproj")))
                .OrderBy(suite => suite.Name, StringComparer.Ordinal),
        ];
}
