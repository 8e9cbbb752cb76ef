using ActorTrainer.Checkpoints.Peers;
using ActorTrainer.Core.Identity;
using ActorTrainer.Testing.Checkpoints;
using Microsoft.Extensions.Time.Testing;

namespace ActorTrainer.Runtime.Tests.Peers;

public sealed class KnownPeersTests : IDisposable
{
    private static readonly NodeAddress Self = new("10.0.0.1", 7400);
    private static readonly NodeAddress B = new("10.0.0.2", 7400);
    private static readonly NodeAddress C = new("10.0.0.3", 7400);
    private static readonly NodeAddress SameMachine = new("10.0.0.1", 7401);

    private readonly TemporaryFolder _folder = new();
    private readonly FakeTimeProvider _time = new();
    private readonly List<NodeAddress> _members = [];

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Missing_NodeThatIsGone_IsWaitedForAndThenGivenUp()
    {
        KnownPeers peers = Start();
        peers.IsJoined.ShouldBeFalse();
        _members.AddRange([Self, B, C]);
        peers.IsJoined.ShouldBeTrue();
        peers.Living.ShouldBe([B, C]);
        peers.Missing.ShouldBeEmpty();

        _members.Remove(C);
        peers.Living.ShouldBe([B]);
        peers.Missing.ShouldBe([C]);
        _time.Advance(TimeSpan.FromSeconds(119));
        peers.Missing.ShouldBe([C]);
        _time.Advance(TimeSpan.FromSeconds(1));
        peers.Missing.ShouldBeEmpty();
    }

    /// <summary>The first node that is up again after all were down knows that the others may have what it has not.</summary>
    [Fact]
    public void Missing_AfterARestart_AreThoseThatWereThere()
    {
        KnownPeers before = Start();
        _members.AddRange([Self, B, C]);
        before.Living.Count.ShouldBe(2);
        _members.Clear();
        _members.Add(Self);

        Start().Missing.ShouldBe([B, C]);
    }

    [Fact]
    public void Missing_SeedsThatAreNotUp_AreWaitedFor() => Start(C).Missing.ShouldBe([C]);

    [Fact]
    public void Start_NoteThatCannotBeRead_GoesOnWithoutIt()
    {
        File.WriteAllText(_folder["peers.json"], "{");
        Start().Missing.ShouldBeEmpty();
    }

    [Fact]
    public void PassOver_Node_EndsAfterAWhile()
    {
        KnownPeers peers = Start();
        peers.PassOver(B);
        peers.IsPassedOver(B).ShouldBeTrue();
        peers.IsPassedOver(C).ShouldBeFalse();
        _time.Advance(TimeSpan.FromMinutes(1));
        peers.IsPassedOver(B).ShouldBeFalse();
    }

    [Fact]
    public void Order_ANodeGoes_MovesNoOthersCopies()
    {
        NodeAddress[] nodes = [.. Enumerable.Range(2, 8).Select(i => new NodeAddress($"10.0.0.{i}", 7400))];
        Dictionary<NodeAddress, int> counts = nodes.ToDictionary(node => node, _ => 0);
        for (int i = 0; i < 400; i++)
        {
            TaskId task = TaskId.Parse($"task-{i}");
            NodeAddress first = PeerOrder.Of(task.Value, Self, nodes)[0];
            counts[first]++;
            if (first != nodes[3])
            {
                PeerOrder.Of(task.Value, Self, nodes.Where(node => node != nodes[3]))[0].ShouldBe(first);
            }
        }

        counts.Values.Min().ShouldBeGreaterThan(20);
    }

    /// <summary>A copy on the same machine is lost with it.</summary>
    [Fact]
    public void Order_SeveralNodesOfAMachine_OtherMachinesComeFirst()
    {
        NodeAddress b2 = new("10.0.0.2", 7401);
        for (int i = 0; i < 20; i++)
        {
            IReadOnlyList<NodeAddress> order = PeerOrder.Of($"task-{i}", Self, [SameMachine, B, b2, C]);
            order.Take(2).Select(node => node.Host).Order().ShouldBe(["10.0.0.2", "10.0.0.3"]);
            order[3].ShouldBe(SameMachine);
        }
    }

    private KnownPeers Start(params NodeAddress[] seeds)
    {
        KnownPeers peers = new(_folder["peers.json"], TimeSpan.FromMinutes(2), _time);
        peers.Start(Self, seeds, () => _members);
        return peers;
    }
}
