using ActorTrainer.Client;
using ActorTrainer.Core.Tasks;
using ActorTrainer.Testing.Checkpoints;
using ActorTrainer.Testing.Processes;
using Shouldly;
using TaskStatus = ActorTrainer.Core.Tasks.TaskStatus;

namespace ActorTrainer.Testing.Conformance;

/// <content>Checkpoints that a user chooses.</content>
public sealed partial class ClusterConformance
{
    /// <summary>
    /// Restore: a task goes on from the checkpoint that is named; a new task starts from it, whatever becomes of the first.
    /// </summary>
    public Task Restore_ChosenCheckpoint_GoesOnFromItAndSoDoesANewTask() =>
        OnSharedAsync(async cluster =>
        {
            ActorTrainerClient client = cluster.Client;
            TaskSpec first = Endless(cluster, "goes-back");
            // However long this takes, the one that is chosen is kept.
            ObservedTask task = await ObservedTask.SubmitAsync(
                cluster,
                first with
                {
                    Checkpoint = first.Checkpoint with { KeepLast = 10_000 },
                }
            );
            await task.WaitForCheckpointAsync();
            CheckpointRef chosen = task.Checkpoints[0];
            await client.SaveAsync(task.Name);
            await task.WaitAsync("a checkpoint by request", t => t.Checkpoints.Any(c => c.Reason == "request"));
            (await RefusalAsync(404, () => client.RestoreAsync(task.Name, "c-9-9-zzzzzzzz"))).ShouldContain("checkpoints ls");

            await client.RestoreAsync(task.Name, chosen.Name);

            TaskStarted back = await task.WaitForStartAsync(after: 1);
            (back.RestoredFrom, back.RestoredStep).ShouldBe((chosen.Name, chosen.Step));
            task.Events.OfType<TaskInterrupted>().Single().Reason.ShouldBe(InterruptionReason.GoesBack);

            TaskSpec spec = Endless(cluster, "starts-there") with { FromCheckpoint = chosen.Name };
            (
                await RefusalAsync(404, () => client.SubmitAsync(spec with { Name = "nowhere", FromCheckpoint = "c-9-9-zzzzzzzz" }))
            ).ShouldContain("has a checkpoint 'c-9-9-zzzzzzzz'");
            ObservedTask child = await ObservedTask.SubmitAsync(cluster, spec);
            TaskStarted started = await child.WaitForStartAsync(after: 0);
            started.RestoredStep.ShouldBe(chosen.Step);
            started.RestoredFrom.ShouldNotBe(chosen.Name, "it has a copy of its own");
            (await client.SubmitAsync(spec)).Existed.ShouldBeTrue();

            using TemporaryFolder folder = new();
            CheckpointFiles files = await client.ExportCheckpointAsync(child.Name, started.RestoredFrom!, folder["out"]);
            DiskFolder.Read(folder["out"]).Keys.ShouldBe(files.Files.Select(f => f.Path), ignoreOrder: true);
            files.Files.Sum(f => f.Length).ShouldBe(chosen.Bytes);

            foreach (ObservedTask one in (ObservedTask[])[task, child])
            {
                await client.CancelAsync(one.Name);
                await one.WaitForEndAsync(TaskStatus.Cancelled);
            }
        });
}
