using System.Diagnostics;
using ActorTrainer.Core.Tasks;
using ActorTrainer.Journal;
using ActorTrainer.Runtime.Api;
using ActorTrainer.Testing.Processes;
using ActorTrainer.Testing.Trainers;
using TaskStatus = ActorTrainer.Core.Tasks.TaskStatus;

namespace ActorTrainer.Cluster.Tests;

public sealed class JournalFaultTests
{
    private const int Steps = 1200;

    [Fact]
    public async Task JournalLock_HeldByAnotherProgram_TrainingGoesOnAndNothingIsLost()
    {
        await using LocalCluster cluster = new(nodes: 2);
        await cluster.StartAsync();
        ObservedTask task = await ObservedTask.SubmitAsync(cluster, Specs.Scripted("locked", new() { Steps = Steps }));
        await task.WaitForCheckpointAsync();
        long[] lives = await LivesAsync(cluster);
        long before = (await cluster.Client.GetTaskAsync("locked")).Task.Progress.Step;

        using (Process holder = Process.Start("flock", [Path.ChangeExtension(cluster.JournalPath, ".lock"), "sleep", "8"]))
        {
            await holder.WaitForExitAsync();
            holder.ExitCode.ShouldBe(0);
        }

        await task.WaitForEndAsync(TaskStatus.Completed);
        task.Starts.Count.ShouldBe(1, task.ToString());
        task.Events.OfType<TaskCompleted>().Single().Results["sum"].ShouldBe(ScriptedTrainer.SumOf(Steps));
        await task.ShouldHaveLostNothingAsync();
        (await LivesAsync(cluster)).ShouldBe(lives);
        task.Events.OfType<TaskProgressed>().ShouldContain(e => e.Progress.Step > before);
        (await DoubleWriters.CountAsync(cluster.JournalPath)).ShouldBe(0);
    }

    private static async Task<long[]> LivesAsync(LocalCluster cluster)
    {
        ClusterStatus status = await cluster.Client.GetClusterAsync();
        return [.. status.Members.Where(m => m.Reachable).Select(m => m.Incarnation).Order()];
    }
}
