using System.Text.Json;
using ActorTrainer.Core.Tasks;
using ActorTrainer.Testing.Trainers;
using Shouldly;

namespace ActorTrainer.Testing.Processes;

/// <summary>Specifications of the tasks that tests submit to a cluster.</summary>
public static class Specs
{
    private static readonly CheckpointSpec Often = new() { Strategy = CheckpointStrategy.Interval, Interval = TimeSpan.FromSeconds(0.5) };
    private static readonly RetrySpec Soon = new() { MaxAttempts = 1, Backoff = TimeSpan.FromSeconds(0.2) };

    /// <summary>A task of the Digits sample, with a checkpoint about every half second.</summary>
    public static TaskSpec Digits(string name, int seed, int epochs) =>
        new()
        {
            Name = name,
            Trainer = new TrainerSpec(
                "ActorTrainer.Samples.Digits.DigitsTrainer",
                LocalCluster.FindBuilt("samples/Digits", "Digits.dll"),
                JsonSerializer.SerializeToElement(
                    new Dictionary<string, object>
                    {
                        ["seed"] = seed,
                        ["epochs"] = epochs,
                        ["quick"] = true,
                    }
                )
            ),
            Checkpoint = Often,
        };

    /// <summary>
    /// What the Digits sample ends with when it is started by hand and never interrupted: its result <c>weights-sha256</c>.
    /// </summary>
    public static async Task<string> DigitsWeightsAsync(int seed, int epochs)
    {
        CommandResult run = await CommandResult.RunAsync(
            LocalCluster.FindBuilt("samples/Digits", "Digits"),
            ["--quick", "--seed", FormattableString.Invariant($"{seed}"), "--epochs", FormattableString.Invariant($"{epochs}")],
            Path.GetTempPath(),
            new Dictionary<string, string>()
        );
        run.ExitCode.ShouldBe(0, run.Error);
        const string Result = "weights-sha256 ";
        return run.Output.Split('\n').Single(line => line.StartsWith(Result, StringComparison.Ordinal))[Result.Length..].Trim();
    }

    /// <summary>A task of the trainer that does as its settings say, retried once after 0.2 s.</summary>
    public static TaskSpec Scripted(string name, ScriptedSettings settings) =>
        new()
        {
            Name = name,
            Trainer = new TrainerSpec(
                typeof(ScriptedTrainer).FullName!,
                typeof(ScriptedTrainer).Assembly.Location,
                JsonSerializer.SerializeToElement(settings, ScriptedJson.Default.ScriptedSettings)
            ),
            Checkpoint = Often,
            Retry = Soon,
        };

    /// <summary>A task that runs a line of shell, retried once after 0.2 s.</summary>
    public static TaskSpec Shell(string name, string line) =>
        new()
        {
            Name = name,
            Command = ["/bin/sh", "-c", line],
            Retry = Soon,
            Grace = TimeSpan.FromSeconds(1),
        };
}
