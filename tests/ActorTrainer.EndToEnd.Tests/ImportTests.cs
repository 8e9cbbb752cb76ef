using ActorTrainer.Core.Checkpoints;
using ActorTrainer.Core.Tasks;
using ActorTrainer.Testing.Checkpoints;
using ActorTrainer.Testing.Processes;
using ActorTrainer.Testing.Trainers;
using ActorTrainer.Training;
using TaskStatus = ActorTrainer.Core.Tasks.TaskStatus;

namespace ActorTrainer.EndToEnd.Tests;

/// <summary>A state that leaves the cluster as a file, is changed by another program, and comes back.</summary>
public sealed class ImportTests
{
    [Fact]
    public async Task Import_StateOfAnotherProgram_TheTrainerGoesOnFromIt()
    {
        await using LocalCluster cluster = new(nodes: 1);
        await cluster.StartAsync();
        ObservedTask task = await ObservedTask.SubmitAsync(cluster, Specs.Scripted("counts", new() { Steps = 5000 }));
        await task.WaitForCheckpointAsync();
        CommandResult refused = await cluster.RunAsync("checkpoints", "import", TensorFile.EveryKind, "--task", "counts");
        (refused.ExitCode, refused.Error.Contains("runs; pause it", StringComparison.Ordinal)).ShouldBe((1, true), refused.Error);
        (await cluster.RunAsync("tasks", "pause", "counts")).ExitCode.ShouldBe(0);
        await task.WaitAsync("what it saved for the pause", t => t.Checkpoints.Any(c => c.Reason == CheckpointReasons.Pause));

        // What was exported is imported; then a state that only this test has made, 20 steps before the end.
        string exported = Path.Combine(cluster.Folder, "counts.safetensors");
        CommandResult export = await cluster.RunAsync("checkpoints", "export", "counts", exported, "--format", "safetensors");
        export.ExitCode.ShouldBe(0, export.Error);
        CommandResult same = await cluster.RunAsync("checkpoints", "import", exported, "--task", "counts");
        same.ExitCode.ShouldBe(0, same.Error);
        await task.LookAsync();
        long saved = task.Checkpoints[^2].Step;
        (task.Checkpoints[^1].Step, task.Checkpoints[^1].Reason).ShouldBe((saved, CheckpointReasons.Imported));
        string state = Path.Combine(cluster.Folder, "mine");
        using (CheckpointWriter writer = new(state))
        {
            writer.WriteTensor(
                "state",
                new[] { 4980L, long.Parse(ScriptedTrainer.SumOf(4980), System.Globalization.CultureInfo.InvariantCulture) }
            );
            writer.Complete();
        }

        CommandResult mine = await cluster.RunAsync("checkpoints", "import", state, "--task", "counts", "--step", "4980");
        mine.ExitCode.ShouldBe(0, mine.Error);
        CommandResult list = await cluster.RunAsync("checkpoints", "ls", "counts");
        list.Output.Split('\n').Count(line => line.Contains("imported", StringComparison.Ordinal)).ShouldBe(2, list.Output);
        CommandResult verify = await cluster.RunAsync("checkpoints", "verify", "--all");
        (verify.ExitCode, verify.Error.Contains("all intact", StringComparison.Ordinal)).ShouldBe((0, true), verify.Error + verify.Output);

        (await cluster.RunAsync("tasks", "resume", "counts")).ExitCode.ShouldBe(0);
        _ = await task.WaitForEndAsync(TaskStatus.Completed);

        task.Starts.Select(start => start.RestoredStep).ShouldBe([0, 4980]);
        task.Events.OfType<TaskCompleted>().Single().Results["sum"].ShouldBe(ScriptedTrainer.SumOf(5000));
        string arrivals = Directory.EnumerateDirectories(cluster.Folder, "import", SearchOption.AllDirectories).ShouldHaveSingleItem();
        Directory.EnumerateFileSystemEntries(arrivals).ShouldBeEmpty("all of it is in the store");
    }
}
