using ActorTrainer.Cluster.Persistence;
using ActorTrainer.Cluster.Rows;
using ActorTrainer.Cluster.Tests.Support;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Tasks;
using Microsoft.Extensions.Logging.Abstractions;

namespace ActorTrainer.Cluster.Tests.Rows;

/// <summary>On SQLite.</summary>
public sealed class SqliteMetricKeeperTests() : MetricKeeperTests(null);

/// <summary>On PostgreSQL.</summary>
[Collection(PostgreSqlServer.Collection)]
[Trait("Requires", "postgresql")]
public sealed class PostgreSqlMetricKeeperTests(PostgreSqlServer server) : MetricKeeperTests(server.NewDatabase());

public abstract class MetricKeeperTests(string? postgreSql) : IAsyncLifetime
{
    private static readonly TaskId Task1 = TaskId.Parse("one-a1b2c");
    private static readonly DateTimeOffset At = new(2026, 11, 28, 12, 0, 0, TimeSpan.Zero);

    private readonly JournalFolder _folder = new(postgreSql);
    private JournalDatabase _database = null!;
    private MetricTable _table = null!;

    public async Task InitializeAsync()
    {
        _database = await _folder.OpenAsync();
        _table = new MetricTable(_database);
        await OwnAsync(7);
    }

    public Task DisposeAsync()
    {
        _folder.Dispose();
        return Task.CompletedTask;
    }

    [Fact]
    public async Task Write_OfWhatWasTold_IsReadBackWithWhatIsNotFinite()
    {
        await using MetricKeeper keeper = Keeper(7);
        keeper.Add(Task1, Point(1, double.NaN));
        keeper.Add(Task1, Point(2, 0.5));

        await keeper.WriteAsync(CancellationToken.None);
        keeper.Add(Task1, Point(3, 0.25));
        await keeper.WriteAsync(CancellationToken.None);

        (await LossesAsync()).ShouldBe([(1, double.NaN), (2, 0.5), (3, 0.25)]);
        (await _table.ReadAsync(Task1, CancellationToken.None)).Points[0].At.ShouldBe(At);
    }

    [Fact]
    public async Task Write_ByTheNextOwner_GoesOnWhereItsCheckpointWas()
    {
        await using MetricKeeper first = Keeper(7);
        first.Add(Task1, Point(1, 1));
        first.Add(Task1, Point(2, 2));
        first.Add(Task1, Point(3, 3));
        await first.WriteAsync(CancellationToken.None);

        await OwnAsync(8);
        await using MetricKeeper second = Keeper(8);
        second.Add(Task1, Point(2, 20));
        await second.WriteAsync(CancellationToken.None);

        (await LossesAsync()).ShouldBe([(1, 1), (2, 20)]);
    }

    [Fact]
    public async Task Write_ByAFormerOwner_ChangesNothing()
    {
        await using MetricKeeper former = Keeper(7);
        former.Add(Task1, Point(1, 1));
        await former.WriteAsync(CancellationToken.None);
        await OwnAsync(8);

        former.Add(Task1, Point(2, 2));
        await former.WriteAsync(CancellationToken.None);

        (await LossesAsync()).ShouldBe([(1, 1)]);
    }

    [Fact]
    public async Task Add_AfterALeave_IsKeptAgain()
    {
        await using MetricKeeper keeper = Keeper(7);
        keeper.Add(Task1, Point(1, 1));
        keeper.Leave(Task1);
        await keeper.WriteAsync(CancellationToken.None);

        keeper.Add(Task1, Point(2, 2));
        await keeper.WriteAsync(CancellationToken.None);

        (await LossesAsync()).ShouldBe([(1, 1), (2, 2)]);
    }

    private MetricKeeper Keeper(long life) => new(_table, life, TimeProvider.System, NullLogger.Instance);

    private static MetricPoint Point(long step, double loss) => new(step, 0, At, new Dictionary<string, double> { ["loss"] = loss });

    private async Task<IEnumerable<(long Step, double Loss)>> LossesAsync() =>
        (await _table.ReadAsync(Task1, CancellationToken.None)).Points.Select(p => (p.Step, p.Metrics["loss"]));

    private Task OwnAsync(long life)
    {
        TaskState state = new() { Task = Task1, Spec = TaskFixture.Spec };
        return new TaskRowTable(_database, 16).WriteAsync(
            [new RowWrite(new TaskRow(state.Summarize(3), 1, 1, life, At, At), null, null)],
            [],
            CancellationToken.None
        );
    }
}
