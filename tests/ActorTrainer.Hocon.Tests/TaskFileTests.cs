using ActorTrainer.Core.Checkpoints;
using ActorTrainer.Core.Configuration;
using ActorTrainer.Core.Tasks;

namespace ActorTrainer.Hocon.Tests;

public sealed class TaskFileTests : IDisposable
{
    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Read_FileWithOverrides_OverridesWin()
    {
        string file = _folder.Write("t.conf", "task { name = a, command = \"x\", priority = 1, environment.LR = ${?LR} }");

        TaskSpec spec = TaskFile.Read(
            file,
            [
                new ConfigOverride("task.priority", "5", "flag --priority"),
                new ConfigOverride("task.command", "[\"y\", z]", "flag --command"),
            ],
            new Dictionary<string, string> { ["LR"] = "0.5" }
        );

        (spec.Priority, spec.Environment["LR"]).ShouldBe((5, "0.5"));
        spec.Command.ShouldBe(["y", "z"]);
    }

    [Fact]
    public void Read_ExampleOfTheDocumentation_ShowsTheDefaults()
    {
        string text = File.ReadAllText(Path.Combine(TestFolder.Repository(), "docs", "formats", "configuration.md"));
        int start = text.IndexOf("\ntask {", StringComparison.Ordinal);
        string file = _folder.Write("t.conf", text[start..text.IndexOf("```", start, StringComparison.Ordinal)]);

        TaskSpec spec = TaskFile.Read(file);

        spec.Command.ShouldBe(["python3", "train.py"]);
        spec.WorkingDirectory.ShouldBe(_folder.Path);
        spec.Retry.Rules.Count.ShouldBe(2);
        TaskSpec defaults = new()
        {
            Name = spec.Name,
            Command = spec.Command,
            WorkingDirectory = spec.WorkingDirectory,
            Environment = spec.Environment,
            Secrets = new Dictionary<string, string> { ["HF_TOKEN"] = "file:/run/secrets/hf" },
            Umask = "022",
            Checkpoint = new CheckpointSpec
            {
                BestMetric = "accuracy",
                BestIsLargest = true,
                WarnAfter = new CheckpointSpec().WarnsAfter(),
                MaxOverhead = SavePacePolicy.DefaultMaxOverhead,
            },
            Retry = new RetrySpec { Rules = spec.Retry.Rules },
        };
        TaskSpecHash.Compute(spec).ShouldBe(TaskSpecHash.Compute(defaults));
    }

    [Fact]
    public void Read_Mistake_NamesFileAndPlace()
    {
        string file = _folder.Write("t.conf", "task {\n  name = a\n  comand = x\n}");

        Should
            .Throw<ConfigException>(() => TaskFile.Read(file))
            .Message.ShouldBe($"{file}:3:3: task.comand is not a known key. Did you mean task.command?");
    }
}
