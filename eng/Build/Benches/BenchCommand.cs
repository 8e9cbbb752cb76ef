namespace ActorTrainer.Build.Benches;

/// <summary><c>bench NAME [--check]</c>: runs a bench and holds its figures against <c>bench/bounds.json</c>.</summary>
internal sealed class BenchCommand(Repository repository, TextWriter console)
{
    /// <summary>The bench that measures beside other programs.</summary>
    private const string Checkpoints = "checkpoint";

    private static readonly TimeSpan Timeout = TimeSpan.FromHours(2);

    /// <summary>Runs it; arguments other than <c>--check</c> are the bench's.</summary>
    /// <returns>The bench's exit code; 1 when a bound is missing or not kept; 2 for wrong arguments.</returns>
    public async Task<int> RunAsync(IReadOnlyList<string> arguments)
    {
        if (arguments.Count == 0 || arguments[0].StartsWith('-'))
        {
            console.WriteLine("Name a bench: ./build.sh bench NAME [--check].");
            return 2;
        }

        string name = arguments[0];
        bool check = arguments.Contains("--check");
        IReadOnlyList<string> databases = BenchOption.ValuesOf("--database", arguments, "sqlite");
        SetupOutcome setup = await Setup.RunAsync(
            console,
            [
                .. databases.Contains(Setup.PostgreSql.Name) ? [Setup.PostgreSql] : Array.Empty<Requirement>(),
                .. name == Checkpoints ? [Setup.Torch, Setup.Archivers] : Array.Empty<Requirement>(),
            ]
        );
        if (setup.Missing.Count > 0)
        {
            console.WriteLine($"The bench cannot be run: {setup.Missing[0].Remedy}");
            return 1;
        }

        string[] command = [repository.AssemblyOf("bench"), .. arguments.Where(argument => argument != "--check")];
        if (!check)
        {
            return await ChildProcess.RunInheritedAsync("dotnet", command, repository.Root, setup.Environment);
        }

        // Read before the run: a damaged file should not cost a bench's time.
        string boundsFile = repository.PathOf("bench", "bounds.json");
        BenchBounds bounds;
        try
        {
            bounds = BenchBounds.Parse(await File.ReadAllTextAsync(boundsFile));
        }
        catch (Exception e) when (e is IOException or FormatException)
        {
            console.WriteLine($"{boundsFile}: {e.Message}");
            return 1;
        }

        ChildResult result = await ChildProcess.RunCapturedAsync("dotnet", command, repository.Root, setup.Environment, Timeout, console);
        IReadOnlyList<string> failures = bounds.Check(
            name,
            result.Output.Split('\n'),
            new Dictionary<string, IReadOnlyCollection<string>> { ["database"] = databases }
        );
        foreach (string failure in failures)
        {
            console.WriteLine($"bound: {failure}");
        }

        if (failures.Count == 0)
        {
            console.WriteLine($"bound: {name} keeps every bound in bench/bounds.json");
        }

        int exitCode = result.TimedOut ? 1 : result.ExitCode;
        return exitCode != 0 ? exitCode : Math.Min(1, failures.Count);
    }
}
