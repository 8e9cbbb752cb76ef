using ActorTrainer.Core.Tasks;
using ActorTrainer.Testing.Processes;
using ActorTrainer.Testing.Trainers;
using TaskStatus = ActorTrainer.Core.Tasks.TaskStatus;

namespace ActorTrainer.EndToEnd.Tests;

public sealed class StoreFaultTests
{
    private const int Steps = 900;

    [Fact]
    public async Task NewestCheckpoint_DamagedAndNodeKilled_DamageIsNamedAndTheOneBeforeIsUsed()
    {
        await using LocalCluster cluster = new(nodes: 2);
        await cluster.StartAsync();
        ObservedTask task = await ObservedTask.SubmitAsync(cluster, Specs.Scripted("damaged", new() { Steps = Steps }));
        await task.WaitAsync("three checkpoints", t => t.Checkpoints.Count >= 3);
        int starts = task.Starts.Count;

        // Paused, so that the damage is done before anybody restores, however soon the other node takes over.
        await cluster.Client.PauseAsync("damaged");
        await task.WaitAsync("it was saved and is paused", t => t.Checkpoints[^1].Reason == "pause");
        CheckpointRef newest = task.Checkpoints[^1];
        string pack = newest.Packs.Except(task.Checkpoints[^2].Packs).ShouldHaveSingleItem("a byte of an older pack may be in use no more");
        FlipByte(cluster, pack);
        LocalNode victim = cluster.Nodes.Single(n => n.Address == task.Starts[^1].Node);
        await victim.KillAsync();
        await cluster.WaitAsync(
            "the other node answers for the task",
            async () => (await cluster.Client.ResumeAsync("damaged")) is not null,
            TimeSpan.FromSeconds(60)
        );
        TaskStarted next = await task.WaitForStartAsync(starts);

        next.Node.ShouldNotBe(victim.Address);
        TaskCheckpointDamaged damaged = task.Events.OfType<TaskCheckpointDamaged>().Single();
        damaged.Checkpoint.ShouldBe(newest.Name);
        damaged.Detail.ShouldContain(pack);
        next.RestoredFrom.ShouldBe(task.Checkpoints[task.Checkpoints.ToList().IndexOf(newest) - 1].Name);
        await task.WaitForEndAsync(TaskStatus.Completed);
        task.Events.OfType<TaskCompleted>().Single().Results["sum"].ShouldBe(ScriptedTrainer.SumOf(Steps));
        CommandResult events = await cluster.RunAsync("events", "damaged");
        events.Output.ShouldContain("damaged");
        events.Output.ShouldContain(newest.Name);
    }

    [Fact]
    public async Task Store_CannotBeWritten_TrainingGoesOnTheEventSaysWhyAndItRecoversByItself()
    {
        await using LocalCluster cluster = new(nodes: 1);
        await cluster.StartAsync();
        ObservedTask task = await ObservedTask.SubmitAsync(cluster, Specs.Scripted("store", new() { Steps = Steps }));
        await task.WaitForCheckpointAsync();
        string store = Directory
            .GetDirectories(cluster.StorePath)
            .Single(d => Path.GetFileName(d).StartsWith("store", StringComparison.Ordinal));

        // A file where the task's folder was: nobody can write below it, root neither.
        Directory.Move(store, store + ".away");
        await File.WriteAllTextAsync(store, "in the way");
        await task.WaitAsync("a save fails", t => t.Events.OfType<TaskCheckpointFailed>().Any());
        File.Delete(store);
        Directory.Move(store + ".away", store);
        int saved = task.Checkpoints.Count;
        await task.WaitAsync("it is saved again", t => t.Checkpoints.Count > saved);

        task.Events.OfType<TaskCheckpointFailed>().First().Detail.ShouldContain(cluster.StorePath);
        await task.WaitForEndAsync(TaskStatus.Completed);
        task.Starts.Count.ShouldBe(1, "training goes on without its store");
        task.Events.OfType<TaskCompleted>().Single().Results["sum"].ShouldBe(ScriptedTrainer.SumOf(Steps));
        await task.ShouldHaveLostNothingAsync();
    }

    private static void FlipByte(LocalCluster cluster, string pack)
    {
        string file = Directory
            .EnumerateFiles(cluster.StorePath, "*", SearchOption.AllDirectories)
            .Single(f => f.EndsWith(pack, StringComparison.Ordinal));
        byte[] bytes = File.ReadAllBytes(file);
        bytes[bytes.Length / 2] ^= 1;
        File.WriteAllBytes(file, bytes);
    }
}
