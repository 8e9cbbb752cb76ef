using System.Text.Json;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Tasks;
using ActorTrainer.Testing.Processes;

namespace ActorTrainer.Bench.Failover;

/// <summary>A task as an observer outside the cluster knows it: what its events said, and what its trainer wrote down.</summary>
internal sealed class Watched
{
    private Watched(ObservedTask record, string stepsPath) => (Record, Steps) = (record, new StepLog(stepsPath));

    public string Name => Record.Name;

    public ObservedTask Record { get; }

    public StepLog Steps { get; }

    /// <summary>Where it runs, or ran last; null before its first run.</summary>
    public NodeAddress? Node => Record.Starts.Count == 0 ? null : Record.Starts[^1].Node;

    /// <summary>Whether its present run has committed something and has passed every earlier one.</summary>
    public bool IsSettled => Record.Starts.Count > 0 && Record.RunsWithoutCheckpoint == 0 && Steps.NewestLeads;

    /// <summary>A quarter of a second; with a large state so that each task saves 40 MB in a second.</summary>
    private static TimeSpan SavedEvery(int stateMegabytes) => TimeSpan.FromMilliseconds(Math.Max(250, 25 * stateMegabytes));

    public static async Task<Watched> SubmitAsync(LocalCluster cluster, string name, int stateMegabytes)
    {
        string steps = Directory.CreateDirectory(Path.Combine(cluster.Folder, $"steps-{name}")).FullName;
        TaskSpec spec = new()
        {
            Name = name,
            Trainer = new TrainerSpec(
                typeof(FailoverTrainer).FullName!,
                typeof(FailoverTrainer).Assembly.Location,
                JsonSerializer.SerializeToElement(new FailoverSettings(steps, stateMegabytes), FailoverJson.Default.FailoverSettings)
            ),
            Checkpoint = new CheckpointSpec { Strategy = CheckpointStrategy.Interval, Interval = SavedEvery(stateMegabytes) },
        };
        return new Watched(await ObservedTask.SubmitAsync(cluster, spec), steps);
    }
}
