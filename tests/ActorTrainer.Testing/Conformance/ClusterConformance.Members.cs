using ActorTrainer.Client;
using ActorTrainer.Core.Membership;
using ActorTrainer.Core.Tasks;
using ActorTrainer.Testing.Processes;
using Shouldly;
using TaskStatus = ActorTrainer.Core.Tasks.TaskStatus;

namespace ActorTrainer.Testing.Conformance;

/// <content>Nodes that join and leave in order.</content>
public sealed partial class ClusterConformance
{
    private static readonly TimeSpan ExitLimit = TimeSpan.FromSeconds(60);

    /// <summary>Join: a new node is seen by all and runs what waited for slots.</summary>
    public async Task Join_TaskWaitsForSlots_RunsOnTheNewNode()
    {
        await using LocalCluster cluster = NewCluster(nodes: 2, slots: 1);
        cluster.Nodes[0].Start();
        await cluster.WaitForNodesAsync();
        ObservedTask first = await SubmitAndSaveAsync(cluster, "first");
        ObservedTask second = await SubmitAsync(cluster, "second");
        await cluster.WaitAsync(
            "the second waits",
            async () => (await cluster.Client.GetTaskAsync("second")).Task.Status == TaskStatus.Pending,
            Limit
        );

        cluster.Nodes[1].Start();

        await second.WaitForStartAsync(after: 0);
        foreach (LocalNode node in cluster.Nodes)
        {
            using ActorTrainerClient client = ClientOf(node);
            await cluster.WaitAsync(
                $"node {node.Number} sees both up",
                async () =>
                    (await client.GetClusterAsync())
                        .Members.Where(m => m.State == MemberState.Up)
                        .Select(m => m.Address)
                        .Order()
                        .SequenceEqual(cluster.Nodes.Select(n => n.Address).Order()),
                Limit
            );
        }

        await first.LookAsync();
        OwnerOf(cluster, first).ShouldNotBe(OwnerOf(cluster, second), $"{first}\n{second}");
        await CompleteAsync(cluster, first);
        await CompleteAsync(cluster, second);
    }

    /// <summary>Rebalance: running tasks that have settled even out over a node that joins, each from a checkpoint taken for it.</summary>
    public async Task Rebalance_NodeJoinsAFullOne_TasksEvenOutAndLoseNoStep()
    {
        await using LocalCluster cluster = NewCluster(nodes: 2, slots: 4, "actortrainer.sharding.balance-after=2 s");
        cluster.Nodes[0].Start();
        await cluster.WaitForNodesAsync();
        ObservedTask[] tasks = [];
        for (int i = 1; i <= 4; i++)
        {
            tasks = [.. tasks, await SubmitAsync(cluster, $"even{i}")];
        }

        foreach (ObservedTask task in tasks)
        {
            await task.WaitForCheckpointAsync();
        }

        cluster.Nodes[1].Start();

        await cluster.WaitAsync(
            "two tasks run on each node",
            async () =>
            {
                foreach (ObservedTask task in tasks)
                {
                    await task.LookAsync();
                }

                TaskView[] views = [.. (await cluster.Client.ListTasksAsync(unfinished: true)).Tasks];
                return views.All(v => v.Status == TaskStatus.Running) && tasks.Count(t => OwnerOf(cluster, t).Number == 2) == 2;
            },
            Limit
        );
        foreach (ObservedTask task in tasks)
        {
            if (OwnerOf(cluster, task).Number == 2)
            {
                ShouldHaveSavedOnTheWayOut(task, task.Starts[^1]);
            }

            await CompleteAsync(cluster, task);
        }
    }

    /// <summary>Leave: a node that is asked to end by SIGTERM saves its tasks, hands them over and ends with 0.</summary>
    public Task Leave_BySignal_TasksGoOnElsewhereAndNoStepIsDoneAgain() =>
        OnSharedAsync(async cluster =>
        {
            ObservedTask task = await SubmitAndSaveAsync(cluster, "leave");
            LocalNode leaving = OwnerOf(cluster, task);

            leaving.Signal(Signals.Terminate);

            await ShouldHaveLeftAsync(cluster, leaving, task);
        });

    /// <summary>Drain: the same by command through another node, which answers when the node is empty.</summary>
    public Task Drain_ThroughAnotherNode_AnswersWhenTheNodeIsEmpty() =>
        OnSharedAsync(async cluster =>
        {
            ObservedTask task = await SubmitAndSaveAsync(cluster, "drain");
            LocalNode drained = OwnerOf(cluster, task);
            using ActorTrainerClient others = Others(cluster, drained);

            await others.DrainAsync(drained.Address.ToString());

            await ShouldHaveLeftAsync(cluster, drained, task);
        });

    private static async Task ShouldHaveLeftAsync(LocalCluster cluster, LocalNode node, ObservedTask task)
    {
        await ShouldEndWellAsync(node);
        using ActorTrainerClient others = Others(cluster, node);
        TaskStarted next = await task.WaitForStartAsync(after: 1, others);
        next.Node.ShouldNotBe(node.Address);
        ShouldHaveSavedOnTheWayOut(task, next);
        await cluster.WaitAsync(
            "it is no member any more",
            async () => !(await others.GetClusterAsync()).Members.Any(m => m.Address == node.Address && IsThere(m)),
            Limit
        );
        await CompleteAsync(cluster, task);
    }

    private static async Task ShouldEndWellAsync(LocalNode node)
    {
        using CancellationTokenSource limit = new(ExitLimit, TimeProvider.System);
        int exitCode = await node.WaitForExitAsync(limit.Token);
        exitCode.ShouldBe(0);
    }
}
