using ActorTrainer.Runtime.Workers.Guard;

namespace ActorTrainer.Runtime.Workers;

/// <summary>All that a run's process needs, by whichever way it comes to be.</summary>
/// <param name="Executable">Path of the executable, already looked up.</param>
/// <param name="Arguments">All arguments, the first being the name of the program.</param>
/// <param name="Environment">The whole environment.</param>
/// <param name="WorkingDirectory">An existing folder.</param>
/// <param name="LogDirectory">Where the output files go; null: only the last lines are kept.</param>
/// <param name="LogMaxBytes">Bytes of output kept, in two files.</param>
/// <param name="Umask">Its umask in octal digits; null: the node's.</param>
internal sealed record PreparedStart(
    string Executable,
    IReadOnlyList<string> Arguments,
    IReadOnlyDictionary<string, string> Environment,
    string WorkingDirectory,
    string? LogDirectory,
    long LogMaxBytes,
    string? Umask = null
)
{
    /// <summary>The order to start it anew.</summary>
    public GuardStart ToStart(string run) =>
        new(
            run,
            Executable,
            Arguments,
            [.. Environment.Select(pair => $"{pair.Key}={pair.Value}")],
            WorkingDirectory,
            LogDirectory,
            LogMaxBytes,
            Umask is null ? null : Convert.ToInt32(Umask, 8)
        );
}
