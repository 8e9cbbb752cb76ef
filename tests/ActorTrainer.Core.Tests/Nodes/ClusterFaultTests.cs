using ActorTrainer.Core.Configuration;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Journaling;
using ActorTrainer.Core.Nodes;
using ActorTrainer.Core.Sharding;
using ActorTrainer.Core.Tasks;
using ActorTrainer.Testing.Simulation;
using TaskStatus = ActorTrainer.Core.Tasks.TaskStatus;

namespace ActorTrainer.Core.Tests.Nodes;

/// <summary>Faults of nodes, of the network and of the journal, on simulated clusters of the production loop.</summary>
public sealed class ClusterFaultTests
{
    [Fact]
    public void Step_CordonedNode_GetsNothingUntilItIsUncordoned()
    {
        SimulatedCluster cluster = Started(seed: 101, nodes: 2, slots: 2);
        SimulatedNode cordoned = cluster.Nodes[1];
        cluster.NodeCommand(cluster.Nodes[0], cordoned, NodeCommandKind.Cordon).ShouldBeOfType<CommandAccepted>();
        TaskId[] tasks = SubmitMany(cluster, 3);
        cluster.RunFor(TimeSpan.FromSeconds(5));
        cordoned.Workers.ShouldBeEmpty();
        cluster.Nodes[0].Workers.Count.ShouldBe(2);
        cluster.NodeCommand(cluster.Nodes[0], cordoned, NodeCommandKind.Uncordon).ShouldBeOfType<CommandAccepted>();
        cluster.RunUntil("the waiting task runs there", () => cordoned.Workers.Count > 0, TimeSpan.FromSeconds(5));
        RunToEnd(cluster, tasks);
    }

    [Fact]
    public void Step_CommandForAnUnknownNode_IsRefused()
    {
        SimulatedCluster cluster = Started(seed: 102, nodes: 2);
        cluster.Nodes[1].Kill();
        cluster.RunUntil("it is lost", () => cluster.Rows().Members.All(m => m.Status != MemberStatus.Up || m.Incarnation == cluster.Nodes[0].Incarnation));
        cluster.RunFor(TimeSpan.FromSeconds(2));
        CommandRefused refused = cluster.NodeCommand(cluster.Nodes[0], cluster.Nodes[1], NodeCommandKind.Cordon).ShouldBeOfType<CommandRefused>();
        refused.NotFound.ShouldBeTrue();
        refused.Reason.ShouldContain("no living node");
    }

    [Fact]
    public void Step_LeaseHolderDrained_HandsOverAndAnotherHoldsTheLease()
    {
        SimulatedCluster cluster = Started(seed: 103, nodes: 3);
        TaskId[] tasks = SubmitMany(cluster, 6);
        cluster.RunFor(TimeSpan.FromSeconds(4));
        SimulatedNode holder = Holder(cluster);
        long life = holder.Incarnation;
        cluster.NodeCommand(cluster.Nodes.First(n => n != holder), holder, NodeCommandKind.Drain).ShouldBeOfType<CommandAccepted>();
        cluster.RunUntil("it has left", () => holder.HasLeft, TimeSpan.FromSeconds(40));
        cluster.RunUntil("another holds the lease", () => cluster.Rows().Lease.Holder is var h && h != 0 && h != life, TimeSpan.FromSeconds(5));
        cluster.Rows().Shards.ShouldAllBe(s => s.Owner != life);
        RunToEnd(cluster, tasks);
        tasks.SelectMany(cluster.Events).ShouldNotContain(e => e.Event is TaskInterrupted && ((TaskInterrupted)e.Event).Reason == InterruptionReason.NodeLost);
    }

    [Theory]
    [InlineData(104)]
    [InlineData(105)]
    [InlineData(106)]
    public void Step_LeaseHolderCutOff_TheOthersGoOnAndItWritesNothingMore(int seed)
    {
        SimulatedCluster cluster = Started((ulong)seed, nodes: 3);
        TaskId[] tasks = SubmitMany(cluster, 6);
        cluster.RunFor(TimeSpan.FromSeconds(4));
        SimulatedNode holder = Holder(cluster);
        SimulatedNode[] others = [.. cluster.Nodes.Where(n => n != holder)];
        long life = holder.Incarnation;
        foreach (SimulatedNode other in others)
        {
            cluster.Network.Cut(holder, other);
            cluster.Network.Cut(other, holder);
        }

        // It reaches the journal: the others' lives must stay, and its shards go to them.
        cluster.RunUntil("its shards have other owners", () => cluster.Rows().Shards.All(s => others.Any(o => o.Incarnation == s.Owner)), TimeSpan.FromSeconds(20));
        cluster.Rows().Lease.Holder.ShouldBeOneOf([.. others.Select(o => o.Incarnation)]);
        cluster.RunUntil("all tasks run there", () => tasks.All(t => cluster.Task(t).Status is TaskStatus.Running or TaskStatus.Completed), TimeSpan.FromSeconds(10));

        // It sees at its next look at the rows, within a second, that they are not its own any more.
        cluster.RunFor(TimeSpan.FromSeconds(1.5));
        cluster.CheckWorkers();
        holder.Workers.ShouldBeEmpty();
        others.Sum(o => o.Workers.Count).ShouldBe(6);
        cluster.Network.Heal();
        cluster.RunUntil("it has another life that is up", () => holder.Incarnation > life && cluster.Rows().Members.Count(m => m.Status == MemberStatus.Up) == 3, TimeSpan.FromSeconds(20));
        RunToEnd(cluster, tasks);
    }

    [Fact]
    public void Step_JournalAwayForAll_TrainingGoesOnAndIsCommittedAfterwards()
    {
        SimulatedCluster cluster = Started(seed: 107, nodes: 3);
        TaskId[] tasks = SubmitMany(cluster, 6);
        cluster.RunFor(TimeSpan.FromSeconds(4));
        RunKey[] before = [.. cluster.Nodes.SelectMany(n => n.Workers)];
        before.Length.ShouldBe(6);
        foreach (SimulatedNode node in cluster.Nodes)
        {
            cluster.CutJournal(node);
        }

        // The tasks' 1000 steps are done within these 40 s: what is staged waits for the journal.
        cluster.RunFor(TimeSpan.FromSeconds(40));
        tasks.ShouldAllBe(t => cluster.Task(t).Status == TaskStatus.Running);
        foreach (SimulatedNode node in cluster.Nodes)
        {
            cluster.MendJournal(node);
        }

        RunToEnd(cluster, tasks);
        tasks.ShouldAllBe(t => cluster.Task(t).Runs == 1);
    }

    [Fact]
    public void Step_OneNodeWithoutJournal_IsEmptiedAfterItsTimeAndTakesTasksAgain()
    {
        SimulatedCluster cluster = Started(seed: 108, nodes: 3, configure: m => m with
        {
            Sharding = m.Sharding with { JournalUnreachableAfter = TimeSpan.FromSeconds(6) },
        });
        TaskId[] tasks = SubmitMany(cluster, 6);
        cluster.RunFor(TimeSpan.FromSeconds(7));
        SimulatedNode victim = cluster.Nodes.First(n => n != Holder(cluster));
        long life = victim.Incarnation;
        TaskId[] its = [.. victim.Workers.Select(r => r.Task)];
        its.ShouldNotBeEmpty();
        cluster.CutJournal(victim);
        cluster.RunFor(TimeSpan.FromSeconds(5));
        victim.Workers.Count.ShouldBe(its.Length);
        cluster.RunUntil("its tasks run elsewhere", () => its.All(t => cluster.Task(t) is { Status: TaskStatus.Running, Runs: 2 }), TimeSpan.FromSeconds(5));
        cluster.RunUntil("its workers are gone", () => victim.Workers.Count == 0, TimeSpan.FromSeconds(2));
        cluster.Rows().Shards.ShouldAllBe(s => s.Owner != life);
        cluster.MendJournal(victim);
        cluster.RunUntil("it owns shards again", () => cluster.Rows().Shards.Any(s => s.Owner == life), TimeSpan.FromSeconds(10));
        RunToEnd(cluster, tasks);
    }

    [Fact]
    public void Step_NeitherJournalNorMembers_StopsItsWorkersAndTakesThemUpAgain()
    {
        SimulatedCluster cluster = Started(seed: 109, nodes: 3);
        TaskId[] tasks = SubmitMany(cluster, 3);
        cluster.RunFor(TimeSpan.FromSeconds(4));
        foreach (SimulatedNode node in cluster.Nodes)
        {
            node.Workers.Count.ShouldBe(1);
            cluster.CutJournal(node);
            foreach (SimulatedNode other in cluster.Nodes.Where(o => o != node))
            {
                cluster.Network.Cut(node, other);
            }
        }

        cluster.RunFor(TimeSpan.FromSeconds(8));
        cluster.Nodes.ShouldAllBe(n => n.Workers.Count == 1);
        cluster.RunUntil("every worker is stopped", () => cluster.Nodes.All(n => n.Workers.Count == 0), TimeSpan.FromSeconds(12));
        cluster.RunFor(TimeSpan.FromSeconds(5));
        cluster.Network.Heal();
        foreach (SimulatedNode node in cluster.Nodes)
        {
            cluster.MendJournal(node);
        }

        RunToEnd(cluster, tasks);
    }

    [Fact]
    public void Step_NodeJoins_WaitingTasksMoveToItsFreeSlots()
    {
        SimulatedCluster cluster = new(seed: 110, nodes: 2, slots: 2);
        cluster.Nodes[0].Start();
        cluster.RunUntil("it owns all shards", () => cluster.Rows().Shards.All(s => s.Owner == cluster.Nodes[0].Incarnation));
        TaskId[] tasks = [.. Enumerable.Range(0, 4).Select(i => cluster.Submit(cluster.Nodes[0], Spec($"t{i}", i)))];
        cluster.RunFor(TimeSpan.FromSeconds(2));
        cluster.Nodes[0].Workers.Count.ShouldBe(2);
        cluster.Nodes[1].Start();
        cluster.RunUntil("all run", () => tasks.All(t => cluster.Task(t).Status == TaskStatus.Running), TimeSpan.FromSeconds(10));
        cluster.Nodes.ShouldAllBe(n => n.Workers.Count == 2);
        cluster.Rows().Shards.Select(s => s.Owner).Distinct().Count().ShouldBe(2);
        tasks.ShouldAllBe(t => cluster.Task(t).Runs == 1);
        RunToEnd(cluster, tasks);
    }

    [Fact]
    public void Step_NodeLost_ItsTasksStartByPriority()
    {
        SimulatedCluster cluster = Started(seed: 111, nodes: 2, slots: 8);
        TaskId[] tasks = SubmitMany(cluster, 8);
        cluster.RunFor(TimeSpan.FromSeconds(4));
        SimulatedNode victim = cluster.Nodes[1];
        TaskId[] lost = [.. victim.Workers.Select(r => r.Task)];
        lost.Length.ShouldBe(4);
        victim.Kill();
        cluster.RunUntil("all run", () => lost.All(t => cluster.Task(t) is { Status: TaskStatus.Running, Runs: 2 }), TimeSpan.FromSeconds(10));
        DateTimeOffset Second(TaskId t) => cluster.Events(t).Last(e => e.Event is TaskStarted).Time;

        // Two restore at once: the pair of the highest priority begins before the others.
        int[] order = [.. lost.OrderBy(Second).Select(t => cluster.Task(t).Priority)];
        order[..2].Min().ShouldBeGreaterThan(order[2..].Max());
        RunToEnd(cluster, tasks);
    }

    [Fact]
    public void Step_EventsThatCannotBeReplayed_HoldTheTaskAndNotItsNeighbours()
    {
        SimulatedCluster cluster = Started(seed: 112, nodes: 2);
        TaskId good = cluster.Submit(cluster.Nodes[0], Spec("good"));
        TaskId broken = TaskId.Parse("broken-1");
        int shard = ShardMap.ShardOf(broken, 64);
        ShardRow row = cluster.Rows().Shards[shard];
        TaskState state = TaskState.Fold(broken, null, [new TaskSubmitted(Spec("broken"))])!;
        cluster.Journal.Execute(new AppendRequest([new TaskAppend(broken, shard, 0, row.Owner, row.Term, "x", [new TaskPaused()], state.Summarize(shard))]));
        cluster.RunFor(TimeSpan.FromSeconds(3));
        cluster.Nodes.Single(n => n.Incarnation == row.Owner).Kill();
        cluster.RunUntil("it is held", () => cluster.Task(broken).Status == TaskStatus.Held, TimeSpan.FromSeconds(10));
        cluster.Task(broken).Detail.ShouldContain("cannot be replayed");
        RunToEnd(cluster, good);
    }

    [Fact]
    public void Step_TaskOnThreeLostNodes_IsHeldUntilItIsResumed()
    {
        SimulatedCluster cluster = Started(seed: 113, nodes: 5);
        TaskId task = cluster.Submit(cluster.Nodes[0], Spec("killer"));
        for (int i = 0; i < 3; i++)
        {
            int run = i + 1;
            cluster.RunUntil($"run {run}", () => cluster.Task(task) is { Status: TaskStatus.Running } t && t.Runs == run, TimeSpan.FromSeconds(20));
            SimulatedNode node = cluster.Nodes.Single(n => n.Workers.Count > 0);
            node.Kill();
            cluster.RunUntil("it counts", () => cluster.Task(task).Status != TaskStatus.Running, TimeSpan.FromSeconds(10));
            cluster.Task(task).Alone.ShouldBe(i >= 1);
            node.Start();
        }

        cluster.RunUntil("it is held", () => cluster.Task(task).Status == TaskStatus.Held, TimeSpan.FromSeconds(10));
        cluster.Task(task).Detail.ShouldContain("3 nodes in a row");
        cluster.Command(cluster.Nodes[0], task, new ResumeTask()).ShouldBeOfType<CommandAccepted>();
        RunToEnd(cluster, task);
    }

    [Fact]
    public void Step_KeepLastOneWhileItMoves_DestinationRestoresWhatItWarmedUpFor()
    {
        SimulatedCluster cluster = Started(seed: 114, nodes: 2);
        TaskId task = cluster.Submit(cluster.Nodes[0], Spec("mover") with { Checkpoint = new CheckpointSpec { KeepLast = 1 } });
        cluster.RunFor(TimeSpan.FromSeconds(3));
        for (int i = 0; i < 6; i++)
        {
            cluster.RunFor(TimeSpan.FromSeconds(0.9 + (0.05 * i)));
            NodeAddress to = cluster.Nodes.Single(n => n.Workers.Count == 0).Model.Address;
            cluster.Command(cluster.Nodes[0], task, new MigrateTask(to)).ShouldBeOfType<CommandAccepted>();
            cluster.RunUntil("it runs there", () => cluster.Task(task) is { Status: TaskStatus.Running } t && t.Node == to, TimeSpan.FromSeconds(10));
        }

        cluster.Events(task).ShouldNotContain(e => e.Event is TaskCheckpointDamaged);
        RunToEnd(cluster, task);
        cluster.Events(task).Count(e => e.Event is TaskCheckpointRemoved).ShouldBeGreaterThan(5);
    }

    [Fact]
    public void Step_UnknownTask_IsRefusedAndAFinishedOneRemembered()
    {
        SimulatedCluster cluster = Started(seed: 115, nodes: 2);
        cluster.Command(cluster.Nodes[0], TaskId.Parse("nobody-1"), new PauseTask()).ShouldBeOfType<CommandRefused>().NotFound.ShouldBeTrue();
        TaskId task = cluster.Submit(cluster.Nodes[0], Spec("short"));
        RunToEnd(cluster, task);
        cluster.RunFor(TimeSpan.FromSeconds(1));
        foreach (SimulatedNode node in cluster.Nodes)
        {
            cluster.Command(node, task, new CancelTask()).ShouldBeOfType<CommandRefused>().Reason.ShouldContain("has ended already (completed)");
            cluster.Command(node, task, new MigrateTask(null)).ShouldBeOfType<CommandRefused>().Reason.ShouldContain("nothing to move");
        }
    }

    [Fact]
    public void Step_MigrateToImpossibleNodes_IsRefusedWithTheReason()
    {
        SimulatedCluster cluster = Started(seed: 116, nodes: 2);
        TaskId task = cluster.Submit(cluster.Nodes[0], Spec("stays"));
        cluster.RunUntil("it runs", () => cluster.Task(task).Status == TaskStatus.Running);
        NodeAddress here = cluster.Task(task).Node!.Value;
        cluster.Command(cluster.Nodes[0], task, new MigrateTask(here)).ShouldBeOfType<CommandRefused>().Reason.ShouldContain("already");
        cluster.Command(cluster.Nodes[0], task, new MigrateTask(new NodeAddress("10.9.9.9", 1))).ShouldBeOfType<CommandRefused>().Reason.ShouldContain("no node up");
        SimulatedNode other = cluster.Nodes.Single(n => n.Model.Address != here);
        cluster.NodeCommand(cluster.Nodes[0], other, NodeCommandKind.Cordon).ShouldBeOfType<CommandAccepted>();
        cluster.RunFor(TimeSpan.FromSeconds(2));
        cluster.Command(cluster.Nodes[0], task, new MigrateTask(null)).ShouldBeOfType<CommandRefused>().Reason.ShouldContain("no other node");
        cluster.NodeCommand(cluster.Nodes[0], other, NodeCommandKind.Uncordon).ShouldBeOfType<CommandAccepted>();
        cluster.RunFor(TimeSpan.FromSeconds(2));
        cluster.Command(cluster.Nodes[0], task, new MigrateTask(null)).ShouldBeOfType<CommandAccepted>();
        cluster.Command(cluster.Nodes[0], task, new MigrateTask(null)).ShouldBeOfType<CommandUnavailable>().Reason.ShouldContain("moving already");
        RunToEnd(cluster, task);
        cluster.Task(task).Runs.ShouldBe(2);
    }

    [Fact]
    public void Step_DestinationDiesWhileItWarmsUp_TaskStaysAndGoesOn()
    {
        SimulatedCluster cluster = Started(seed: 117, nodes: 2);
        TaskId task = cluster.Submit(cluster.Nodes[0], Spec("stays"));
        cluster.RunFor(TimeSpan.FromSeconds(3));
        SimulatedNode other = cluster.Nodes.Single(n => n.Workers.Count == 0);
        cluster.Command(cluster.Nodes[0], task, new MigrateTask(other.Model.Address)).ShouldBeOfType<CommandAccepted>();
        cluster.RunUntil("it warms up", () => other.Workers.Count > 0, TimeSpan.FromSeconds(2));
        other.Kill();
        RunToEnd(cluster, task);
        cluster.Task(task).Runs.ShouldBe(1);
    }

    [Fact]
    public void Step_DestinationSilentWhileItWarmsUp_MoveIsGivenUpOrDoneAndTheTaskCompletes()
    {
        SimulatedCluster cluster = Started(seed: 118, nodes: 3);
        TaskId task = cluster.Submit(cluster.Nodes[0], Spec("moves"));
        cluster.RunFor(TimeSpan.FromSeconds(3));
        SimulatedNode source = cluster.Nodes.Single(n => n.Workers.Count > 0);
        SimulatedNode other = cluster.Nodes.First(n => n != source && n != Holder(cluster));
        cluster.Command(cluster.Nodes[0], task, new MigrateTask(other.Model.Address)).ShouldBeOfType<CommandAccepted>();
        cluster.RunUntil("it warms up", () => other.Workers.Count > 0, TimeSpan.FromSeconds(2));
        cluster.CutJournal(other);
        other.Pause();
        cluster.RunFor(TimeSpan.FromSeconds(6));
        other.Continue();
        cluster.MendJournal(other);
        RunToEnd(cluster, task);
    }

    private static TaskSpec Spec(string name, int priority = 0) => new()
    {
        Name = name,
        Priority = priority,
        Trainer = new TrainerSpec("Simulated", null, null),
    };

    private static SimulatedCluster Started(ulong seed, int nodes, int slots = 4, Func<NodeModel, NodeModel>? configure = null)
    {
        SimulatedCluster cluster = new(seed, nodes, slots, configure);
        cluster.StartAll();
        return cluster;
    }

    private static SimulatedNode Holder(SimulatedCluster cluster)
    {
        long holder = cluster.Rows().Lease.Holder;
        return cluster.Nodes.Single(n => n.Incarnation == holder);
    }

    private static TaskId[] SubmitMany(SimulatedCluster cluster, int count) =>
        [.. Enumerable.Range(0, count).Select(i => cluster.Submit(cluster.Nodes[i % cluster.Nodes.Count], Spec($"t{i}", i)))];

    private static void RunToEnd(SimulatedCluster cluster, params TaskId[] tasks)
    {
        cluster.RunUntil("every task is completed", () => tasks.All(t => cluster.Task(t).Status == TaskStatus.Completed));
        cluster.CheckInvariants();
        cluster.RunFor(TimeSpan.FromSeconds(1));
        cluster.CheckWorkers();
    }
}
