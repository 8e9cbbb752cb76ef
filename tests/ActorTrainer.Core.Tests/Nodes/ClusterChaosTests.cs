using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Tasks;
using ActorTrainer.Testing.Simulation;
using TaskStatus = ActorTrainer.Core.Tasks.TaskStatus;

namespace ActorTrainer.Core.Tests.Nodes;

/// <summary>A minute of random faults, then peace: every task must complete and nothing acknowledged may be lost.</summary>
public sealed class ClusterChaosTests
{
    [Theory]
    [InlineData(1001)]
    [InlineData(1002)]
    [InlineData(1003)]
    [InlineData(1004)]
    [InlineData(1005)]
    [InlineData(1006)]
    [InlineData(1007)]
    [InlineData(1008)]
    [InlineData(1009)]
    [InlineData(1010)]
    [InlineData(1011)]
    [InlineData(1012)]
    [InlineData(1013)]
    [InlineData(1014)]
    [InlineData(1015)]
    public void Step_RandomFaultsThenPeace_EveryTaskCompletes(int seed)
    {
        DeterministicRandom faults = new((ulong)seed * 7919);
        SimulatedCluster cluster = new((ulong)seed, nodes: 3 + (seed % 2), slots: 2);
        cluster.StartAll();
        TaskId[] tasks = [.. Enumerable.Range(0, 8).Select(i => cluster.Submit(cluster.Nodes[i % 3], new TaskSpec
        {
            Name = $"t{i}",
            Priority = i % 3,
            Trainer = new TrainerSpec("Simulated", null, null),
            Checkpoint = new CheckpointSpec { KeepLast = 1 + (i % 3) },
        }))];
        TimeSpan end = cluster.Now + TimeSpan.FromSeconds(60);
        while (cluster.Now < end)
        {
            cluster.RunFor(TimeSpan.FromMilliseconds(200 + faults.Next(4000)));
            Fault(cluster, cluster.Nodes[faults.Next(cluster.Nodes.Count)], faults);
        }

        Heal(cluster);
        cluster.RunUntil("every task is completed", () => tasks.All(t => IsOver(cluster, t)), TimeSpan.FromMinutes(5));
        cluster.CheckInvariants();
        cluster.RunFor(TimeSpan.FromSeconds(15));
        cluster.CheckWorkers();
        cluster.Rows().Shards.ShouldAllBe(s => cluster.Nodes.Any(n => n.Incarnation == s.Owner));
    }

    /// <summary>A task that was on three lost nodes in a row is held, rightly; a person lets it go on.</summary>
    private static bool IsOver(SimulatedCluster cluster, TaskId task)
    {
        TaskSummary summary = cluster.Task(task);
        if (summary.Status == TaskStatus.Held)
        {
            summary.Detail.ShouldContain("nodes in a row");
            cluster.Command(cluster.Nodes[0], task, new ResumeTask());
        }

        return summary.Status == TaskStatus.Completed;
    }

    private static void Fault(SimulatedCluster cluster, SimulatedNode node, DeterministicRandom random)
    {
        switch (random.Next(9))
        {
            case 0 or 1 when node.IsAlive:
                node.Kill();
                break;
            case 2 when node is { IsAlive: true, IsPaused: false }:
                node.Pause();
                break;
            case 3 when node.IsPaused:
                node.Continue();
                break;
            case 4:
                cluster.CutJournal(node);
                break;
            case 5:
                cluster.MendJournal(node);
                break;
            case 6:
                cluster.JournalLoss = random.Next(3) * 0.1;
                break;
            case 7:
                SimulatedNode other = cluster.Nodes[random.Next(cluster.Nodes.Count)];
                cluster.Network.Cut(node, other);
                break;
            case 8:
                cluster.Network.Heal();
                break;
        }

        foreach (SimulatedNode dead in cluster.Nodes.Where(n => !n.IsAlive && random.Next(2) == 0))
        {
            dead.Start();
        }
    }

    private static void Heal(SimulatedCluster cluster)
    {
        cluster.Network.Heal();
        cluster.JournalLoss = 0;
        foreach (SimulatedNode node in cluster.Nodes)
        {
            cluster.MendJournal(node);
            if (node.IsPaused)
            {
                node.Continue();
            }

            if (!node.IsAlive)
            {
                node.Start();
            }
        }
    }
}
