using ActorTrainer.House.Benches;
using ActorTrainer.House.Suites;

namespace ActorTrainer.House;

/// <summary>Runs what a target of <c>eng/build.proj</c> has built.</summary>
internal static class Program
{
    /// <summary>The targets, as the scripts and <c>eng/build.proj</c> name them.</summary>
    public static IReadOnlyList<string> Targets { get; } = ["build", "test", "demo", "bench", "soak", "publish"];

    private static async Task<int> Main(string[] arguments)
    {
        Repository repository = Repository.Find();
        string[] rest = arguments.Length == 0 ? [] : arguments[1..];
        switch (arguments.FirstOrDefault())
        {
            case "build":
                return Build(repository, rest);
            case "publish":
                Console.WriteLine($"Published: {repository.PathOf("artifacts", "publish")}");
                return 0;
            case "test":
                return await new TestCommand(repository, Console.Out).RunAsync(rest);
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

    private static int Build(Repository repository, string[] arguments)
    {
        EngineOption option = EngineOption.Take(arguments);
        if (option.Rest.Count > 0)
        {
            Console.Error.WriteLine($"'{option.Rest[0]}' is not an option of build: there are --engine and --feed.");
            return 2;
        }

        foreach (string line in AkkaBuild.Read(repository).Lines)
        {
            Console.WriteLine(line);
        }

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
            "dotnet", [repository.AssemblyOf("demo"), .. arguments], repository.Root, setup.Environment);
    }
}
