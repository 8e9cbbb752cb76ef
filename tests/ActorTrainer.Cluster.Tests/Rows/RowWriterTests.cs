using ActorTrainer.Cluster.Persistence;
using ActorTrainer.Cluster.Rows;
using ActorTrainer.Cluster.Tests.Support;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Tasks;
using Akka.TestKit;
using Akka.TestKit.Xunit2;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging.Abstractions;

namespace ActorTrainer.Cluster.Tests.Rows;

public sealed class RowWriterTests : TestKit, IAsyncLifetime
{
    private static readonly TaskId Id = TaskId.Parse("digits-a1b2c");

    private readonly JournalFolder _folder = new();
    private TaskRowTable _table = null!;
    private RowWriter _writer = null!;

    public RowWriterTests()
        : base(TestSystems.InMemory()) { }

    public async Task InitializeAsync()
    {
        JournalDatabase database = await _folder.OpenAsync();
        _table = new TaskRowTable(database, 16);
        _writer = NewWriter();
    }

    public async Task DisposeAsync()
    {
        await _writer.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task Put_OfSeveralRowsOfATask_WritesTheLast()
    {
        _writer.Enter(Id, TestActor);
        for (long sequence = 2; sequence <= 50; sequence++)
        {
            _writer.Put(TestActor, Row(sequence, owner: 1), null);
        }

        await _writer.FlushAsync(Id);

        (await _table.SequenceOfAsync(Id, CancellationToken.None)).ShouldBe(50);
    }

    [Fact]
    public async Task Put_AfterAnotherOwnerTookTheRow_TellsTheActor()
    {
        await using RowWriter other = NewWriter();
        TestProbe elsewhere = CreateTestProbe();
        _writer.Enter(Id, TestActor);
        _writer.Put(TestActor, Row(2, owner: 1), null);
        await _writer.FlushAsync(Id);
        other.Enter(Id, elsewhere);
        other.Put(elsewhere, Row(2, owner: 2), null);
        await other.FlushAsync(Id);

        _writer.Put(TestActor, Row(2, owner: 1), null);

        ExpectMsg<RowRefused>(TimeSpan.FromSeconds(10)).Task.ShouldBe(Id);
        elsewhere.ExpectNoMsg(TimeSpan.FromMilliseconds(200));
    }

    [Fact]
    public async Task Put_ByAnActorThatIsNotTheTasksAnyMore_IsIgnored()
    {
        TestProbe next = CreateTestProbe();
        _writer.Enter(Id, TestActor);
        _writer.Enter(Id, next);
        _writer.Leave(Id, TestActor);

        _writer.Put(TestActor, Row(9, owner: 1), null);
        _writer.Put(next, Row(2, owner: 1), null);
        await _writer.FlushAsync(Id);

        (await _table.SequenceOfAsync(Id, CancellationToken.None)).ShouldBe(2);
    }

    [Fact]
    [Trait("Lane", "Slow")]
    public async Task Rows_WhileTheDatabaseIsAway_WaitAndAreWrittenAfterwards()
    {
        _writer.Enter(Id, TestActor);
        using (SqliteConnection holder = new($"Data Source={_folder.Model.Journal.Path}"))
        {
            holder.Open();
            await Execute(holder, "BEGIN EXCLUSIVE");
            _writer.Put(TestActor, Row(5, owner: 1), null);

            // The flush gives up when the write does, after the 5 s that SQLite waits for another writer, and keeps nobody waiting for
            // longer.
            await _writer.FlushAsync(Id).WaitAsync(TimeSpan.FromSeconds(15), TimeProvider.System);
            await Execute(holder, "ROLLBACK");
        }

        await AwaitConditionAsync(async () => await _table.SequenceOfAsync(Id, CancellationToken.None) == 5, TimeSpan.FromSeconds(20));
        ExpectNoMsg(TimeSpan.FromMilliseconds(100));
    }

    [Fact]
    public async Task Name_OnAFreshJournal_IsTaken() =>
        (await _writer.TakeNameAsync(new NameClaim(Id, TaskFixture.Spec, "hash", default), CancellationToken.None)).ShouldBe(Id);

    private RowWriter NewWriter() => new(_table, () => { }, TimeProvider.System, NullLogger.Instance);

    private static async Task Execute(SqliteConnection connection, string sql)
    {
        await using SqliteCommand command = connection.CreateCommand();
        command.CommandText = sql;
        await command.ExecuteNonQueryAsync();
    }

    private static TaskRow Row(long sequence, long owner) =>
        new(new TaskState { Task = Id, Spec = TaskFixture.Spec }.Summarize(3), sequence, 1, owner, default, default);
}
