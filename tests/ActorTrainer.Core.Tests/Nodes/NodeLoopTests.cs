using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Journaling;
using ActorTrainer.Core.Tasks;
using ActorTrainer.Testing.Simulation;
using TaskStatus = ActorTrainer.Core.Tasks.TaskStatus;

namespace ActorTrainer.Core.Tests.Nodes;

public sealed class NodeLoopTests
{
    private static TaskSpec Spec(string name, int priority = 0) => new()
    {
        Name = name,
        Priority = priority,
        Trainer = new TrainerSpec("Simulated", null, null),
    };

    private static TaskId[] SubmitMany(SimulatedCluster cluster, int count) =>
        [.. Enumerable.Range(0, count).Select(i => cluster.Submit(cluster.Nodes[i % cluster.Nodes.Count], Spec($"t{i}", i)))];

    private static void RunToEnd(SimulatedCluster cluster, params TaskId[] tasks)
    {
        cluster.RunUntil("every task is completed", () => tasks.All(t => cluster.Task(t).Status == TaskStatus.Completed));
        cluster.CheckInvariants();
    }

    [Fact]
    public void Step_OneNode_RunsATaskToItsEnd()
    {
        SimulatedCluster cluster = new(seed: 1, nodes: 1);
        cluster.StartAll();
        TaskId task = cluster.Submit(cluster.Nodes[0], Spec("one"));
        RunToEnd(cluster, task);
        cluster.Task(task).Progress.Step.ShouldBe(1000);
        cluster.Task(task).Runs.ShouldBe(1);
        cluster.Nodes[0].Workers.ShouldBeEmpty();
    }

    [Fact]
    public void Step_ThreeNodes_SpreadTasksEvenly()
    {
        SimulatedCluster cluster = new(seed: 2, nodes: 3);
        cluster.StartAll();
        TaskId[] tasks = SubmitMany(cluster, 6);
        cluster.RunUntil("all run", () => tasks.All(t => cluster.Task(t).Status == TaskStatus.Running));
        cluster.Nodes.Select(n => n.Workers.Count).ShouldAllBe(count => count == 2);
        RunToEnd(cluster, tasks);
    }

    [Theory]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(6)]
    public void Step_NodeKilled_TasksGoOnWithinTwoSeconds(int seed)
    {
        SimulatedCluster cluster = new((ulong)seed, nodes: 3);
        cluster.StartAll();
        TaskId[] tasks = SubmitMany(cluster, 6);
        cluster.RunFor(TimeSpan.FromSeconds(4 + (seed * 0.37)));
        SimulatedNode victim = cluster.Nodes[seed % 3];
        TaskId[] lost = [.. victim.Workers.Select(r => r.Task)];
        lost.ShouldNotBeEmpty();
        victim.Kill();
        cluster.RunUntil("lost tasks run elsewhere", () => lost.All(t => cluster.Task(t) is { Status: TaskStatus.Running, Runs: 2 }), TimeSpan.FromSeconds(2));
        victim.Start();
        RunToEnd(cluster, tasks);
    }

    [Fact]
    public void Step_NodeStoppedAndWoken_IsFencedAndJoinsAgain()
    {
        SimulatedCluster cluster = new(seed: 7, nodes: 3);
        cluster.StartAll();
        TaskId[] tasks = SubmitMany(cluster, 6);
        cluster.RunFor(TimeSpan.FromSeconds(5));
        SimulatedNode victim = cluster.Nodes[0];
        long life = victim.Incarnation;
        TaskId[] lost = [.. victim.Workers.Select(r => r.Task)];
        victim.Pause();
        cluster.RunUntil("lost tasks run elsewhere", () => lost.All(t => cluster.Task(t) is { Status: TaskStatus.Running, Runs: 2 }), TimeSpan.FromSeconds(6));
        cluster.RunFor(TimeSpan.FromSeconds(8));
        victim.Continue();
        cluster.RunUntil("it has another life", () => victim.Incarnation > life, TimeSpan.FromSeconds(10));
        cluster.Rows().Members.Count(m => m.Status == MemberStatus.Up).ShouldBeGreaterThanOrEqualTo(2);
        RunToEnd(cluster, tasks);
        cluster.Nodes.Skip(1).ShouldAllBe(n => n.Notices.All(t => !t.Contains("begins another life", StringComparison.Ordinal)));
    }

    [Fact]
    public void Step_AllNodesKilled_UnfinishedTasksGoOnAfterRestart()
    {
        SimulatedCluster cluster = new(seed: 8, nodes: 3);
        cluster.StartAll();
        TaskId[] tasks = SubmitMany(cluster, 6);
        for (int i = 0; i < 3; i++)
        {
            cluster.RunFor(TimeSpan.FromSeconds(4));
            foreach (SimulatedNode node in cluster.Nodes)
            {
                node.Kill();
            }

            foreach (SimulatedNode node in cluster.Nodes)
            {
                node.Start();
            }
        }

        RunToEnd(cluster, tasks);
    }

    [Fact]
    public void Step_NodeStopsInOrder_LosesNoStep()
    {
        SimulatedCluster cluster = new(seed: 9, nodes: 3);
        cluster.StartAll();
        TaskId[] tasks = SubmitMany(cluster, 6);
        cluster.RunFor(TimeSpan.FromSeconds(5));
        SimulatedNode leaver = cluster.Nodes[1];
        TaskId[] moved = [.. leaver.Workers.Select(r => r.Task)];
        moved.ShouldNotBeEmpty();
        leaver.Stop(TimeSpan.FromSeconds(30));
        cluster.RunUntil("it has left", () => leaver.HasLeft, TimeSpan.FromSeconds(30));
        RunToEnd(cluster, tasks);
        foreach (TaskId task in moved)
        {
            TaskCheckpointed drain = cluster.Events(task).Select(e => e.Event).OfType<TaskCheckpointed>().Single(e => e.Checkpoint.Reason == "drain");
            TaskStarted second = cluster.Events(task).Select(e => e.Event).OfType<TaskStarted>().ElementAt(1);
            second.RestoredFrom.ShouldBe(drain.Checkpoint.Name);
            cluster.Events(task).ShouldNotContain(e => e.Event is TaskInterrupted && ((TaskInterrupted)e.Event).Reason == InterruptionReason.NodeLost);
        }
    }

    [Fact]
    public void Step_LastNodeStopsInOrder_SavesAndLeaves()
    {
        SimulatedCluster cluster = new(seed: 10, nodes: 1);
        cluster.StartAll();
        TaskId task = cluster.Submit(cluster.Nodes[0], Spec("alone"));
        cluster.RunFor(TimeSpan.FromSeconds(5));
        cluster.Nodes[0].Stop(TimeSpan.FromSeconds(8));
        cluster.RunUntil("it has left", () => cluster.Nodes[0].HasLeft, TimeSpan.FromSeconds(8));
        cluster.Task(task).Status.ShouldBe(TaskStatus.Pending);
        cluster.Nodes[0].Start();
        RunToEnd(cluster, task);
    }

    [Fact]
    public void Step_JournalLosesAnswers_NothingIsLostOrDoneTwice()
    {
        for (ulong seed = 20; seed < 26; seed++)
        {
            SimulatedCluster cluster = new(seed, nodes: 3) { JournalLoss = 0.1 };
            cluster.StartAll();
            TaskId[] tasks = SubmitMany(cluster, 4);
            cluster.RunFor(TimeSpan.FromSeconds(4));
            cluster.Nodes[(int)(seed % 3)].Kill();
            cluster.RunFor(TimeSpan.FromSeconds(3));
            cluster.Nodes[(int)(seed % 3)].Start();
            RunToEnd(cluster, tasks);
        }
    }

    [Fact]
    public void Step_NewestCheckpointDamaged_TheOneBeforeIsUsed()
    {
        SimulatedCluster cluster = new(seed: 11, nodes: 3);
        cluster.StartAll();
        TaskId task = cluster.Submit(cluster.Nodes[0], Spec("damaged"));
        cluster.RunFor(TimeSpan.FromSeconds(6));
        TaskCheckpointed[] saved = [.. cluster.Events(task).Select(e => e.Event).OfType<TaskCheckpointed>()];
        cluster.Store.Damage(task, saved[^1].Checkpoint.Name);
        cluster.Nodes.Single(n => n.Workers.Count > 0).Kill();
        cluster.RunUntil("it runs again", () => cluster.Task(task) is { Status: TaskStatus.Running, Runs: 2 });
        TaskStarted again = cluster.Events(task).Select(e => e.Event).OfType<TaskStarted>().Last();
        again.RestoredFrom.ShouldBe(saved[^2].Checkpoint.Name);
        cluster.Events(task).ShouldContain(e => e.Event is TaskCheckpointDamaged);
        RunToEnd(cluster, task);
    }

    [Fact]
    public void Step_PauseResumeCancelMigrate_DoWhatTheySay()
    {
        SimulatedCluster cluster = new(seed: 12, nodes: 2);
        cluster.StartAll();
        SimulatedNode node = cluster.Nodes[0];
        TaskId task = cluster.Submit(node, Spec("obedient"));
        cluster.RunUntil("it runs", () => cluster.Task(task).Status == TaskStatus.Running);
        cluster.RunFor(TimeSpan.FromSeconds(2));
        cluster.Command(node, task, new PauseTask()).ShouldBeOfType<CommandAccepted>();
        cluster.RunUntil("its worker is gone", () => cluster.Nodes.All(n => n.Workers.Count == 0));
        cluster.Task(task).Status.ShouldBe(TaskStatus.Paused);
        cluster.RunUntil("its state is committed", () => cluster.Task(task).LastCheckpoint?.Reason == "pause");
        cluster.Command(node, task, new ResumeTask()).ShouldBeOfType<CommandAccepted>();
        cluster.RunUntil("it runs again", () => cluster.Task(task).Status == TaskStatus.Running);
        SimulatedNode host = cluster.Nodes.Single(n => n.Workers.Count > 0);
        SimulatedNode other = cluster.Nodes.Single(n => n != host);
        cluster.RunFor(TimeSpan.FromSeconds(1));
        cluster.Command(node, task, new MigrateTask(other.Model.Address)).ShouldBeOfType<CommandAccepted>();
        cluster.RunUntil("it runs there", () => cluster.Task(task) is { Status: TaskStatus.Running } t && t.Node == other.Model.Address);
        cluster.Command(node, task, new CancelTask()).ShouldBeOfType<CommandAccepted>();
        cluster.RunUntil("its worker is gone", () => cluster.Nodes.All(n => n.Workers.Count == 0));
        cluster.Task(task).Status.ShouldBe(TaskStatus.Cancelled);
        cluster.Command(node, task, new ResumeTask()).ShouldBeOfType<CommandRefused>();
        cluster.CheckInvariants();
    }

    [Fact]
    public void Step_SameNameSubmittedAgain_IsTheSameTaskOrRefused()
    {
        SimulatedCluster cluster = new(seed: 13, nodes: 2);
        cluster.StartAll();
        TaskId first = cluster.Submit(cluster.Nodes[0], Spec("twin"));
        cluster.Submit(cluster.Nodes[1], Spec("twin")).ShouldBe(first);
        CommandReply? reply = null;
        cluster.Nodes[1].Submit(Spec("twin", priority: 5), "other", r => reply = r);
        cluster.RunUntil("it is answered", () => reply is not null);
        reply.ShouldBeOfType<CommandRefused>().Reason.ShouldContain("another specification");
    }

    [Fact]
    public void Step_MoreTasksThanSlots_HighestPriorityFirst()
    {
        SimulatedCluster cluster = new(seed: 14, nodes: 1, slots: 2);
        cluster.StartAll();
        TaskId[] tasks = SubmitMany(cluster, 6);
        cluster.RunUntil("all are through", () => tasks.All(t => cluster.Task(t).Status == TaskStatus.Completed), TimeSpan.FromMinutes(5));
        TimeSpan Start(TaskId t) => TimeSpan.FromTicks(cluster.Events(t).First(e => e.Event is TaskStarted).Time.Ticks);

        // The first two started before the others came; then two at a time.
        int[] later = [.. tasks.Skip(2).OrderBy(Start).Select(t => cluster.Task(t).Priority)];
        later[..2].ShouldBe([5, 4], ignoreOrder: true);
        later[2..].ShouldBe([3, 2], ignoreOrder: true);
    }

    [Fact]
    public void Step_SameSeed_SameRun()
    {
        ulong Run()
        {
            SimulatedCluster cluster = new(seed: 15, nodes: 3) { JournalLoss = 0.05 };
            cluster.StartAll();
            TaskId[] tasks = SubmitMany(cluster, 4);
            cluster.RunFor(TimeSpan.FromSeconds(3));
            cluster.Nodes[2].Kill();
            cluster.RunFor(TimeSpan.FromSeconds(10));
            return cluster.Trace;
        }

        Run().ShouldBe(Run());
    }
}
