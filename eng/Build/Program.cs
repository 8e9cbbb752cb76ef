using ActorTrainer.Build.Benches;
using ActorTrainer.Build.Suites;

namespace ActorTrainer.Build;

/// <summary>Runs what a target of <c>eng/build.proj</c> has built.</summary>
internal static class Program
{
    /// <summary>The targets, as the scripts and <c>eng/build.proj</c> name them.</summary>
    public static IReadOnlyList<string> Targets { get; } = ["build", "test", "format", "demo", "bench", "soak", "publish"];

    private static async Task<int> Main(string[] arguments)
    {
        Repository repository = Repository.Find();
        string[] rest = arguments.Length == 0 ? [] : arguments[1..];
        switch (arguments.FirstOrDefault())
        {
            case "build":
                return EndOf("build", rest, "Built.");
            case "publish":
                return EndOf("publish", rest, $"Published: {repository.PathOf("artifacts", "publish")}");
            case "test":
                return await new TestCommand(repository, Console.Out).RunAsync(rest);
            case "format":
                return rest.Length == 0 ? await Formatter.FormatAsync(repository, Console.Out) : EndOf("format", rest, "");
            case "demo":
                return await RunDemoAsync(repository, rest);
            case "bench":
                return await new BenchCommand(repository, Console.Out).RunAsync(rest);
            case "soak":
                return await new BenchCommand(repository, Console.Out).RunAsync(["soak", .. rest]);
            default:
                await Console.Error.WriteAsync(repository.Usage);
                return 2;
        }
    }

    private static int EndOf(string target, string[] arguments, string done)
    {
        if (arguments.Length > 0)
        {
            Console.Error.WriteLine($"'{arguments[0]}' is not an option of {target}: it takes none.");
            return 2;
        }

        Console.WriteLine(done);
        return 0;
    }

    private static async Task<int> RunDemoAsync(Repository repository, string[] arguments)
    {
        SetupOutcome setup = await Setup.RunAsync(Console.Out, Setup.Torch);
        foreach (Requirement missing in setup.Missing)
        {
            Console.WriteLine($"Left out of the demo: {missing.Covers}. {missing.Remedy}");
        }

        return await ChildProcess.RunInheritedAsync(
            "dotnet",
            [repository.AssemblyOf("demo"), .. arguments],
            repository.Root,
            setup.Environment
        );
    }
}
