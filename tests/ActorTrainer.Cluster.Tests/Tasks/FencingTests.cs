using ActorTrainer.Cluster.Tasks;
using ActorTrainer.Cluster.Tests.Support;
using ActorTrainer.Core.Tasks;
using Akka.Actor;
using Akka.TestKit.Xunit2;

namespace ActorTrainer.Cluster.Tests.Tasks;

/// <summary>On SQLite.</summary>
[Trait("Lane", "Slow")]
public sealed class SqliteFencingTests() : FencingTests(null);

/// <summary>On PostgreSQL.</summary>
[Collection(PostgreSqlServer.Collection)]
[Trait("Requires", "postgresql")]
public sealed class PostgreSqlFencingTests(PostgreSqlServer server) : FencingTests(server.NewDatabase());

/// <summary>
/// A task that is recovered twice, in two actor systems over one journal, as after a partition that was resolved badly. Each test has both
/// owners at work; the journal takes the events of one.
/// </summary>
public abstract class FencingTests : TestKit, IDisposable
{
    private readonly JournalFolder _folder;
    private readonly ActorSystem _other;

    protected FencingTests(string? postgreSql)
        : this(new JournalFolder(postgreSql)) { }

    private FencingTests(JournalFolder folder)
        : base(TestSystems.InSql(folder.Model))
    {
        _folder = folder;
        folder.OpenAsync().GetAwaiter().GetResult();
        _other = ActorSystem.Create("other", TestSystems.InSql(folder.Model));
    }

    [Fact]
    public void Owner_WhoseTaskWasRecoveredElsewhere_CannotCommitAndEndsItsWorker()
    {
        TaskFixture first = new(this);
        first.Submit();
        first.Start();
        string before = first.Save(10);
        TaskFixture second = new(this, incarnation: 2, _other);
        second.Slots.FishForMessage<SlotStatus>(s => s.Wants, TimeSpan.FromSeconds(10));
        second.Actor.Tell(new SlotsGranted(1));
        second.Effect<RestoreCheckpoint>().Checkpoint.Name.ShouldBe(before, "its activation is journaled by then");

        first.Host.Post(new WorkerStaged(first.Run, new StagedState("late", 20, 0, "interval", new Dictionary<string, double>())));
        SaveCheckpoint late = first.Effect<SaveCheckpoint>();
        first.Host.Post(new CheckpointStored(first.Run, late.State.Id, TaskFixture.Ref(late)));

        first.ShouldStop();
        first.Effect<StopWorker>().Grace.ShouldBe(TimeSpan.Zero);
        ShouldHaveOneHistory(checkpoints: [before]);
    }

    [Fact]
    public void Owners_WhoBothActivate_HaveDifferentTerms()
    {
        TaskFixture born = new(this);
        born.Submit();
        born.Actor.Tell(StopTask.Instance);
        born.ShouldStop();

        // Both replay the same event and persist an activation as the second.
        TaskFixture one = new(this, incarnation: 2);
        TaskFixture two = new(this, incarnation: 3, _other);
        Drive(one);
        Drive(two);

        List<ReadEvent> events = Read();
        events.Select(e => e.Written!.Event).OfType<TaskActivated>().GroupBy(a => a.Term).ShouldAllBe(g => g.Count() == 1);
        ShouldHaveOneHistory(checkpoints: []);
    }

    [Fact]
    public void Owners_WhoTakeTheTaskInTurns_EachReplayEveryEventBefore()
    {
        TaskFixture born = new(this);
        born.Submit();

        // Back and forth between two systems, each time while the owner before still lives, as after a node that was stopped and woke.
        for (int life = 2; life <= 5; life++)
        {
            TaskFixture next = new(this, incarnation: life, life % 2 == 0 ? _other : Sys);
            next.Slots.FishForMessage<SlotStatus>(_ => true, TimeSpan.FromSeconds(10));
            next.Ask(life % 2 == 0 ? new PauseTask() : new ResumeTask()).Reply.ShouldBeOfType<CommandAccepted>();
        }

        Read().Select(e => e.Written!.Event).OfType<TaskActivated>().Select(a => a.Term).ShouldBe([2, 3, 4, 5]);
        ShouldHaveOneHistory(checkpoints: []);
    }

    [Fact]
    public void Neighbours_OfAFencedTask_GoOn()
    {
        TaskFixture neighbour = new(this, id: Core.Identity.TaskId.Parse("neighbour-a1b2c"));
        neighbour.Submit();
        TaskFixture first = new(this);
        first.Submit();
        TaskFixture second = new(this, incarnation: 2, _other);
        second.Start();

        // In one batch of the journal, perhaps: the one is refused, the other is not.
        first.Actor.Tell(new ActorTrainer.Cluster.Messages.TaskRequest(TaskFixture.Id, new PauseTask()), ActorRefs.NoSender);
        neighbour.Ask(new PauseTask()).Reply.ShouldBeOfType<CommandAccepted>();

        first.ShouldStop();
        neighbour.Ask(new ResumeTask()).Reply.ShouldBeOfType<CommandAccepted>();
    }

    public new void Dispose()
    {
        _other.Terminate().GetAwaiter().GetResult();
        base.Dispose();
        _folder.Dispose();
    }

    /// <summary>Asks for something that has to be written, whether or not the asked one is still the owner.</summary>
    private static void Drive(TaskFixture task)
    {
        task.Actor.Tell(new ActorTrainer.Cluster.Messages.TaskRequest(task.Task, new PauseTask()), ActorRefs.NoSender);
        task.Slots.FishForMessage(m => m is SlotStatus { Wants: false } or TaskGone, TimeSpan.FromSeconds(10));
    }

    private void ShouldHaveOneHistory(string[] checkpoints)
    {
        List<ReadEvent> events = Read();
        events.Select(e => e.Sequence).ShouldBe(Enumerable.Range(1, events.Count).Select(i => (long)i));
        events.Select(e => e.Written!.Term).ShouldBeInOrder();
        events.Select(e => e.Written!.Event).OfType<TaskCheckpointed>().Select(c => c.Checkpoint.Name).ShouldBe(checkpoints);
    }

    private List<ReadEvent> Read() =>
        EventTable.ReadAsync(_folder.Database, TaskFixture.Id, 0, int.MaxValue, CancellationToken.None).GetAwaiter().GetResult();
}
