using ActorTrainer.Client;
using ActorTrainer.Core.Configuration;
using ActorTrainer.Core.Tasks;
using ActorTrainer.Testing.Processes;
using ActorTrainer.Testing.Trainers;
using TaskStatus = ActorTrainer.Core.Tasks.TaskStatus;

namespace ActorTrainer.Cluster.Tests.Released;

/// <summary>A node of this version that goes on with what one of a released version has left behind.</summary>
[Trait("Lane", "Slow")]
public sealed class ReleasedNodeTests
{
    public static TheoryData<string> Versions() => [.. ReleasedJournal.Versions];

    [Fact]
    public async Task Journal_OfThisVersion_IsWrittenWhenAsked()
    {
        if (ReleasedJournal.IsWanted)
        {
            await using LocalCluster cluster = ReleaseScenario.NewCluster(maxFinished: 3);
            await ReleaseScenario.PlayAsync(cluster);
            await ReleasedJournal.WriteAsync(cluster);
        }
    }

    [Theory]
    [MemberData(nameof(Versions))]
    public async Task Node_OnAReleasedJournal_GoesOnWithItsTasks(string version)
    {
        await using LocalCluster cluster = ReleaseScenario.NewCluster(maxFinished: 100);
        NodeModel place = new() { Journal = new JournalModel { Path = cluster.JournalPath } };
        await ReleasedJournal.RestoreAsync(version, place, cluster.Folder);
        await ReleasedJournal.RestoreCheckpointsAsync(version, cluster.StorePath);

        await cluster.StartAsync();

        await ShouldListAllAsync(cluster);
        await ShouldReadWhatHasEndedAsync(cluster);
        await ShouldTrainOnAsync(cluster);
        await ShouldTakeCommandsAsync(cluster);
    }

    private static async Task ShouldListAllAsync(LocalCluster cluster)
    {
        IReadOnlyList<TaskView> tasks = (await cluster.Client.ListTasksAsync()).Tasks;
        tasks.Select(t => t.Name).ShouldBe(ReleaseScenario.Expected.Keys, ignoreOrder: true);
        foreach (TaskView task in tasks.Where(t => t.Name is not (ReleaseScenario.Running or ReleaseScenario.Waiting)))
        {
            task.Status.ShouldBe(ReleaseScenario.Expected[task.Name], task.Name);
        }
    }

    private static async Task ShouldReadWhatHasEndedAsync(LocalCluster cluster)
    {
        TaskDetails completed = await cluster.Client.GetTaskAsync(ReleaseScenario.Completed);
        completed.Task.Results.ShouldNotBeNull()["sum"].ShouldBe(ScriptedTrainer.SumOf(ReleaseScenario.Steps));
        (await cluster.Client.GetMetricsAsync(ReleaseScenario.Completed)).Points[^1].Metrics.ShouldContainKey("loss");
        (await cluster.Client.ListEventsAsync(ReleaseScenario.Completed)).Events[^1].Event.ShouldBeOfType<TaskCompleted>();

        TaskDetails failed = await cluster.Client.GetTaskAsync(ReleaseScenario.Failed);
        failed.Task.ExitCode.ShouldBe(7);
        CommandAccepted again = await cluster.Client.SubmitAsync(failed.Spec.ShouldNotBeNull());
        again.ShouldBe(new CommandAccepted(failed.Task.Task, Existed: true), "a specification has the hash that it had");
    }

    /// <summary>The task that ran when its node was killed goes on from its newest checkpoint.</summary>
    private static async Task ShouldTrainOnAsync(LocalCluster cluster)
    {
        ObservedTask running = new(cluster, ReleaseScenario.Running);
        (await cluster.Client.GetMetricsAsync(running.Name)).Points.ShouldNotBeEmpty();
        TaskStarted next = await running.WaitForStartAsync(after: 1);
        next.RestoredFrom.ShouldBe(running.Checkpoints[^1].Name, running.ToString());
        await File.WriteAllTextAsync(ReleaseScenario.EndFile(cluster.Folder), "");
        TaskView ended = await running.WaitForEndAsync(TaskStatus.Completed);
        ended.Results.ShouldNotBeNull()["sum"].ShouldBe(ScriptedTrainer.SumOf(ended.Progress.Step));
        await running.ShouldHaveLostNothingAsync();
    }

    private static async Task ShouldTakeCommandsAsync(LocalCluster cluster)
    {
        ObservedTask waiting = new(cluster, ReleaseScenario.Waiting);
        await waiting.WaitForEndAsync(TaskStatus.Completed);

        await cluster.Client.ResumeAsync(ReleaseScenario.Paused);
        await new ObservedTask(cluster, ReleaseScenario.Paused).WaitForEndAsync(TaskStatus.Completed);

        await cluster.Client.ResumeAsync(ReleaseScenario.Folded);
        await new ObservedTask(cluster, ReleaseScenario.Folded).WaitForEndAsync(TaskStatus.Completed);

        await cluster.Client.ResumeAsync(ReleaseScenario.Held);
        await new ObservedTask(cluster, ReleaseScenario.Held).WaitForEndAsync(TaskStatus.Held);

        await cluster.Client.CancelAsync(ReleaseScenario.Retrying);
        await new ObservedTask(cluster, ReleaseScenario.Retrying).WaitForEndAsync(TaskStatus.Cancelled);
    }
}
