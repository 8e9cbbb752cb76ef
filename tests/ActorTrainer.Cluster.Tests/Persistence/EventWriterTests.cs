using System.Collections.Immutable;
using System.Data.Common;
using ActorTrainer.Cluster.Messages;
using ActorTrainer.Cluster.Persistence;
using ActorTrainer.Cluster.Tasks;
using ActorTrainer.Cluster.Tests.Support;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Tasks;
using Akka.Actor;
using Akka.Persistence;
using Akka.TestKit.Xunit2;

namespace ActorTrainer.Cluster.Tests.Persistence;

/// <summary>On SQLite.</summary>
[Trait("Lane", "Slow")]
public sealed class SqliteEventWriterTests() : EventWriterTests(null);

/// <summary>On PostgreSQL.</summary>
[Collection(PostgreSqlServer.Collection)]
[Trait("Requires", "postgresql")]
public sealed class PostgreSqlEventWriterTests(PostgreSqlServer server) : EventWriterTests(server.NewDatabase())
{
    [Fact]
    public async Task Write_ByManyAtOnceWhileTheTableIsLocked_LeavesSessionsForOthers()
    {
        EventWriter writer = await WriterAsync();
        TaskCompletionSource locked = new(TaskCreationOptions.RunContinuationsAsynchronously);
        TaskCompletionSource done = new(TaskCreationOptions.RunContinuationsAsynchronously);
        Task locking = Database.WriteAsync(
            async session =>
            {
                await session.RunAsync("LOCK TABLE actortrainer_event IN EXCLUSIVE MODE");
                locked.SetResult();
                await done.Task;
                return true;
            },
            default
        );
        await locked.Task;
        Task[] writing = [.. Enumerable.Range(1, 50).Select(i => writer.WriteAsync([Write(i, 1)], default))];

        List<long> shards = await Database.ReadAsync(
            session => session.QueryAsync("SELECT number_of_shards FROM actortrainer_journal", r => r.GetInt64(0)),
            default
        );

        shards.Count.ShouldBe(1);
        writing.ShouldAllBe(one => !one.IsCompleted);
        done.SetResult();
        await locking;
        await Task.WhenAll(writing);
        (await EventsAsync()).Length.ShouldBe(50);
    }
}

/// <summary>What stands in the table, beside what Akka's own journal writes there.</summary>
public abstract class EventWriterTests : TestKit, IDisposable
{
    private static readonly TaskId Ours = TaskFixture.Id;
    private static readonly TaskId Theirs = TaskId.Parse("theirs-a1b2c");

    private readonly JournalFolder _folder;
    private readonly ActorSystem _host;

    protected EventWriterTests(string? postgreSql)
        : this(new JournalFolder(postgreSql)) { }

    private EventWriterTests(JournalFolder folder)
        : base(TestSystems.InSql(folder.Model))
    {
        _folder = folder;
        folder.OpenAsync().GetAwaiter().GetResult();
        _host = ActorSystem.Create("host", TestSystems.InSqlOfAHost(folder.Model));
    }

    private protected JournalDatabase Database => _folder.Database;

    [Fact]
    public async Task Row_OfAnEvent_IsAsAkkasOwnJournalWritesIt()
    {
        new TaskFixture(this, system: _host, id: Theirs).Submit();
        new TaskFixture(this, id: Ours).Submit();

        (await RowAsync(Ours)).ShouldBe(await RowAsync(Theirs));
    }

    [Fact]
    public void Event_IsReplayedByAkkasOwnJournal()
    {
        TaskFixture ours = new(this, id: Ours);
        ours.Submit();
        ours.Actor.Tell(StopTask.Instance);
        ours.ShouldStop();

        TaskFixture theirs = new(this, incarnation: 2, _host, id: Ours);

        theirs.Submit().Reply.ShouldBe(new CommandAccepted(Ours, Existed: true));
        theirs.Ask(new PauseTask()).Reply.ShouldBeOfType<CommandAccepted>();
    }

    [Fact]
    public async Task Write_WithANumberThatIsTaken_WritesNothingOfItAndSaysSo()
    {
        EventWriter writer = await WriterAsync();
        (await writer.WriteAsync([Write(1, 1)], default)).ShouldBeNull();

        DbException refused = await Should.ThrowAsync<DbException>(writer.WriteAsync([Write(2, 2), Write(3, 1)], default));

        DatabaseErrors.IsRefusal(refused).ShouldBeTrue(refused.ToString());
        (await EventsAsync()).ShouldBe([1]);
        (await writer.WriteAsync([Write(2, 2)], default)).ShouldBeNull();
        (await EventsAsync()).ShouldBe([1, 2, 3]);
    }

    [Fact]
    public async Task Write_OfWhatCannotBeSerialized_IsRejectedAndTheOthersAreWritten()
    {
        EventWriter writer = await WriterAsync();

        IImmutableList<Exception?> problems = (await writer.WriteAsync([Write(1, 1), Of(new Unwritable(), 2), Write(2, 1)], default))!;

        problems.Select(p => p is null).ShouldBe([true, false, true]);
        problems[1]!.GetBaseException().Message.ShouldBe("not this one");
        (await EventsAsync()).ShouldBe([1, 2]);
    }

    public new void Dispose()
    {
        _host.Terminate().GetAwaiter().GetResult();
        base.Dispose();
        _folder.Dispose();
    }

    /// <summary>The table is made by the journal when its first actor comes.</summary>
    private protected async Task<EventWriter> WriterAsync()
    {
        new TaskFixture(this, id: Theirs).Submit();
        await EventTable.RemoveAsync(_folder.Database, Theirs, default);
        return new EventWriter(_folder.Database, Sys.Serialization, TimeProvider.System);
    }

    /// <summary>Events as one write, from a number on.</summary>
    private protected static AtomicWrite Write(long from, int count) =>
        new(
            Enumerable
                .Range(0, count)
                .Select(i => One(new JournaledEvent(1, new TaskPaused(), DateTimeOffset.UnixEpoch), from + i))
                .ToImmutableList()
        );

    private static AtomicWrite Of(object payload, long sequence) => new(One(payload, sequence));

    private static IPersistentRepresentation One(object payload, long sequence) =>
        new Persistent(payload, sequence, TaskPersistence.IdOf(Ours), writerGuid: "w");

    private protected async Task<long[]> EventsAsync() =>
        [.. (await EventTable.ReadAsync(_folder.Database, Ours, 0, int.MaxValue, default)).Select(e => e.Sequence)];

    /// <summary>
    /// What a task's first row says, without what differs between two of them: order, id, the event's time, and the writer's name and time.
    /// </summary>
    private async Task<(object, long, object, int, string, Type, bool, bool)> RowAsync(TaskId task)
    {
        long now = TimeProvider.System.GetUtcNow().Ticks;
        return (
            await _folder.Database.ReadAsync(
                session =>
                    session.QueryAsync(
                        "SELECT deleted, sequence_number, tags, identifier, manifest, message, created, writer_uuid "
                            + "FROM actortrainer_event WHERE persistence_id = @a",
                        r =>
                            (
                                r.GetValue(0),
                                r.GetInt64(1),
                                r.GetValue(2),
                                r.GetInt32(3),
                                r.GetString(4),
                                r.GetValue(5).GetType(),
                                Math.Abs(r.GetInt64(6) - now) < TimeSpan.TicksPerMinute,
                                Guid.TryParse(r.GetString(7), out _)
                            ),
                        TaskPersistence.IdOf(task)
                    ),
                default
            )
        ).ShouldHaveSingleItem();
    }

    private sealed class Unwritable
    {
        private readonly string _problem = "not this one";

        public int Value => throw new InvalidOperationException(_problem);
    }
}
