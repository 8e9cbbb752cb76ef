using ActorTrainer.Client;
using ActorTrainer.Core.Tasks;
using ActorTrainer.Testing.Processes;
using TaskStatus = ActorTrainer.Core.Tasks.TaskStatus;

namespace ActorTrainer.EndToEnd.Tests;

/// <summary>Nodes whose disks are their own: a machine is lost with everything on it.</summary>
public sealed class MachineLossTests
{
    private const int Tasks = 4;

    [Fact]
    public async Task Node_KilledAndItsDiskDeleted_EveryTaskGoesOnFromItsLastCommittedCheckpoint()
    {
        await using LocalCluster cluster = new(nodes: 3, slots: 4, "actortrainer.checkpoints.copies=2") { OwnDisks = true };
        await cluster.StartAsync();
        List<ObservedTask> tasks = [];
        for (int i = 0; i < Tasks; i++)
        {
            tasks.Add(await ObservedTask.SubmitAsync(cluster, Specs.Scripted($"copied-{i}", new() { UntilFile = GoOf(cluster) })));
        }

        foreach (ObservedTask task in tasks)
        {
            await task.WaitForCheckpointAsync();
        }

        LocalNode victim = cluster.Nodes.Single(node => node.Address == tasks[0].Starts[0].Node);
        await cluster.LoseAsync(victim);

        ObservedTask[] moved = [.. tasks.Where(task => task.Starts[0].Node == victim.Address)];
        foreach (ObservedTask task in moved)
        {
            long committed = task.CommittedStep;
            TaskStarted second = await task.WaitForStartAsync(after: 1);
            second.Node.ShouldNotBe(victim.Address);
            second.RestoredStep.ShouldBeGreaterThanOrEqualTo(committed, task.ToString());
            committed.ShouldBePositive();
        }

        await File.WriteAllTextAsync(GoOf(cluster), "");

        foreach (ObservedTask task in tasks)
        {
            await task.WaitForEndAsync(TaskStatus.Completed);
            await task.ShouldHaveLostNothingAsync();
            task.ShouldHaveTheResultsOfOneRun();
            task.Events.OfType<TaskCheckpointDamaged>().ShouldBeEmpty(task.ToString());
        }
    }

    /// <summary>The copies that were lost are made anew, so that the loss of a second machine costs nothing either.</summary>
    [Fact]
    [Trait("Lane", "Slow")]
    public async Task TwoNodes_LostOneAfterTheOther_EveryTaskGoesOn()
    {
        await using LocalCluster cluster = new(nodes: 3, slots: 4, "actortrainer.checkpoints.copies=2") { OwnDisks = true };
        await cluster.StartAsync();
        ObservedTask ended = await ObservedTask.SubmitAsync(cluster, Specs.Scripted("ended", new() { Steps = 200 }));
        await ended.WaitForEndAsync(TaskStatus.Completed);
        List<ObservedTask> tasks = [];
        for (int i = 0; i < Tasks; i++)
        {
            tasks.Add(await ObservedTask.SubmitAsync(cluster, Specs.Scripted($"twice-{i}", new() { UntilFile = GoOf(cluster) })));
            await tasks[i].WaitForCheckpointAsync();
        }

        await cluster.LoseAsync(cluster.Nodes[0]);
        foreach (ObservedTask task in tasks)
        {
            await task.WaitAsync("trains at another node", t => t.Starts[^1].Node != cluster.Nodes[0].Address);
            await task.WaitForCheckpointAsync();
        }

        LocalNode[] left = [cluster.Nodes[1], cluster.Nodes[2]];
        await cluster.WaitAsync(
            "both nodes have all checkpoints",
            async () =>
                (await cluster.Client.ListCheckpointsAsync()).Checkpoints.All(listing =>
                    left.All(node =>
                        File.Exists(
                            Path.Combine(
                                cluster.DiskOf(node),
                                "checkpoints",
                                listing.Task.Value,
                                "manifests",
                                listing.Checkpoint.Name + ".json"
                            )
                        )
                    )
                ),
            TimeSpan.FromSeconds(90)
        );
        foreach (ObservedTask task in tasks)
        {
            await task.LookAsync();
        }

        await cluster.LoseAsync(cluster.Nodes[1]);
        using ActorTrainerClient last = cluster.ClientOf([cluster.Nodes[2]]);
        foreach (ObservedTask task in tasks)
        {
            await task.WaitAsync("trains at the last node", t => t.Starts[^1].Node == cluster.Nodes[2].Address);
        }

        await File.WriteAllTextAsync(GoOf(cluster), "");
        foreach (ObservedTask task in tasks)
        {
            await task.WaitForEndAsync(TaskStatus.Completed);
            await task.ShouldHaveLostNothingAsync();
            task.ShouldHaveTheResultsOfOneRun();
            task.Events.OfType<TaskCheckpointDamaged>().ShouldBeEmpty(task.ToString());
        }

        CheckpointList kept = await last.ListCheckpointsAsync(ended.Name);
        kept.Checkpoints.ShouldNotBeEmpty();
        foreach (string name in kept.Checkpoints.Select(listing => listing.Checkpoint.Name))
        {
            (await last.VerifyCheckpointAsync(ended.Name, name)).Intact.ShouldBeTrue(name);
        }
    }

    private static string GoOf(LocalCluster cluster) => Path.Combine(cluster.Folder, "go");
}
