using ActorTrainer.Cluster.Members;
using ActorTrainer.Cluster.Tests.Support;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Membership;

namespace ActorTrainer.Cluster.Tests.Members;

/// <summary>On SQLite.</summary>
public sealed class SqliteMemberTableTests() : MemberTableTests(null);

/// <summary>On PostgreSQL.</summary>
[Collection(PostgreSqlServer.Collection)]
[Trait("Requires", "postgresql")]
public sealed class PostgreSqlMemberTableTests(PostgreSqlServer server) : MemberTableTests(server.NewDatabase());

public abstract class MemberTableTests(string? postgreSql) : IAsyncLifetime
{
    private readonly JournalFolder _folder = new(postgreSql);
    private MemberTable _table = null!;

    public async Task InitializeAsync() => _table = new MemberTable(await _folder.OpenAsync());

    public Task DisposeAsync()
    {
        _folder.Dispose();
        return Task.CompletedTask;
    }

    [Fact]
    public async Task Register_AgainAtTheSameAddress_EndsTheLifeBefore()
    {
        long first = await RegisterAsync(7401);
        long second = await RegisterAsync(7401);

        second.ShouldBeGreaterThan(first);
        (await ReadAsync()).ShouldBe([(second, MemberStatus.Joining)], "the newest of an address is enough");
    }

    [Fact]
    public async Task RecordGone_ByALivingMember_IsFinal()
    {
        long one = await RegisterAsync(7401);
        long two = await RegisterAsync(7402);

        await _table.RecordGoneAsync(one, two, MemberStatus.Down, default);
        await _table.SetStatusAsync(two, MemberStatus.Up, default);

        (await ReadAsync()).ShouldContain((two, MemberStatus.Down));
    }

    [Fact]
    public async Task RecordGone_ByALifeThatIsDownItself_ChangesNothing()
    {
        long one = await RegisterAsync(7401);
        long two = await RegisterAsync(7402);
        await _table.RecordGoneAsync(one, two, MemberStatus.Down, default);

        await _table.RecordGoneAsync(two, one, MemberStatus.Down, default);

        (await ReadAsync()).ShouldContain((one, MemberStatus.Joining));
    }

    [Fact]
    public async Task Locate_OfALife_IsFoundByWhatAkkaCallsIt()
    {
        long one = await RegisterAsync(7401);

        await _table.LocateAsync(one, "akka.tcp://c@127.0.0.1:8401", -17, default);
        await _table.SetCordonedAsync(one, true, default);

        MemberRow row = (await _table.ReadAsync(default)).ShouldHaveSingleItem();
        (row.Member.System.Address, row.Member.System.Uid, row.Member.Cordoned).ShouldBe(("akka.tcp://c@127.0.0.1:8401", -17, true));
        row.Member.Roles.ShouldBe(["gpu", "large"]);
    }

    private Task<long> RegisterAsync(int port) =>
        _table.RegisterAsync(
            new ClusterMember(0, new NodeAddress("127.0.0.1", port), $"n{port}", ["gpu", "large"], 2, MemberStatus.Joining, false, 17, "1"),
            default
        );

    private async Task<(long Life, MemberStatus Status)[]> ReadAsync() =>
        [.. (await _table.ReadAsync(default)).Select(p => (p.Member.Incarnation, p.Member.Status))];
}
