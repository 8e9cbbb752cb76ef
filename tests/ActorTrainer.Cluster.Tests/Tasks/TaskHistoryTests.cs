using ActorTrainer.Cluster.Messages;
using ActorTrainer.Cluster.Persistence;
using ActorTrainer.Cluster.Rows;
using ActorTrainer.Cluster.Tasks;
using ActorTrainer.Cluster.Tests.Support;
using ActorTrainer.Core.Tasks;
using Akka.Actor;
using Akka.TestKit.Xunit2;
using TaskStatus = ActorTrainer.Core.Tasks.TaskStatus;

namespace ActorTrainer.Cluster.Tests.Tasks;

/// <summary>On SQLite.</summary>
[Trait("Lane", "Slow")]
public sealed class SqliteTaskHistoryTests() : TaskHistoryTests(null);

/// <summary>On PostgreSQL.</summary>
[Collection(PostgreSqlServer.Collection)]
[Trait("Requires", "postgresql")]
[Trait("Lane", "Slow")]
public sealed class PostgreSqlTaskHistoryTests(PostgreSqlServer server) : TaskHistoryTests(server.NewDatabase());

/// <summary>What is deleted of a task's history, and what a task does of which something is missing.</summary>
public abstract class TaskHistoryTests : TestKit, IAsyncLifetime
{
    private const int Keep = 10;
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    private readonly JournalFolder _folder;
    private JournalDatabase _database = null!;
    private JournalTables _tables = null!;

    protected TaskHistoryTests(string? postgreSql)
        : this(new JournalFolder(postgreSql)) { }

    private TaskHistoryTests(JournalFolder folder)
        : base(TestSystems.InSql(folder.Model)) => _folder = folder;

    public async Task InitializeAsync()
    {
        _database = await _folder.OpenAsync();
        _tables = new JournalTables(_database);
    }

    public async Task DisposeAsync()
    {
        await Sys.Terminate();
        await _tables.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task Archive_OfATaskThatHasEnded_LeavesOneEventAndARowInTheArchive()
    {
        await TakeNameAsync();
        TaskFixture task = New(1);
        task.Submit();
        task.Ask(new CancelTask());
        await _tables.Writer.FlushAsync(TaskFixture.Id);

        task.Ask(new ArchiveTask()).Reply.ShouldBeOfType<CommandAccepted>();
        task.ShouldStop();

        (await ReadAsync()).ShouldHaveSingleItem().Written!.Event.ShouldBeOfType<TaskArchived>();
        (await _tables.Table.SequenceOfAsync(TaskFixture.Id, CancellationToken.None)).ShouldBeNull();
        (await _tables.Table.FindNameAsync("digits", CancellationToken.None)).ShouldBeNull("its name is free");
        (
            await CountAsync(
                "SELECT COUNT(*) FROM actortrainer_archive WHERE task = 'digits-a1b2c' AND name = 'digits' AND summary LIKE '%ancelled%'"
            )
        ).ShouldBe(1);
        New(2).Ask(new ResumeTask()).Reply.ShouldBeOfType<CommandRefused>().NotFound.ShouldBeTrue();
    }

    [Fact]
    public async Task Archive_OfATaskThatHasNotEnded_IsRefused()
    {
        TaskFixture task = New(1);
        task.Submit();

        task.Ask(new ArchiveTask()).Reply.ShouldBeOfType<CommandRefused>();

        (await ReadAsync()).Count.ShouldBe(1);
    }

    [Fact]
    public async Task Archive_LostBeforeItsHistoryIsDeleted_IsDoneWhenTheTaskIsRecovered()
    {
        TaskFixture lost = new(this);
        lost.Submit();
        lost.Ask(new CancelTask());
        lost.Ask(new ArchiveTask()).Reply.ShouldBeOfType<CommandAccepted>();
        lost.ShouldStop();
        (await ReadAsync()).Count.ShouldBe(3, "this node deletes nothing");

        TaskFixture next = New(2);

        next.Ask(new ArchiveTask()).Reply.ShouldBeOfType<CommandAccepted>();
        next.ShouldStop();
        (await ReadAsync()).ShouldHaveSingleItem().Sequence.ShouldBe(3);
    }

    [Fact]
    public async Task Owner_WhoseTaskWasArchivedElsewhere_WritesNothing()
    {
        TaskFixture first = New(1);
        first.Submit();
        first.Ask(new PauseTask());
        TaskFixture second = New(2);
        second.Ask(new CancelTask());
        second.Ask(new ArchiveTask());
        second.ShouldStop();

        // It still takes the task for paused, and for its own.
        first.Actor.Tell(new TaskRequest(TaskFixture.Id, new ResumeTask()), ActorRefs.NoSender);

        first.ShouldStop();
        (await ReadAsync()).ShouldHaveSingleItem().Written!.Event.ShouldBeOfType<TaskArchived>();
    }

    [Fact]
    public async Task KeepEvents_AfterTwoSnapshots_DeletesWhatBothCoverAndTheTaskGoesOn()
    {
        TaskFixture task = await WriteManyAsync();

        List<ReadEvent> left = await ReadAsync();
        left[0].Sequence.ShouldBe(TrainingTaskActor.SnapshotEvery + 1);
        (await CountAsync("SELECT deleted_to FROM actortrainer_task")).ShouldBe(TrainingTaskActor.SnapshotEvery);
        (await CountAsync("SELECT COUNT(*) FROM actortrainer_snapshot")).ShouldBe(2);
        Lose(task);
        New(2).Ask(new CancelTask()).Sequence.ShouldBe(left[^1].Sequence + 2, "an activation, and this");
    }

    [Fact]
    public async Task KeepEvents_OwnerOfLongAgo_CannotWriteWhereEventsAreDeleted()
    {
        // It must not go to rest meanwhile: one that does takes no command.
        TaskFixture old = New(1, restAfter: TimeSpan.FromHours(1));
        old.Submit();
        TaskFixture task = await WriteManyAsync(New(2));
        long[] before = [.. (await ReadAsync()).Select(e => e.Sequence)];

        old.Actor.Tell(new TaskRequest(TaskFixture.Id, new CancelTask()), ActorRefs.NoSender);

        old.ShouldStop();
        (await ReadAsync()).Select(e => e.Sequence).ShouldBe(before);
        task.Ask(new CancelTask()).Reply.ShouldBeOfType<CommandAccepted>();
    }

    [Fact]
    public async Task Recovery_NewestSnapshotDamaged_UsesTheOneBefore()
    {
        Lose(await WriteManyAsync());
        long last = (await ReadAsync())[^1].Sequence;
        await RunAsync(
            "UPDATE actortrainer_snapshot SET snapshot = @b WHERE sequence_number = @a",
            2 * TrainingTaskActor.SnapshotEvery,
            "{ damaged"u8.ToArray()
        );
        TaskFixture next = New(2);
        next.ShouldStop();

        IActorRef again = next.Parent.ChildActorOf(TrainingTaskActor.Props(TaskFixture.Id, next.Host));
        again.Tell(new TaskRequest(TaskFixture.Id, new CancelTask()), TestActor);

        ExpectMsg<TaskAnswer>(Limit).Sequence.ShouldBe(last + 2, "an activation, and this");
    }

    [Fact]
    public async Task Recovery_WithoutASnapshotThatCoversWhatIsDeleted_HoldsAndFoldsNothing()
    {
        Lose(await WriteManyAsync());
        int events = (await ReadAsync()).Count;
        await RunAsync("DELETE FROM actortrainer_snapshot");

        TaskFixture task = New(2);

        task.Ask(new ResumeTask()).Reply.ShouldBeOfType<CommandRefused>().Reason.ShouldContain("events 1 to 200");
        (await ReadAsync()).Count.ShouldBe(events);
        await AwaitConditionAsync(async () => (await RowAsync()).Summary.Status == TaskStatus.Held, Limit);
        (await RowAsync()).Summary.Detail.ShouldContain("no snapshot");
    }

    [Fact]
    public async Task Trim_SnapshotThatDoesNotReadBackAsWritten_DeletesNothing()
    {
        Lose(await WriteManyAsync());
        int events = (await ReadAsync()).Count;
        FoldedTask other = new(TaskState.FoldVersion, new TaskState { Task = TaskFixture.Id, Spec = TaskFixture.Spec }, TaskTimes.None);

        (
            await _tables.History.TrimAsync(TaskFixture.Id, 2 * TrainingTaskActor.SnapshotEvery, other, 300, CancellationToken.None)
        ).ShouldBeFalse();

        (await ReadAsync()).Count.ShouldBe(events);
    }

    [Fact]
    public async Task Finished_BeyondACountOrAnAge_AreFoundOldestFirst()
    {
        DateTimeOffset start = new(2026, 11, 1, 0, 0, 0, TimeSpan.Zero);
        for (int day = 0; day < 5; day++)
        {
            await WriteFinishedAsync($"task{day}-a1b2c", start.AddDays(day), TaskStatus.Completed);
        }

        await WriteFinishedAsync("runs-a1b2c", start, TaskStatus.Running);

        (await FinishedAsync(before: start.AddDays(2), most: long.MaxValue)).ShouldBe(["task0", "task1"]);
        (await FinishedAsync(before: DateTimeOffset.MinValue, most: 2)).ShouldBe(["task0", "task1", "task2"]);
        (await FinishedAsync(before: start.AddDays(4), most: 2)).ShouldBe(["task0", "task1", "task2", "task3"]);
        (await FinishedAsync(before: DateTimeOffset.MinValue, most: 5)).ShouldBeEmpty();
    }

    private async Task<string[]> FinishedAsync(DateTimeOffset before, long most) =>
        [.. (await _tables.Table.ReadFinishedAsync(before, most, 10, CancellationToken.None)).Select(t => t.Value.Split('-')[0])];

    private Task WriteFinishedAsync(string id, DateTimeOffset at, TaskStatus status)
    {
        TaskState state = new()
        {
            Task = Core.Identity.TaskId.Parse(id),
            Spec = TaskFixture.Spec,
            Status = status,
        };
        return _tables.Table.WriteAsync(
            [new RowWrite(new TaskRow(state.Summarize(3), 3, 1, 0, at, at), null, null)],
            [],
            CancellationToken.None
        );
    }

    private TaskFixture New(long life, TimeSpan? restAfter = null) =>
        new(this, incarnation: life, journal: _tables, keepEvents: Keep, restAfter: restAfter);

    /// <summary>A task that has written two snapshots, and all that follows is done.</summary>
    private async Task<TaskFixture> WriteManyAsync(TaskFixture? task = null)
    {
        task ??= New(1);
        task.Submit();
        await _tables.Writer.FlushAsync(TaskFixture.Id);
        for (int i = 0; i <= 2 * TrainingTaskActor.SnapshotEvery; i++)
        {
            task.Ask(i % 2 == 0 ? new PauseTask() : new ResumeTask()).Reply.ShouldBeOfType<CommandAccepted>();
        }

        await AwaitConditionAsync(async () => (await ReadAsync())[0].Sequence > 1, Limit);
        return task;
    }

    private static void Lose(TaskFixture task)
    {
        task.Actor.Tell(StopTask.Instance);
        task.ShouldStop();
    }

    private Task TakeNameAsync() =>
        _tables.Writer.TakeNameAsync(new NameClaim(TaskFixture.Id, TaskFixture.Spec, "hash", default), CancellationToken.None);

    private async Task<TaskRow> RowAsync() => (await _tables.Table.ReadChangesAsync(0, CancellationToken.None)).Rows.ShouldHaveSingleItem();

    private Task<List<ReadEvent>> ReadAsync() => EventTable.ReadAsync(_database, TaskFixture.Id, 0, int.MaxValue, CancellationToken.None);

    private async Task<long> CountAsync(string sql) =>
        (await _database.ReadAsync(session => session.QueryAsync(sql, r => r.GetInt64(0)), CancellationToken.None))[0];

    private Task RunAsync(string sql, params object[] values) =>
        _database.WriteAsync(session => session.RunAsync(sql, values), CancellationToken.None);
}
