namespace ActorTrainer.Build;

/// <summary>CSharpier, as <c>.config/dotnet-tools.json</c> names it: formats the working copy, or says what is not formatted.</summary>
internal static class Formatter
{
    private static readonly TimeSpan Timeout = TimeSpan.FromMinutes(5);

    /// <summary>Formats every file.</summary>
    /// <returns>The exit code.</returns>
    public static async Task<int> FormatAsync(Repository repository, TextWriter console)
    {
        ChildResult result = await RunAsync(repository, "format");
        console.WriteLine(result.Output.Trim());
        return result.ExitCode;
    }

    /// <summary>Looks at every file and changes none.</summary>
    /// <returns>What is wrong and what to do about it, or null.</returns>
    public static async Task<string?> CheckAsync(Repository repository) => ProblemIn(await RunAsync(repository, "check"));

    /// <summary>
    /// What a run says of the files: their names, without what it expected of each; of a tool that did not run, all it wrote.
    /// </summary>
    internal static string? ProblemIn(ChildResult result)
    {
        if (result.ExitCode == 0)
        {
            return null;
        }

        string[] files = [.. result.Output.Split('\n').Where(line => line.StartsWith("Error ./", StringComparison.Ordinal))];
        return files.Length == 0
            ? $"the format could not be checked:\n{result.Output}"
            : $"not formatted, './build.sh format' formats them:\n{string.Join('\n', files.Select(line => line["Error ./".Length..]))}";
    }

    private static async Task<ChildResult> RunAsync(Repository repository, string command)
    {
        ChildResult restored = await DotnetAsync(repository, "tool", "restore");
        return restored.ExitCode == 0 ? await DotnetAsync(repository, "csharpier", command, ".") : restored;
    }

    private static Task<ChildResult> DotnetAsync(Repository repository, params string[] arguments) =>
        ChildProcess.RunCapturedAsync("dotnet", arguments, repository.Root, new Dictionary<string, string>(), Timeout);
}
