using System.Collections.Concurrent;
using System.Diagnostics;

namespace ActorTrainer.Samples.Demo;

/// <summary>
/// The same training without any node and without interruption, a process for each seed, at a lower priority than the cluster's workers.
/// </summary>
internal sealed class References(string digitsAssembly, IReadOnlyList<int> seeds)
{
    // A worker has 10 by default.
    private const string Niceness = "12";
    private const string HashName = "weights-sha256 ";

    private readonly ConcurrentDictionary<int, string> _hashes = [];

    public int Total => seeds.Count;

    public int Done => _hashes.Count;

    /// <summary>The hash of the final weights, or null while it is not known.</summary>
    public string? HashOf(int seed) => _hashes.GetValueOrDefault(seed);

    /// <summary>Runs all, two at a time; cancelled, it ends their processes.</summary>
    public Task RunAsync(CancellationToken cancellationToken) =>
        Parallel.ForEachAsync(
            seeds,
            new ParallelOptions { MaxDegreeOfParallelism = 2, CancellationToken = cancellationToken },
            async (seed, stop) => await RunOneAsync(seed, stop)
        );

    private async Task RunOneAsync(int seed, CancellationToken cancellationToken)
    {
        string[] command = ["-n", Niceness, "dotnet", digitsAssembly, .. DemoTasks.ReferenceArguments(seed)];
        ProcessStartInfo start = new("nice", command) { RedirectStandardOutput = true, RedirectStandardError = true };
        using Process process = Process.Start(start) ?? throw new DemoException("'nice' did not start");
        try
        {
            Task<string> errors = process.StandardError.ReadToEndAsync(cancellationToken);
            string output = await process.StandardOutput.ReadToEndAsync(cancellationToken);
            await process.WaitForExitAsync(cancellationToken);
            string? hash = output.Split('\n').LastOrDefault(line => line.StartsWith(HashName, StringComparison.Ordinal));
            _hashes[seed] =
                process.ExitCode == 0 && hash is not null
                    ? hash[HashName.Length..].Trim()
                    : throw new DemoException($"the uninterrupted run of seed {seed} exited with {process.ExitCode}: {await errors}");
        }
        finally
        {
            if (!process.HasExited)
            {
                process.Kill();
            }
        }
    }
}
