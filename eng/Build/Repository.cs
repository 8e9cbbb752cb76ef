namespace ActorTrainer.Build;

/// <summary>The working copy this tool was built in.</summary>
internal sealed class Repository(string root)
{
    /// <summary>The folder with <c>ActorTrainer.sln</c>.</summary>
    public string Root { get; } = root;

    /// <summary>What the targets are, for the user.</summary>
    public string Usage => File.ReadAllText(PathOf("eng", "usage.txt"));

    /// <summary>Walks up from this tool's own folder.</summary>
    /// <exception cref="DirectoryNotFoundException">There is no <c>ActorTrainer.sln</c> above.</exception>
    public static Repository Find()
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "ActorTrainer.sln")))
            {
                return new Repository(folder.FullName);
            }
        }

        throw new DirectoryNotFoundException($"There is no ActorTrainer.sln above {AppContext.BaseDirectory}.");
    }

    /// <summary>A path below the root.</summary>
    public string PathOf(params ReadOnlySpan<string> parts) => Path.Combine([Root, .. parts]);

    /// <summary>The assembly that the target of this name has built and noted.</summary>
    public string AssemblyOf(string target) => File.ReadAllText(PathOf("artifacts", "assemblies", target + ".txt")).Trim();
}
