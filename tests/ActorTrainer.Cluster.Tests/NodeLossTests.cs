using ActorTrainer.Core.Membership;
using ActorTrainer.Core.Tasks;
using ActorTrainer.Journal;
using ActorTrainer.Runtime.Api;
using ActorTrainer.Runtime.Client;
using ActorTrainer.Testing.Processes;
using ActorTrainer.Testing.Trainers;
using TaskStatus = ActorTrainer.Core.Tasks.TaskStatus;

namespace ActorTrainer.Cluster.Tests;

public sealed class NodeLossTests
{
    private const int Steps = 700;
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan Silence = TimeSpan.FromSeconds(12);

    [Fact]
    public async Task Node_Killed_ItsTasksGoOnElsewhereFromTheirLastCheckpoint()
    {
        await using LocalCluster cluster = new(nodes: 3);
        await cluster.StartAsync();
        ObservedTask[] tasks = await SubmitAsync(cluster, 3);
        LocalNode victim = NodeOf(cluster, tasks[0].Starts[^1]);
        using ActorTrainerClient others = Others(cluster, victim);
        int[] starts = [.. tasks.Select(t => t.Starts.Count)];
        bool[] hit = [.. tasks.Select(t => t.Starts[^1].Node == victim.Address)];

        await victim.KillAsync();

        for (int i = 0; i < tasks.Length; i++)
        {
            if (hit[i])
            {
                TaskStarted next = await tasks[i].WaitForStartAsync(starts[i], others);
                next.Node.ShouldNotBe(victim.Address);
                next.RestoredStep.ShouldBeGreaterThan(0);
            }

            await tasks[i].WaitForEndAsync(TaskStatus.Completed);
            tasks[i].Events.OfType<TaskInterrupted>().Count(e => e.Reason == InterruptionReason.NodeLost).ShouldBe(hit[i] ? 1 : 0, tasks[i].ToString());
            tasks[i].Events.OfType<TaskRetryScheduled>().ShouldBeEmpty("the loss of a node is no failure of the task");
            tasks[i].Events.OfType<TaskCompleted>().Single().Results["sum"].ShouldBe(ScriptedTrainer.SumOf(Steps));
            await tasks[i].ShouldHaveLostNothingAsync();
        }
    }

    [Fact]
    public async Task Node_StoppedAndContinued_IsFencedAccusesNobodyAndJoinsAgain()
    {
        await using LocalCluster cluster = new(nodes: 3);
        await cluster.StartAsync();
        ObservedTask[] tasks = await SubmitAsync(cluster, 3, steps: 3000);
        LocalNode victim = NodeOf(cluster, tasks[0].Starts[^1]);
        using ActorTrainerClient others = Others(cluster, victim);
        long[] lives = [.. (await others.GetClusterAsync()).Members.Where(m => m.Address != victim.Address).Select(m => m.Incarnation).Order()];
        int starts = tasks[0].Starts.Count;

        long stoppedAt = TimeProvider.System.GetTimestamp();
        victim.Signal(Signals.Stop);
        TaskStarted next = await tasks[0].WaitForStartAsync(starts, others);
        next.Node.ShouldNotBe(victim.Address);
        await cluster.WaitAsync("the node was silent for long", () => Task.FromResult(TimeProvider.System.GetElapsedTime(stoppedAt) > Silence), Limit);
        victim.Signal(Signals.Continue);

        await cluster.WaitAsync(
            "the node that was stopped is up in a new life, and the others in the lives that they had",
            async () =>
            {
                ClusterStatus status = await others.GetClusterAsync();
                MemberView[] up = [.. status.Members.Where(m => m.State == MemberState.Up && m.Reachable)];
                return up.Length == 3 && up.Any(m => m.Address == victim.Address && m.Incarnation > next.Incarnation && m.Incarnation > lives[^1]);
            },
            Limit);
        long[] now = [.. (await others.GetClusterAsync()).Members.Where(m => m.Address != victim.Address && m.State == MemberState.Up).Select(m => m.Incarnation).Order()];
        now.ShouldBe(lives, "the node that was stopped accused nobody");
        await cluster.WaitAsync("every worker belongs to the present run of its task", () => WorkersAreThoseOfPresentRunsAsync(cluster, tasks), Limit);
        foreach (ObservedTask task in tasks)
        {
            await task.LookAsync();
            task.IsEnded.ShouldBeFalse(task.ToString());
            task.Events.OfType<TaskRetryScheduled>().ShouldBeEmpty(task.ToString());
            await task.ShouldHaveLostNothingAsync();
        }

        (await DoubleWriters.CountAsync(cluster.JournalPath)).ShouldBe(0);
    }

    private static async Task<ObservedTask[]> SubmitAsync(LocalCluster cluster, int count, long steps = Steps)
    {
        List<ObservedTask> tasks = [];
        for (int i = 1; i <= count; i++)
        {
            tasks.Add(await ObservedTask.SubmitAsync(cluster, Specs.Scripted($"task{i}", new() { Steps = steps })));
        }

        foreach (ObservedTask task in tasks)
        {
            await task.WaitForCheckpointAsync();
        }

        return [.. tasks];
    }

    private static async Task<bool> WorkersAreThoseOfPresentRunsAsync(LocalCluster cluster, ObservedTask[] tasks)
    {
        HashSet<int> expected = [];
        foreach (ObservedTask task in tasks)
        {
            await task.LookAsync();
            expected.Add(task.Starts[^1].Pid);
        }

        return cluster.Children().Where(p => p.Variable("ACTORTRAINER_TASK") is not null).Select(p => p.Pid).ToHashSet().SetEquals(expected);
    }

    private static LocalNode NodeOf(LocalCluster cluster, TaskStarted started) => cluster.Nodes.Single(n => n.Address == started.Node);

    private static ActorTrainerClient Others(LocalCluster cluster, LocalNode node) =>
        LocalCluster.ClientOf([.. cluster.Nodes.Where(n => n != node).Select(n => n.Address)]);
}
