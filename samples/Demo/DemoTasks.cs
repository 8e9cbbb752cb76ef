using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using ActorTrainer.Core.Tasks;

namespace ActorTrainer.Samples.Demo;

/// <summary>What the demo trains.</summary>
internal static class DemoTasks
{
    public const string PyTorchName = "pytorch";

    public const double LeastAccuracy = 0.96;

    private const int Count = 6;

    // About a quarter of the sample's own size, so that six tasks and their six references fit into a demo.
    private static readonly (string Name, string Value)[] Sizes = [("hidden", "256"), ("views", "16"), ("epochs", "12")];

    public static IEnumerable<(TaskSpec Spec, int Seed)> Digits(DemoPaths paths) =>
        from seed in Enumerable.Range(1, Count)
        select (
            new TaskSpec
            {
                Name = string.Create(CultureInfo.InvariantCulture, $"digits-{seed}"),
                Priority = (Count + 1 - seed) * 10,
                Trainer = new TrainerSpec("ActorTrainer.Samples.Digits.DigitsTrainer", paths.DigitsAssembly, Settings(seed)),
                Checkpoint = new CheckpointSpec { Strategy = CheckpointStrategy.Interval, Interval = TimeSpan.FromSeconds(2) },
            },
            seed
        );

    /// <summary>The arguments with which the sample trains the same thing alone.</summary>
    public static IEnumerable<string> ReferenceArguments(int seed) =>
        ["--seed", seed.ToString(CultureInfo.InvariantCulture), .. Sizes.SelectMany(size => new[] { "--" + size.Name, size.Value })];

    public static TaskSpec PyTorch(DemoPaths paths, string python) =>
        new()
        {
            Name = PyTorchName,
            Priority = 35,
            Command = [python, paths.PyTorchScript, "--seed", "1", "--epochs", "12", "--hidden", "256", "--save-every", "2"],
            WorkingDirectory = Path.GetDirectoryName(paths.PyTorchScript),
        };

    private static JsonElement Settings(int seed)
    {
        JsonObject settings = new() { ["seed"] = seed };
        foreach ((string name, string value) in Sizes)
        {
            settings[name] = int.Parse(value, CultureInfo.InvariantCulture);
        }

        using JsonDocument document = JsonDocument.Parse(settings.ToJsonString());
        return document.RootElement.Clone();
    }
}
