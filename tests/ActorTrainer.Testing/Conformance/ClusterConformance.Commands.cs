using ActorTrainer.Client;
using ActorTrainer.Core.Tasks;
using ActorTrainer.Testing.Processes;
using Shouldly;
using TaskStatus = ActorTrainer.Core.Tasks.TaskStatus;

namespace ActorTrainer.Testing.Conformance;

/// <content>Submitting, commands and their answers.</content>
public sealed partial class ClusterConformance
{
    private const string OtherSpec = "another specification";

    /// <summary>
    /// Submit: the same name and specification are one task, whichever nodes are asked and when; another specification is refused.
    /// </summary>
    public Task Submit_SameNameOnAllNodesAtOnce_IsOneTask() =>
        OnSharedAsync(async cluster =>
        {
            ActorTrainerClient[] clients = [.. cluster.Nodes.Select(ClientOf)];
            TaskSpec spec = Endless(cluster, "twin");

            CommandAccepted[] answers = await Task.WhenAll(clients.SelectMany(c => new[] { c, c }).Select(c => c.SubmitAsync(spec)));

            // None is left when the answer that created it was lost and the client asked again.
            answers.Count(a => !a.Existed).ShouldBeLessThanOrEqualTo(1);
            answers.Select(a => a.Task).Distinct().Count().ShouldBe(1);
            foreach (ActorTrainerClient client in clients)
            {
                (await client.SubmitAsync(spec)).ShouldBe(new CommandAccepted(answers[0].Task, Existed: true));
                (await RefusalAsync(409, () => client.SubmitAsync(spec with { Priority = 3 }))).ShouldContain(OtherSpec);
            }

            (await cluster.Client.ListTasksAsync()).Tasks.Count(t => t.Name == "twin").ShouldBe(1);
            await CompleteAsync(cluster, new ObservedTask(cluster, "twin"));
            (await clients[0].SubmitAsync(spec)).Existed.ShouldBeTrue("its name is taken for ever");
            Array.ForEach(clients, c => c.Dispose());
        });

    /// <summary>Submit: of two specifications under one name at the same moment one is taken.</summary>
    public Task Submit_TwoSpecificationsAtOnce_OneIsRefused() =>
        OnSharedAsync(async cluster =>
        {
            TaskSpec spec = Endless(cluster, "rivals");
            Task<CommandAccepted>[] both =
            [
                .. cluster
                    .Nodes.Take(2)
                    .Select(
                        async (node, i) =>
                        {
                            using ActorTrainerClient client = ClientOf(node);
                            return await client.SubmitAsync(spec with { Priority = i });
                        }
                    ),
            ];

            await Task.WhenAll(both).ContinueWith(_ => { }, TaskScheduler.Default);

            Task<CommandAccepted> lost = both.Single(t => t.IsFaulted);
            lost.Exception!.InnerException.ShouldBeOfType<ActorTrainerApiException>().Problem.ShouldContain(OtherSpec);
            int winner = Array.FindIndex(both, t => t.IsCompletedSuccessfully);
            (await cluster.Client.GetTaskAsync("rivals")).Spec!.Priority.ShouldBe(winner);
            await cluster.Client.CancelAsync("rivals");
            await new ObservedTask(cluster, "rivals").WaitForEndAsync(TaskStatus.Cancelled);
        });

    /// <summary>Replies: what can be done is accepted and done, what cannot is refused with the reason.</summary>
    public Task Replies_EveryCommand_IsAcceptedOrRefusedWithTheReason() =>
        OnSharedAsync(async cluster =>
        {
            ActorTrainerClient client = cluster.Client;
            (await RefusalAsync(404, () => client.PauseAsync("nobody"))).ShouldContain("nobody");
            (await RefusalAsync(404, () => client.GetTaskAsync("nobody"))).ShouldContain("nobody");
            (
                await RefusalAsync(409, () => client.SubmitAsync(Specs.Shell("gone", "true") with { Command = ["/no/such/program"] }))
            ).ShouldContain("/no/such/program");
            ObservedTask task = await SubmitAndSaveAsync(cluster, "replies");

            await client.SaveAsync(task.Name);
            await task.WaitAsync("a checkpoint by request", t => t.Checkpoints.Any(c => c.Reason == "request"));
            await client.PauseAsync(task.Name);
            await task.WaitAsync("a checkpoint by pause", t => t.Checkpoints[^1].Reason == "pause");
            await WaitForStatusAsync(cluster, task, TaskStatus.Paused);
            (await RefusalAsync(409, () => client.SaveAsync(task.Name))).ShouldContain("not training");
            (await RefusalAsync(404, () => client.MigrateAsync(task.Name, "127.0.0.1:1"))).ShouldContain("127.0.0.1:1");
            await client.ResumeAsync(task.Name);
            TaskStarted second = await task.WaitForStartAsync(after: 1);
            second.RestoredStep.ShouldBe(task.Checkpoints.Last(c => c.Reason == "pause").Step, "a paused task does no step");
            await CompleteAsync(cluster, task);
            (await RefusalAsync(409, () => client.PauseAsync(task.Name))).ShouldContain("completed");
            (await RefusalAsync(409, () => client.CancelAsync(task.Name))).ShouldContain("completed");
            (await RefusalAsync(409, () => client.ResumeAsync(task.Name))).ShouldContain("completed");
            (await RefusalAsync(409, () => client.MigrateAsync(task.Name))).ShouldContain("completed");

            ObservedTask ended = await SubmitAsync(cluster, "ended");
            await client.CancelAsync(ended.Name);
            await ended.WaitForEndAsync(TaskStatus.Cancelled);
            (await RefusalAsync(409, () => client.ResumeAsync(ended.Name))).ShouldContain("cancelled");
        });

    /// <summary>Forward: whichever node is asked, the owner does it, and all say the same of the task.</summary>
    public Task Forward_AnyNodeAsked_OwnerDoesIt() =>
        OnSharedAsync(async cluster =>
        {
            TaskSpec spec = Endless(cluster, "forward") with
            {
                Checkpoint = new CheckpointSpec { Strategy = CheckpointStrategy.Interval, Interval = TimeSpan.FromHours(1) },
            };
            ObservedTask task = await ObservedTask.SubmitAsync(cluster, spec);
            await cluster.WaitAsync("it trains", async () => (await cluster.Client.GetTaskAsync(task.Name)).Task.Progress.Step > 0, Limit);
            int saves = 0;
            foreach (LocalNode node in cluster.Nodes)
            {
                using ActorTrainerClient client = ClientOf(node);
                await client.SaveAsync(task.Name);
                saves++;
                await task.WaitAsync($"save {saves}", t => t.Checkpoints.Count(c => c.Reason == "request") == saves, client);
                (await client.GetTaskAsync(task.Name)).Owner.ShouldBe(task.Starts[^1].Node);
                (await client.ListEventsAsync(task.Name))
                    .Events.Select(e => e.Sequence)
                    .Take(task.Rows.Count)
                    .ShouldBe(task.Rows.Select(r => r.Sequence));
            }

            task.Starts.Count.ShouldBe(1, task.ToString());
            await CompleteAsync(cluster, task);
        });

    /// <summary>Migrate: a task goes to the node that was named, from the checkpoint taken for it.</summary>
    public Task Migrate_ToANode_GoesOnThereFromWhereItStopped() =>
        OnSharedAsync(async cluster =>
        {
            ObservedTask task = await SubmitAndSaveAsync(cluster, "migrate");
            LocalNode owner = OwnerOf(cluster, task);
            (LocalNode target, LocalNode asked) = cluster.Nodes.Where(n => n != owner).ToArray() is [var first, var second]
                ? (first, second)
                : default;
            using (ActorTrainerClient client = ClientOf(asked))
            {
                await client.MigrateAsync(task.Name, target.Address.ToString());
            }

            TaskStarted next = await task.WaitForStartAsync(after: 1);

            next.Node.ShouldBe(target.Address);
            ShouldHaveSavedOnTheWayOut(task, next);
            await CompleteAsync(cluster, task);
            task.Starts.Count.ShouldBe(2, task.ToString());
        });

    /// <summary>A run that was handed over saved on its way out and stopped at that step: nothing is done again.</summary>
    private static void ShouldHaveSavedOnTheWayOut(ObservedTask task, TaskStarted next)
    {
        List<TaskEvent> before = [.. task.Events.TakeWhile(e => e != next)];
        CheckpointRef last = before.OfType<TaskCheckpointed>().Last().Checkpoint;
        next.RestoredFrom.ShouldBe(last.Name, task.ToString());
        last.Reason.ShouldBeOneOf(["migration", "drain"], task.ToString());
        before
            .OfType<TaskProgressed>()
            .Select(e => e.Progress.Step)
            .DefaultIfEmpty(0)
            .Max()
            .ShouldBeLessThanOrEqualTo(last.Step, task.ToString());
        before.OfType<TaskInterrupted>().Last().Reason.ShouldBe(InterruptionReason.Migrated, task.ToString());
    }

    /// <summary>What lists and views say follows the journal within moments.</summary>
    private static Task WaitForStatusAsync(LocalCluster cluster, ObservedTask task, TaskStatus status) =>
        cluster.WaitAsync(
            $"{task.Name} is shown as {status}",
            async () => (await cluster.Client.GetTaskAsync(task.Name)).Task.Status == status,
            Limit
        );
}
