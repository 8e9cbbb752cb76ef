using ActorTrainer.Cluster.Persistence;
using ActorTrainer.Cluster.Rows;
using ActorTrainer.Cluster.Tests.Support;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Queries;
using ActorTrainer.Core.Tasks;

namespace ActorTrainer.Cluster.Tests.Rows;

/// <summary>On SQLite.</summary>
public sealed class SqliteTaskRowTableTests() : TaskRowTableTests(null);

/// <summary>On PostgreSQL.</summary>
[Collection(PostgreSqlServer.Collection)]
[Trait("Requires", "postgresql")]
public sealed class PostgreSqlTaskRowTableTests(PostgreSqlServer server) : TaskRowTableTests(server.NewDatabase());

public abstract class TaskRowTableTests(string? postgreSql) : IAsyncLifetime
{
    private static readonly TaskId Task1 = TaskId.Parse("one-a1b2c");
    private static readonly TaskId Task2 = TaskId.Parse("two-a1b2c");
    private static readonly DateTimeOffset At = new(2026, 11, 28, 12, 0, 0, TimeSpan.Zero);

    private readonly JournalFolder _folder = new(postgreSql);
    private JournalDatabase _database = null!;
    private TaskRowTable _table = null!;

    public async Task InitializeAsync()
    {
        _database = await _folder.OpenAsync();
        _table = new TaskRowTable(_database, 16);
    }

    public Task DisposeAsync()
    {
        _folder.Dispose();
        return Task.CompletedTask;
    }

    [Fact]
    public async Task Write_OfANewRow_IsReadAsAChange()
    {
        long claim = (await WriteAsync(Row(Task1, 2, owner: 7), claim: null)).ShouldNotBeNull();

        claim.ShouldBe(1);
        (long version, List<TaskRow> rows) = await _table.ReadChangesAsync(0, CancellationToken.None);
        TaskRow read = rows.ShouldHaveSingleItem();
        (read.Sequence, read.Owner, read.SubmittedAt, read.Version).ShouldBe((2, 7, At, version));
        (await _table.ReadChangesAsync(version, CancellationToken.None)).Rows.ShouldBeEmpty();
    }

    [Fact]
    public async Task Write_ByAnOwnerWhoseRowAnotherHasTaken_IsRefused()
    {
        long first = (await WriteAsync(Row(Task1, 2, owner: 7), claim: null)).ShouldNotBeNull();
        long second = (await WriteAsync(Row(Task1, 2, owner: 8), claim: null)).ShouldNotBeNull();

        (await WriteAsync(Row(Task1, 2, owner: 7), first)).ShouldBeNull("the same sequence, but not its claim any more");
        (await WriteAsync(Row(Task1, 3, owner: 8), second)).ShouldBe(second);
        (await _table.ReadChangesAsync(0, CancellationToken.None)).Rows.ShouldHaveSingleItem().Owner.ShouldBe(8);
    }

    [Fact]
    public async Task Take_ByAnOwnerThatKnowsFewerEvents_IsRefused()
    {
        await WriteAsync(Row(Task1, 9, owner: 7), claim: null);

        (await WriteAsync(Row(Task1, 8, owner: 8), claim: null)).ShouldBeNull();
    }

    [Fact]
    public async Task Refusal_OfOneRow_DoesNotFailItsNeighbours()
    {
        await WriteAsync(Row(Task1, 9, owner: 7), claim: null);

        IReadOnlyList<RowResult> results = (
            await _table.WriteAsync(
                [new RowWrite(Row(Task1, 8, owner: 8), null, null), new RowWrite(Row(Task2, 1, owner: 8), null, null)],
                [],
                CancellationToken.None
            )
        ).Rows;

        results.Select(r => r.Claim).ShouldBe([null, 1]);
    }

    [Fact]
    public async Task Name_TakenTwice_StandsForTheFirstId()
    {
        (await TakeAsync(Task1, "digits")).ShouldBe(Task1);
        (await TakeAsync(Task2, "digits")).ShouldBe(Task1);

        TaskRow row = (await _table.ReadChangesAsync(0, CancellationToken.None)).Rows.ShouldHaveSingleItem();
        (row.Summary.Task, row.Sequence, row.Owner).ShouldBe((Task1, 0, 0));
        (await _table.ListAsync(new TaskFilter(), CancellationToken.None)).ShouldBeEmpty("nothing of it is journaled yet");
    }

    [Fact]
    public async Task Name_Withdrawn_CanBeTakenAgainByTheSameId()
    {
        await TakeAsync(Task1, "digits");
        await _table.WithdrawAsync(Task1, CancellationToken.None);
        (await _table.ReadChangesAsync(0, CancellationToken.None)).Rows.ShouldBeEmpty();

        (await TakeAsync(Task2, "digits")).ShouldBe(Task1);

        (await _table.ReadChangesAsync(0, CancellationToken.None)).Rows.ShouldHaveSingleItem().Summary.Task.ShouldBe(Task1);
    }

    [Fact]
    public async Task Withdrawal_OfATaskWithEvents_DoesNothing()
    {
        await WriteAsync(Row(Task1, 2, owner: 7), claim: null);

        await _table.WithdrawAsync(Task1, CancellationToken.None);

        (await _table.ReadChangesAsync(0, CancellationToken.None)).Rows.ShouldHaveSingleItem();
    }

    [Fact]
    public async Task Finish_OfATask_IsAChangeAndLeavesTheListOfUnfinishedOnes()
    {
        long? claim = await WriteAsync(Row(Task1, 2, owner: 7), claim: null);
        long seen = (await _table.ReadChangesAsync(0, CancellationToken.None)).Version;
        TaskRow done = Row(Task1, 3, owner: 7);

        await WriteAsync(done with { Summary = done.Summary with { Status = Core.Tasks.TaskStatus.Completed } }, claim);

        (await _table.ReadChangesAsync(seen, CancellationToken.None)).Rows.ShouldHaveSingleItem().Summary.IsFinished.ShouldBeTrue();
        (await _table.ListAsync(new TaskFilter(Unfinished: true), CancellationToken.None)).ShouldBeEmpty();
        (await _table.ListAsync(new TaskFilter(Name: "one"), CancellationToken.None)).ShouldHaveSingleItem();
    }

    [Fact]
    public async Task Checkpoints_NotHandedIn_StayAsTheyAre()
    {
        CheckpointListing listing = new(
            Task1,
            new CheckpointRef("c-1-2-x", 2, 0, "interval", 1, 1, [], "ab", new Dictionary<string, double>()),
            1,
            At,
            false
        );
        long? claim = (await _table.WriteAsync([new RowWrite(Row(Task1, 2, 7), [listing], null)], [], CancellationToken.None))
            .Rows[0]
            .Claim;

        await WriteAsync(Row(Task1, 3, owner: 7), claim);

        (await _table.ListCheckpointsAsync(Task1, CancellationToken.None)).ShouldHaveSingleItem().Checkpoint.Name.ShouldBe("c-1-2-x");
        (await _table.ListCheckpointsAsync(null, CancellationToken.None)).Count.ShouldBe(1);
        (await _table.ListCheckpointsAsync(Task2, CancellationToken.None)).ShouldBeEmpty();
    }

    /// <summary>
    /// A writer that commits late must not be passed by: whoever reads changes since a version sees all rows up to it (what froze all lists
    /// when events were followed by their ordering).
    /// </summary>
    [Fact]
    public async Task Changes_OfManyWritersAtOnce_AreAllSeen()
    {
        const int Writers = 4;
        const int Each = 25;
        Dictionary<TaskId, long> seen = [];
        using CancellationTokenSource stop = new();
        Task reading = Task.Run(async () =>
        {
            long version = 0;
            while (true)
            {
                bool last = stop.IsCancellationRequested;
                (version, List<TaskRow> rows) = await _table.ReadChangesAsync(version, CancellationToken.None);
                rows.ForEach(row => seen[row.Summary.Task] = row.Sequence);
                if (last)
                {
                    return;
                }
            }
        });

        await Task.WhenAll(
            Enumerable
                .Range(0, Writers)
                .Select(writer =>
                    Task.Run(async () =>
                    {
                        TaskRowTable own = new(JournalDatabase.Of(_folder.Model.Journal), 16);
                        for (int i = 1; i <= Each; i++)
                        {
                            TaskId task = TaskId.Parse(FormattableString.Invariant($"w{writer}-{i}a1b2c"));
                            await own.WriteAsync([new RowWrite(Row(task, i, owner: 1), null, null)], [], CancellationToken.None);
                        }
                    })
                )
        );
        await stop.CancelAsync();
        await reading;

        seen.Count.ShouldBe(Writers * Each);
    }

    [Fact]
    public async Task Assign_RowsThatKnowAllEvents_HaveAnotherOwnerAndWhoKeptThemIsRefused()
    {
        await JournalAsync(Task1, 2);
        long? claim = await WriteAsync(Row(Task1, 2, owner: 7), claim: null);
        TaskRow row = (await _table.ReadChangesAsync(0, CancellationToken.None)).Rows.ShouldHaveSingleItem();

        (await _table.AssignAsync([Task1], row.Version, 8, CancellationToken.None)).ShouldBeEmpty();

        TaskRow assigned = (await _table.ReadChangesAsync(row.Version, CancellationToken.None)).Rows.ShouldHaveSingleItem();
        (assigned.Owner, assigned.Sequence, assigned.Term, assigned.SubmittedAt).ShouldBe((8, row.Sequence, row.Term, row.SubmittedAt));
        (await WriteAsync(Row(Task1, 3, owner: 7), claim)).ShouldBeNull();
        (await WriteAsync(Row(Task1, 2, owner: 8), claim: null)).ShouldNotBeNull("an actor of the new owner takes it when it is recovered");
    }

    [Fact]
    public async Task Assign_RowThatIsBehindItsEvents_StaysAndIsNamed()
    {
        await JournalAsync(Task1, 3);
        await WriteAsync(Row(Task1, 2, owner: 7), claim: null);
        await WriteAsync(Row(Task2, 2, owner: 7), claim: null);
        List<TaskRow> rows = (await _table.ReadChangesAsync(0, CancellationToken.None)).Rows;

        (await _table.AssignAsync([Task1, Task2], rows.Max(r => r.Version), 8, CancellationToken.None)).ShouldBe([Task1]);

        (await _table.ReadChangesAsync(0, CancellationToken.None))
            .Rows.ToDictionary(r => r.Summary.Task, r => r.Owner)
            .ShouldBe(new Dictionary<TaskId, long> { [Task1] = 7, [Task2] = 8 }, ignoreOrder: true);
    }

    [Fact]
    public async Task Assign_RowThatWasWrittenMeanwhile_StaysAndIsNotNamed()
    {
        await JournalAsync(Task1, 2);
        long? claim = await WriteAsync(Row(Task1, 2, owner: 7), claim: null);
        long seen = (await _table.ReadChangesAsync(0, CancellationToken.None)).Version;
        await WriteAsync(Row(Task1, 2, owner: 7), claim);

        (await _table.AssignAsync([Task1], seen, 8, CancellationToken.None)).ShouldBeEmpty();

        (await _table.ReadChangesAsync(0, CancellationToken.None)).Rows.ShouldHaveSingleItem().Owner.ShouldBe(7);
    }

    /// <summary>Writes as many events of a task as it should have, where the journal's plugin does.</summary>
    private async Task JournalAsync(TaskId task, int events) =>
        await _database.WriteAsync(
            async session =>
            {
                await session.RunAsync(
                    "CREATE TABLE IF NOT EXISTS actortrainer_event (persistence_id TEXT NOT NULL, sequence_number BIGINT NOT NULL)"
                );
                for (int i = 1; i <= events; i++)
                {
                    await session.RunAsync(
                        "INSERT INTO actortrainer_event (persistence_id, sequence_number) VALUES (@a, @b)",
                        TaskPersistence.IdOf(task),
                        (long)i
                    );
                }

                return true;
            },
            CancellationToken.None
        );

    private async Task<long?> WriteAsync(TaskRow row, long? claim) =>
        (await _table.WriteAsync([new RowWrite(row, null, claim)], [], CancellationToken.None)).Rows[0].Claim;

    private async Task<TaskId> TakeAsync(TaskId drawn, string name) =>
        (
            await _table.WriteAsync([], [new NameClaim(drawn, TaskFixture.Spec with { Name = name }, "hash", At)], CancellationToken.None)
        ).Names[0];

    private static TaskRow Row(TaskId task, long sequence, long owner) =>
        new(
            new TaskState { Task = task, Spec = TaskFixture.Spec with { Name = task.Value.Split('-')[0] } }.Summarize(3),
            sequence,
            1,
            owner,
            At,
            At
        );
}
