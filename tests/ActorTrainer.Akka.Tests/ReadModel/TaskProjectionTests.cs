using ActorTrainer.Akka.ReadModel;
using ActorTrainer.Akka.Serialization;
using ActorTrainer.Akka.Tasks;
using ActorTrainer.Akka.Tests.Support;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Journaling;
using ActorTrainer.Core.Tasks;
using Akka.Persistence.Query;
using TaskStatus = ActorTrainer.Core.Tasks.TaskStatus;

namespace ActorTrainer.Akka.Tests.ReadModel;

/// <summary>On SQLite.</summary>
public sealed class SqliteTaskProjectionTests() : TaskProjectionTests(null);

/// <summary>On PostgreSQL.</summary>
[Collection(PostgreSqlServer.Collection)]
[Trait("Requires", "postgresql")]
public sealed class PostgreSqlTaskProjectionTests(PostgreSqlServer server) : TaskProjectionTests(server.NewDatabase());

public abstract class TaskProjectionTests(string? postgreSql) : IAsyncLifetime
{
    private static readonly TaskId Id = TaskFixture.Id;
    private static readonly NodeAddress Node = new("127.0.0.1", 7400);
    private static readonly DateTimeOffset Born = new(2026, 11, 26, 3, 0, 0, TimeSpan.Zero);

    private readonly JournalFolder _folder = new(postgreSql);
    private ReadModelTable _table = null!;
    private TaskProjection _projection = null!;
    private long _ordering;

    public async Task InitializeAsync()
    {
        _table = new ReadModelTable(await _folder.OpenAsync(), 1024);
        _projection = new TaskProjection(_table);
    }

    public Task DisposeAsync()
    {
        _folder.Dispose();
        return Task.CompletedTask;
    }

    [Fact]
    public async Task Take_OfATasksEvents_ShowsItInTheLists()
    {
        await TakeAsync(Submitted(1), Event(2, new TaskActivated(1, 7, Node)), Event(3, new TaskStarted(1, 7, Node, 4711, null, 0)));

        TaskListing listing = (await _table.ListAsync(new ListTasksRequest(Unfinished: true), default)).ShouldHaveSingleItem();
        listing.Summary.Status.ShouldBe(TaskStatus.Running);
        listing.SubmittedAt.ShouldBe(Born.AddSeconds(1));
        listing.ChangedAt.ShouldBe(Born.AddSeconds(3));
        TaskPlace place = (await _table.ReadUnfinishedAsync(default)).ShouldHaveSingleItem();
        (place.Incarnation, place.Term).ShouldBe((7, 1));
        (await _table.ListAsync(new ListTasksRequest(Name: "digits"), default)).Count.ShouldBe(1);
        (await _table.ListAsync(new ListTasksRequest(Name: "other"), default)).ShouldBeEmpty();
        (await _table.ReadPositionAsync(default)).ShouldBe(_ordering);
    }

    [Fact]
    public async Task Take_OfABatchThatWasWrittenBefore_ChangesNothing()
    {
        EventEnvelope[] batch = [Submitted(1), Event(2, new TaskActivated(1, 7, Node)), Event(3, new TaskPaused())];
        await _projection.TakeAsync(batch, default);

        // Another node's projection, which begins at the place on record or before it.
        (await new TaskProjection(_table).TakeAsync([.. batch, Event(4, new TaskResumed())], default)).ShouldBe(1);

        (await _table.ReadUnfinishedAsync(default)).ShouldHaveSingleItem().Summary.Status.ShouldBe(TaskStatus.Pending);
        (await _table.SequenceOfAsync(Id, default)).ShouldBe(4);
    }

    [Fact]
    public async Task Take_WithAnEventMissing_StopsInsteadOfShowingAWrongState()
    {
        await TakeAsync(Submitted(1));

        (await Should.ThrowAsync<InvalidOperationException>(() => TakeAsync(Event(3, new TaskPaused())))).Message.ShouldContain("event 2");
        (await _table.SequenceOfAsync(Id, default)).ShouldBe(1);
    }

    [Fact]
    public async Task Take_OfCheckpointEvents_ListsWhatIsThere()
    {
        await TakeAsync(
            Submitted(1),
            Event(2, new TaskCheckpointed(Checkpoint("c-1-10-a", 10))),
            Event(3, new TaskCheckpointed(Checkpoint("c-1-20-b", 20))),
            Event(4, new TaskCheckpointDamaged("c-1-20-b", "chunk 3")),
            Event(5, new TaskCheckpointed(Checkpoint("c-1-30-c", 30))),
            Event(6, new TaskCheckpointRemoved("c-1-10-a", "keep-last")));

        List<CheckpointListing> listed = await _table.ListCheckpointsAsync(Id, default);

        listed.Select(c => (c.Checkpoint.Name, c.Damaged)).ShouldBe([("c-1-30-c", false), ("c-1-20-b", true)]);
        (await _table.ListCheckpointsAsync(TaskId.Parse("other-aaaaa"), default)).ShouldBeEmpty();
    }

    [Fact]
    public async Task Take_OfAnEventOfANewerVersion_HoldsTheTaskInTheListsWithTheReason()
    {
        await TakeAsync(Submitted(1), Envelope(2, new Unreadable("event-2", "'event-2' was written by another version")), Event(3, new TaskPaused()));

        TaskSummary summary = (await _table.ListAsync(new ListTasksRequest(), default)).ShouldHaveSingleItem().Summary;
        summary.Status.ShouldBe(TaskStatus.Held);
        summary.Detail.ShouldContain("event-2");
        (await new TaskProjection(_table).TakeAsync([Event(4, new TaskResumed())], default)).ShouldBe(1);
        (await _table.ReadUnfinishedAsync(default)).ShouldHaveSingleItem().Summary.Status.ShouldBe(TaskStatus.Held, "what follows cannot be folded either");
    }

    [Fact]
    public async Task Take_OfOtherPersistentActors_PassesOverThem()
    {
        EventEnvelope foreign = new(Offset.Sequence(++_ordering), "/sharding/actortrainer-taskShard/7", 1, "started", 0, []);

        (await _projection.TakeAsync([foreign], default)).ShouldBe(0);

        (await _table.ReadPositionAsync(default)).ShouldBe(_ordering, "they are not looked at again");
    }

    [Fact]
    public async Task Name_TakenByTwoAtOnce_StandsForOneTask()
    {
        TaskId[] drawn = [TaskId.Parse("digits-aaaaa"), TaskId.Parse("digits-bbbbb")];

        TaskId[] named = await Task.WhenAll(drawn.Select(id => _table.NameAsync("digits", id, default)));

        named[0].ShouldBe(named[1]);
        (await _table.FindNameAsync("digits", default)).ShouldBe(named[0]);
        (await _table.FindNameAsync("letters", default)).ShouldBeNull();
    }

    private Task TakeAsync(params EventEnvelope[] batch) => _projection.TakeAsync(batch, default);

    private EventEnvelope Submitted(long sequence) => Event(sequence, new TaskSubmitted(TaskFixture.Spec, "hash"));

    private EventEnvelope Event(long sequence, TaskEvent e) => Envelope(sequence, new JournaledEvent(1, e));

    private EventEnvelope Envelope(long sequence, object e) =>
        new(Offset.Sequence(++_ordering), TaskPersistence.IdOf(Id), sequence, e, Born.AddSeconds(sequence).Ticks, []);

    private static CheckpointRef Checkpoint(string name, long step) => new(name, step, 0, "interval", 1, 1, [], "ab", new Dictionary<string, double>());
}
