using System.Reflection;
using ActorTrainer.Checkpoints.Bundles;
using ActorTrainer.Core.Configuration;

namespace ActorTrainer.Runtime.Workers;

/// <summary>Settings of <see cref="WorkerHost"/>.</summary>
internal sealed record WorkerHostOptions
{
    /// <summary>The node's data directory, absolute. Runs are kept below <c>runs/</c>.</summary>
    public required string DataDirectory { get; init; }

    /// <summary>Where the bundles of commands are.</summary>
    public required IBundleStore Bundles { get; init; }

    /// <summary>Log size and niceness.</summary>
    public WorkerModel Worker { get; init; } = new();

    /// <summary>How much memory this node may use for states of trainers, in bytes. 0: none, they go through files. Default 0.</summary>
    public long StateMemoryBytes { get; init; }

    /// <summary>For how long the guard may not hear the node before it ends all workers. Default 10 s.</summary>
    public TimeSpan SelfFenceAfter { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// The command that runs this program again, to which <c>guard</c> and <c>worker</c> are appended. Default: the running executable,
    /// with the entry assembly when that is run by <c>dotnet</c>.
    /// </summary>
    public IReadOnlyList<string> SelfCommand { get; init; } = DefaultSelfCommand();

    /// <summary>The running executable, with the entry assembly when that is run by <c>dotnet</c>.</summary>
    /// <exception cref="InvalidOperationException">The executable is not known (the runtime is hosted by another program).</exception>
    public static IReadOnlyList<string> DefaultSelfCommand()
    {
        string executable =
            Environment.ProcessPath
            ?? throw new InvalidOperationException("The path of the running executable is not known: set SelfCommand.");
        string? entry = Assembly.GetEntryAssembly()?.Location;
        return Path.GetFileNameWithoutExtension(executable) == "dotnet" && !string.IsNullOrEmpty(entry)
            ? [executable, entry]
            : [executable];
    }
}
