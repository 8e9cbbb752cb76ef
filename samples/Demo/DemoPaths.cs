namespace ActorTrainer.Samples.Demo;

/// <summary>What the demo starts, found in the working copy it was built in.</summary>
internal sealed class DemoPaths
{
    private DemoPaths(string root, string configuration)
    {
        Executable = Require(Path.Combine(root, "src", "ActorTrainer.Cli", "bin", configuration, "net10.0", "publish", "actortrainer"));
        DigitsAssembly = Require(Path.Combine(root, "samples", "Digits", "bin", configuration, "net10.0", "Digits.dll"));
        PyTorchScript = Require(Path.Combine(root, "samples", "PyTorch", "train.py"));
    }

    /// <summary><c>actortrainer</c>.</summary>
    public string Executable { get; }

    /// <summary>The Digits sample.</summary>
    public string DigitsAssembly { get; }

    /// <summary>The PyTorch sample.</summary>
    public string PyTorchScript { get; }

    /// <summary>Walks up from the demo's own folder.</summary>
    /// <exception cref="DemoException">It was moved away, or a part is not built.</exception>
    public static DemoPaths Find()
    {
        string here = AppContext.BaseDirectory;
        string configuration = here.Contains($"{Path.DirectorySeparatorChar}Release{Path.DirectorySeparatorChar}", StringComparison.Ordinal)
            ? "Release"
            : "Debug";
        for (DirectoryInfo? folder = new(here); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "ActorTrainer.sln")))
            {
                return new DemoPaths(folder.FullName, configuration);
            }
        }

        throw new DemoException($"there is no ActorTrainer.sln above {here}; run the demo with ./build.sh demo");
    }

    private static string Require(string path) =>
        File.Exists(path) ? path : throw new DemoException($"{path} is missing; build and run the demo with ./build.sh demo");
}

/// <summary>The demo cannot go on; the message says why.</summary>
internal sealed class DemoException(string message) : Exception(message);
