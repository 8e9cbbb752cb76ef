using ActorTrainer.Core.Configuration;
using ActorTrainer.Core.Tasks;
using ActorTrainer.Hocon;
using ActorTrainer.Samples.Digits;
using ActorTrainer.Training.Discovery;

namespace ActorTrainer.Training.Tests;

public sealed class SampleFilesTests
{
    private static readonly string Samples = FindSamples();

    [Fact]
    public void DigitsConf_IsATaskWhoseTrainerExists()
    {
        TaskSpec task = Read("Digits/digits.conf");

        task.Name.ShouldBe("digits");
        task.Checkpoint.Strategy.ShouldBe(CheckpointStrategy.Hybrid);
        task.Checkpoint.Interval.ShouldBe(TimeSpan.FromSeconds(3));
        task.Checkpoint.EpochInterval.ShouldBe(1);
        TrainerSpec trainer = task.Trainer.ShouldNotBeNull();
        trainer.Assembly.ShouldBe(Path.Combine(Samples, "Digits", "bin", "Release", "net10.0", "Digits.dll"));
        TrainerInspector.Check(trainer with { Assembly = typeof(DigitsTrainer).Assembly.Location }).ShouldBeNull();
        DigitsSettings.Read(new TrainerContext("digits", "/tmp", trainer.Settings)).Seed.ShouldBe(1UL);
    }

    [Fact]
    public void TrainConf_RunsTheScriptBesideIt()
    {
        TaskSpec task = Read("PyTorch/train.conf");

        task.Command.ShouldBe(["python3", "train.py", "--seed", "1"]);
        task.WorkingDirectory.ShouldBe(Path.Combine(Samples, "PyTorch"));
        File.Exists(Path.Combine(task.WorkingDirectory!, "train.py")).ShouldBeTrue();
    }

    [Fact]
    public void CommandConf_RunsTheScriptBesideIt()
    {
        TaskSpec task = Read("Command/command.conf");

        task.Command.ShouldBe(["sh", "watch.sh", "30"]);
        task.WorkingDirectory.ShouldBe(Path.Combine(Samples, "Command"));
        File.Exists(Path.Combine(task.WorkingDirectory!, "watch.sh")).ShouldBeTrue();
        task.Retry.MaxAttempts.ShouldBe(3);
    }

    private static TaskSpec Read(string file) =>
        TaskSpecReader.Read(
            HoconReader.ReadFile(Path.Combine(Samples, file), new Dictionary<string, string>()),
            ConfigPaths.Resolver(Samples)
        );

    private static string FindSamples()
    {
        string? folder = AppContext.BaseDirectory;
        while (folder is not null && !File.Exists(Path.Combine(folder, "ActorTrainer.sln")))
        {
            folder = Path.GetDirectoryName(folder);
        }

        return Path.Combine(folder ?? throw new DirectoryNotFoundException("the repository's root"), "samples");
    }
}
