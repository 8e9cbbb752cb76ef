using ActorTrainer.Client;
using ActorTrainer.Core.Membership;
using ActorTrainer.Core.Tasks;
using ActorTrainer.Testing.Processes;
using Shouldly;
using TaskStatus = ActorTrainer.Core.Tasks.TaskStatus;

namespace ActorTrainer.Testing.Conformance;

/// <content>Nodes that are killed or stopped.</content>
public sealed partial class ClusterConformance
{
    /// <summary>Crash: the tasks of a killed node go on elsewhere from their last checkpoint; also when it was the coordinator.</summary>
    public Task Crash_OwnerThenCoordinator_TaskGoesOnElsewhere() =>
        OnSharedAsync(async cluster =>
        {
            ObservedTask task = await SubmitAndSaveAsync(cluster, "crash");
            ObservedTask other = await SubmitAndSaveAsync(cluster, "bystander");

            await KillOwnerAsync(cluster, task);
            await StartStoppedAsync(cluster);
            await task.WaitForCheckpointAsync();
            LocalNode coordinator = await CoordinatorAsync(cluster);
            if (OwnerOf(cluster, task) != coordinator)
            {
                int starts = task.Starts.Count;
                await cluster.Client.MigrateAsync(task.Name, coordinator.Address.ToString());
                await task.WaitForStartAsync(starts);
                await task.WaitForCheckpointAsync();
            }

            await KillOwnerAsync(cluster, task);

            await CompleteAsync(cluster, task);
            await CompleteAsync(cluster, other);
            task.Events.OfType<TaskInterrupted>().Count(e => e.Reason == InterruptionReason.NodeLost).ShouldBe(2, task.ToString());
        });

    /// <summary>Remember: when all nodes were killed at once, what was unfinished goes on by itself, and nothing else does.</summary>
    public Task Remember_AllNodesKilledAtOnce_UnfinishedTasksGoOnByThemselves() =>
        OnSharedAsync(async cluster =>
        {
            ObservedTask done = await SubmitAsync(cluster, "done");
            await CompleteAsync(cluster, done);
            ObservedTask[] tasks = [await SubmitAsync(cluster, "remember1"), await SubmitAsync(cluster, "remember2")];
            ObservedTask paused = await SubmitAsync(cluster, "paused");
            await cluster.Client.PauseAsync(paused.Name);
            foreach (ObservedTask task in tasks)
            {
                await task.WaitForCheckpointAsync();
            }

            (int Starts, long Step)[] before = [.. tasks.Select(t => (t.Starts.Count, t.CommittedStep))];
            foreach (LocalNode node in cluster.Nodes)
            {
                node.Signal(Signals.Kill);
            }

            foreach (LocalNode node in cluster.Nodes)
            {
                await node.KillAsync();
            }

            await StartStoppedAsync(cluster);

            for (int i = 0; i < tasks.Length; i++)
            {
                TaskStarted next = await tasks[i].WaitForStartAsync(before[i].Starts);
                next.RestoredStep.ShouldBeGreaterThanOrEqualTo(before[i].Step, tasks[i].ToString());
            }

            int events = done.Rows.Count;
            await done.LookAsync();
            done.Rows.Count.ShouldBe(events, done.ToString());
            (await cluster.Client.GetTaskAsync(done.Name)).Task.Status.ShouldBe(TaskStatus.Completed);
            await WaitForStatusAsync(cluster, paused, TaskStatus.Paused);
            await cluster.Client.ResumeAsync(paused.Name);
            foreach (ObservedTask task in (ObservedTask[])[.. tasks, paused])
            {
                await CompleteAsync(cluster, task);
            }
        });

    /// <summary>
    /// Fence: a node that was stopped, and found lost, and continues commits nothing any more, accuses nobody, and is back in another life;
    /// its guard has ended its workers by itself meanwhile.
    /// </summary>
    public Task Fence_OwnerStoppedAndContinued_WritesNothingAndComesBack() =>
        OnSharedAsync(async cluster =>
        {
            ObservedTask[] tasks = [await SubmitAndSaveAsync(cluster, "fence1"), await SubmitAndSaveAsync(cluster, "fence2")];
            LocalNode victim = OwnerOf(cluster, tasks[0]);
            using ActorTrainerClient others = Others(cluster, victim);
            Dictionary<string, long> lives = await LivesAsync(others);
            TaskStarted stopped = tasks[0].Starts[^1];
            int starts = tasks[0].Starts.Count;

            await cluster.FreezeAsync(victim);
            TaskStarted next = await tasks[0].WaitForStartAsync(starts, others);
            next.Node.ShouldNotBe(victim.Address);
            await cluster.WaitAsync(
                "the guard has ended the stopped node's worker",
                () => Task.FromResult(ProcessInfo.Read(stopped.Pid) is null),
                Limit
            );
            victim.Signal(Signals.Continue);

            await cluster.WaitAsync(
                "the node is up in another life, and the others in those that they had",
                async () =>
                {
                    Dictionary<string, long> now = await LivesAsync(others);
                    return now.Count == lives.Count
                        && now.All(life => life.Value == lives[life.Key] == (life.Key != victim.Address.ToString()));
                },
                Limit
            );
            await cluster.WaitAsync(
                "every worker belongs to the present run of its task",
                () => WorkersAreThoseOfPresentRunsAsync(cluster, tasks),
                Limit
            );
            foreach (ObservedTask task in tasks)
            {
                await CompleteAsync(cluster, task);
            }
        });

    private static async Task KillOwnerAsync(LocalCluster cluster, ObservedTask task)
    {
        LocalNode victim = OwnerOf(cluster, task);
        using ActorTrainerClient others = Others(cluster, victim);
        await task.LookAsync();
        (int starts, long committed, long term) = (task.Starts.Count, task.CommittedStep, task.Rows[^1].Term);

        await victim.KillAsync();

        TaskStarted next = await task.WaitForStartAsync(starts, others);
        next.Node.ShouldNotBe(victim.Address);
        next.RestoredStep.ShouldBeGreaterThanOrEqualTo(committed, task.ToString());
        task.Events.OfType<TaskActivated>().Last().Term.ShouldBeGreaterThan(term, task.ToString());
        task.Events.OfType<TaskInterrupted>().Last().Reason.ShouldBe(InterruptionReason.NodeLost, task.ToString());
    }

    /// <summary>The node that holds the lease; the first one where none is named.</summary>
    private static async Task<LocalNode> CoordinatorAsync(LocalCluster cluster)
    {
        ClusterStatus status = await cluster.Client.GetClusterAsync();
        MemberView? holder = status.Members.FirstOrDefault(m => m.LeaseHolder);
        return cluster.Nodes.FirstOrDefault(n => n.Address == holder?.Address) ?? cluster.Nodes[0];
    }

    /// <summary>The present life of every node that is up and reachable.</summary>
    private static async Task<Dictionary<string, long>> LivesAsync(ActorTrainerClient client)
    {
        ClusterStatus status = await client.GetClusterAsync();
        return status
            .Members.Where(m => m.State == MemberState.Up && m.Reachable)
            .GroupBy(m => m.Address.ToString())
            .ToDictionary(node => node.Key, node => node.Count() == 1 ? node.Single().Incarnation : 0);
    }

    private static async Task<bool> WorkersAreThoseOfPresentRunsAsync(LocalCluster cluster, ObservedTask[] tasks)
    {
        HashSet<int> expected = [];
        foreach (ObservedTask task in tasks)
        {
            await task.LookAsync();
            expected.Add(task.Starts[^1].Pid);
        }

        // A worker that was a spare has the run in its memory and not where it can be read from outside: spares are counted instead.
        ProcessInfo[] children = [.. cluster.Children()];
        int[] named = [.. children.Where(p => p.Variable("ACTORTRAINER_TASK") is not null).Select(p => p.Pid)];
        int[] spares = [.. children.Where(p => p.Variable("ACTORTRAINER_SPARE") is not null).Select(p => p.Pid)];
        return expected.All(pid => named.Contains(pid) || spares.Contains(pid))
            && named.All(expected.Contains)
            && spares.Except(expected).Count() <= cluster.Nodes.Count(n => n.IsRunning);
    }
}
