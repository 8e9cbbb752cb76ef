using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Journaling;
using ActorTrainer.Core.Nodes;
using ActorTrainer.Core.Tasks;
using ActorTrainer.Testing.Simulation;

namespace ActorTrainer.Core.Tests.Nodes;

public sealed class JoinAndDrainTests
{
    [Fact]
    public void Step_NodeJoinsSlowly_KeepsItsLife()
    {
        SimulatedCluster cluster = new(seed: 51, nodes: 3);
        SimulatedNode slow = cluster.Nodes[2];
        foreach (SimulatedNode other in cluster.Nodes.Take(2))
        {
            cluster.Network.Cut(slow, other);
            cluster.Network.Cut(other, slow);
            other.Start();
        }

        cluster.RunUntil("two are up", () => cluster.Rows().Members.Count(m => m.Status == MemberStatus.Up) == 2);
        slow.Start();
        long life = slow.Incarnation;
        cluster.RunFor(TimeSpan.FromSeconds(15));
        cluster.Network.Heal();

        cluster.RunUntil("it is up", () => cluster.Rows().Members.Any(m => m.Incarnation == life && m.Status == MemberStatus.Up), TimeSpan.FromSeconds(20));
        slow.Incarnation.ShouldBe(life);
    }

    [Fact]
    public void Step_NodeNeverJoins_IsDownInTheEnd()
    {
        SimulatedCluster cluster = new(seed: 52, nodes: 2);
        cluster.Network.Cut(cluster.Nodes[1], cluster.Nodes[0]);
        cluster.Network.Cut(cluster.Nodes[0], cluster.Nodes[1]);
        cluster.Nodes[0].Start();
        cluster.RunUntil("one is up", () => cluster.Rows().Members.Any(m => m.Status == MemberStatus.Up));
        cluster.Nodes[1].Start();
        long life = cluster.Nodes[1].Incarnation;
        cluster.Nodes[1].Kill();

        cluster.RunUntil("its life is down", () => cluster.Rows().Members.Single(m => m.Incarnation == life).Status == MemberStatus.Down);
    }

    [Fact]
    public void Step_NodeStopsAndItsDestinationIsNotReadyInTime_SavesAllTheSame()
    {
        SimulatedCluster cluster = new(seed: 54, nodes: 2);
        cluster.StartAll();
        TaskId task = cluster.Submit(cluster.Nodes[0], new TaskSpec { Name = "digits", Trainer = new TrainerSpec("X", null, null) });
        cluster.RunUntil("it has saved", () => cluster.Events(task).Any(e => e.Event is TaskCheckpointed));
        SimulatedNode leaver = cluster.Nodes.Single(n => n.Workers.Count > 0);
        cluster.Network.Cut(leaver, cluster.Nodes.Single(n => n != leaver));

        leaver.Stop(TimeSpan.FromSeconds(3));

        cluster.RunUntil("it has left", () => leaver.HasLeft, TimeSpan.FromSeconds(5));
        cluster.Events(task).Select(e => e.Event).OfType<TaskCheckpointed>().Last().Checkpoint.Reason.ShouldBe("drain");
        cluster.Task(task).Status.ShouldBe(Core.Tasks.TaskStatus.Pending);
    }

    [Fact]
    public void Step_DrainedNodesAnswerIsLost_ItsRowIsTheAnswer()
    {
        SimulatedCluster cluster = new(seed: 53, nodes: 3);
        cluster.StartAll();
        SimulatedNode asked = cluster.Nodes[0];
        SimulatedNode leaver = cluster.Nodes[1];
        CommandReply? reply = null;

        cluster.Network.Cut(leaver, asked);
        asked.Command(leaver, NodeCommandKind.Drain, answer => reply = answer);

        cluster.RunUntil("the drain is answered", () => reply is not null, TimeSpan.FromSeconds(9));
        reply.ShouldBeOfType<CommandAccepted>();
    }
}
