using ActorTrainer.Cluster.Members;
using ActorTrainer.Cluster.Persistence;
using ActorTrainer.Cluster.Tests.Support;
using ActorTrainer.Core.Cluster;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Membership;
using Microsoft.Extensions.Logging.Abstractions;

namespace ActorTrainer.Cluster.Tests.Members;

/// <summary>On SQLite.</summary>
public sealed class SqliteClusterTableTests() : ClusterTableTests(null);

/// <summary>On PostgreSQL.</summary>
[Collection(PostgreSqlServer.Collection)]
[Trait("Requires", "postgresql")]
public sealed class PostgreSqlClusterTableTests(PostgreSqlServer server) : ClusterTableTests(server.NewDatabase());

public abstract class ClusterTableTests(string? postgreSql) : IAsyncLifetime
{
    private readonly JournalFolder _folder = new(postgreSql);
    private JournalDatabase _database = null!;
    private MemberTable _members = null!;
    private ClusterTable _table = null!;

    public async Task InitializeAsync()
    {
        _database = await _folder.OpenAsync();
        _members = new MemberTable(_database);
        _table = new ClusterTable(_database);
    }

    public Task DisposeAsync()
    {
        _folder.Dispose();
        return Task.CompletedTask;
    }

    /// <summary>On PostgreSQL each would wait for the other's locks, and one of them be ended as a deadlock.</summary>
    [Fact]
    public async Task Ensure_WhileAnotherNodeWrites_WaitsForNothing()
    {
        bool opened = await _database.WriteAsync(
            async session =>
            {
                await session.RunAsync("UPDATE actortrainer_row_version SET version = version + 1");
                await session.RunAsync("UPDATE actortrainer_task SET finished = finished");
                await session.RunAsync("UPDATE actortrainer_cluster SET decision = decision");
                await _folder.OpenAsync().WaitAsync(TimeSpan.FromSeconds(4), TimeProvider.System);
                return true;
            },
            default
        );

        opened.ShouldBeTrue();
    }

    [Fact]
    public async Task Found_ByManyAtOnce_OneWins()
    {
        long[] lives = [await RegisterAsync(1), await RegisterAsync(2), await RegisterAsync(3), await RegisterAsync(4)];

        bool[] won = await Task.WhenAll(lives.Select(life => Task.Run(() => _table.FoundAsync(life, 0, [], default))));

        won.Count(w => w).ShouldBe(1);
        ClusterRecord record = await _table.ReadAsync(default);
        (record.Epoch, record.Founder).ShouldBe((1, lives[Array.IndexOf(won, true)]));
        record.Find(record.Founder)!.Epoch.ShouldBe(1);
    }

    [Fact]
    public async Task Found_WhileAnotherOfTheEpochMayLive_IsRefused()
    {
        long first = await FoundedAsync();
        long second = await RegisterAsync(2);

        (await _table.FoundAsync(second, 1, [], default)).ShouldBeFalse("the founder lives, though it is not up yet");
        await _members.SetStatusAsync(first, MemberStatus.Up, default);
        (await _table.FoundAsync(second, 1, [], default)).ShouldBeFalse();

        (await _table.FoundAsync(second, 1, [first], default)).ShouldBeTrue();
        ClusterRecord record = await _table.ReadAsync(default);
        (record.Epoch, record.Founder, record.Find(first)!.Member.Status).ShouldBe((2, second, MemberStatus.Down));
    }

    [Fact]
    public async Task Enter_OfAnEpochThatIsPast_IsRefused()
    {
        await FoundedAsync();
        long second = await RegisterAsync(2);

        (await _table.EnterAsync(second, 0, default)).ShouldBeFalse();
        (await _table.EnterAsync(second, 1, default)).ShouldBeTrue();
        (await _table.ReadAsync(default)).Find(second)!.Epoch.ShouldBe(1);
    }

    /// <summary>A life that saw its own entry before it saw its cluster would take itself for one of a cluster that is past.</summary>
    [Fact]
    public async Task Read_WhileClustersAreFounded_IsOfOneMoment()
    {
        List<long> past = [];
        Task founding = Task.Run(async () =>
        {
            for (int epoch = 0; epoch < 200; epoch++)
            {
                long life = await RegisterAsync(1 + epoch % 2);
                (await _table.FoundAsync(life, epoch, past, default)).ShouldBeTrue();
                past.Add(life);
            }
        });

        List<ClusterRecord> seen = [];
        while (!founding.IsCompleted)
        {
            seen.Add(await _table.ReadAsync(default));
        }

        await founding;
        seen.Select(record => record.Epoch).Distinct().Count().ShouldBeGreaterThan(10, "it was read in the midst of it");
        seen.Where(record => record.Rows.Any(row => row.Epoch > 0 && row.Member.IsRegistered && row.Epoch != record.Epoch))
            .Select(record => record.Epoch)
            .ShouldBeEmpty();
    }

    [Fact]
    public async Task Take_ByBothSidesAtOnce_OneGetsTheOther()
    {
        long first = await FoundedAsync();
        long second = await RegisterAsync(2);
        await _table.EnterAsync(second, 1, default);

        TakeResult[] results = await Task.WhenAll(
            Task.Run(() => _table.TakeAsync(first, 1, 0, [second], default)),
            Task.Run(() => _table.TakeAsync(second, 1, 0, [first], default))
        );

        results.ShouldBe([TakeResult.Taken, TakeResult.Refused], ignoreOrder: true);
        ClusterRecord record = await _table.ReadAsync(default);
        record.Rows.Count(row => row.Member.IsRegistered).ShouldBe(1);
        record.Decision.ShouldBe(1);
    }

    [Fact]
    public async Task Take_AfterSomebodyElseDecided_HasToReadAnew()
    {
        long first = await FoundedAsync();
        long second = await RegisterAsync(2);
        long third = await RegisterAsync(3);
        (await _table.TakeAsync(first, 1, 0, [second], default)).ShouldBe(TakeResult.Taken);

        (await _table.TakeAsync(third, 1, 0, [first], default)).ShouldBe(TakeResult.Outdated);
        (await _table.TakeAsync(third, 1, 1, [first], default)).ShouldBe(TakeResult.Taken);
        (await _table.TakeAsync(first, 1, 2, [third], default)).ShouldBe(TakeResult.Refused, "it is down itself");
        (await _table.TakeAsync(third, 0, 2, [first], default)).ShouldBe(TakeResult.Refused, "it is of another cluster");
    }

    [Fact]
    public async Task Pulse_OfALife_ShowsThatItLivesUntilItEnds()
    {
        long life = await RegisterAsync(1);
        LifeProof proof = new(_database, _folder.Model.Journal.Path);
        (await proof.AskAsync(life + 100, default)).LockFree.ShouldBeNull("there is no such life");

        LifePulse pulse = await LifePulse.BeginAsync(
            _database,
            _folder.Model.Journal.Path,
            life,
            TimeProvider.System,
            NullLogger.Instance,
            default
        );
        (await proof.AskAsync(life, default)).LockFree.ShouldBe(false);
        long before = await BeatAsync(life);
        await WaitAsync(async () => await BeatAsync(life) > before);
        await pulse.DisposeAsync();

        await WaitAsync(async () => DeathRule.IsProven(await proof.AskAsync(life, default)));
        long last = await BeatAsync(life);
        last.ShouldBe(await BeatAsync(life));
    }

    private async Task<long> FoundedAsync()
    {
        long life = await RegisterAsync(1);
        (await _table.FoundAsync(life, 0, [], default)).ShouldBeTrue();
        return life;
    }

    private Task<long> RegisterAsync(int node) =>
        _members.RegisterAsync(
            new ClusterMember(0, new NodeAddress("127.0.0.1", 7400 + node), $"n{node}", [], 2, MemberStatus.Joining, false, 17, "1"),
            default
        );

    private async Task<long> BeatAsync(long life) => (await _table.ReadAsync(default)).Find(life)!.Beat;

    internal static async Task WaitAsync(Func<Task<bool>> condition)
    {
        long started = TimeProvider.System.GetTimestamp();
        while (!await condition())
        {
            TimeProvider.System.GetElapsedTime(started).ShouldBeLessThan(TimeSpan.FromSeconds(30));
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System);
        }
    }
}
