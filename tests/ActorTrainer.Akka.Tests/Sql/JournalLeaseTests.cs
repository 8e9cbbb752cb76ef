using ActorTrainer.Akka.Hosting;
using ActorTrainer.Akka.Members;
using ActorTrainer.Akka.Sql;
using ActorTrainer.Akka.Tests.Support;
using ActorTrainer.Core.Journaling;
using Akka.Actor;
using Akka.Configuration;
using Akka.Coordination;
using Microsoft.Extensions.Logging.Abstractions;

namespace ActorTrainer.Akka.Tests.Sql;

/// <summary>On SQLite.</summary>
public sealed class SqliteJournalLeaseTests() : JournalLeaseTests(null);

/// <summary>On PostgreSQL.</summary>
[Collection(PostgreSqlServer.Collection)]
[Trait("Requires", "postgresql")]
public sealed class PostgreSqlJournalLeaseTests(PostgreSqlServer server) : JournalLeaseTests(server.NewDatabase());

public abstract class JournalLeaseTests(string? postgreSql) : IAsyncLifetime
{
    private readonly JournalFolder _folder = new(postgreSql);
    private readonly List<ActorSystem> _systems = [];

    public Task InitializeAsync() => _folder.OpenAsync();

    public async Task DisposeAsync()
    {
        foreach (ActorSystem system in _systems)
        {
            await system.Terminate();
        }

        _folder.Dispose();
    }

    [Fact]
    public async Task Acquire_OfAFreeLease_IsGivenToOneOfTwo()
    {
        JournalLease one = Lease(1);
        JournalLease two = Lease(2);

        bool[] taken = await Task.WhenAll(one.Acquire(), two.Acquire());

        taken.Count(t => t).ShouldBe(1);
        new[] { one.CheckLease(), two.CheckLease() }.ShouldBe(taken);
        await one.Release();
        await two.Release();
    }

    [Fact]
    public async Task Acquire_OfALeaseThatIsKept_IsRefused()
    {
        JournalLease one = Lease(1);
        (await one.Acquire()).ShouldBeTrue();

        (await Lease(2).Acquire()).ShouldBeFalse();

        (await one.Acquire()).ShouldBeTrue("it is its own");
        await one.Release();
    }

    [Fact]
    public async Task Acquire_AfterARelease_Succeeds()
    {
        JournalLease one = Lease(1);
        await one.Acquire();
        await one.Release();
        JournalLease two = Lease(2);

        (await two.Acquire()).ShouldBeTrue();

        one.CheckLease().ShouldBeFalse();
        await two.Release();
    }

    [Fact]
    public async Task Acquire_OfALeaseWhoseHolderIsSilent_TakesItAndTellsTheHolderWhenItWakes()
    {
        // As a crashed or stopped holder leaves it.
        await _folder.Database.WriteAsync(
            session => session.RunAsync("INSERT INTO actortrainer_lease (name, owner, beat) VALUES ('sbr', 'somebody#9', 41)"), CancellationToken.None);
        JournalLease two = Lease(2);

        (await two.Acquire()).ShouldBeTrue();

        TaskCompletionSource<Exception> lost = new();
        await _folder.Database.WriteAsync(session => session.RunAsync("DELETE FROM actortrainer_lease"), CancellationToken.None);
        JournalLease three = Lease(3);
        (await three.Acquire(e => lost.TrySetResult(e))).ShouldBeTrue();
        await _folder.Database.WriteAsync(session => session.RunAsync("UPDATE actortrainer_lease SET owner = 'thief'"), CancellationToken.None);
        (await lost.Task.WaitAsync(TimeSpan.FromSeconds(10))).Message.ShouldContain("taken by another node");
        three.CheckLease().ShouldBeFalse();
    }

    [Fact]
    public async Task Acquire_ByALifeThatIsDownOnRecord_IsRefused()
    {
        MemberTable members = new(_folder.Database);
        MemberRow row = new(0, _folder.Model.Address, "n1", [], 1, MemberStatus.Up, false, 1, "1");
        long first = await members.RegisterAsync(row, CancellationToken.None);
        long second = await members.RegisterAsync(row, CancellationToken.None);

        (await Lease(first).Acquire()).ShouldBeFalse("a later life of its address has registered");

        JournalLease lease = Lease(second);
        (await lease.Acquire()).ShouldBeTrue();
        await lease.Release();
    }

    [Fact]
    public async Task Acquire_WithoutAJournal_IsRefusedInTime()
    {
        JournalLease lease = Lease(1);
        await _folder.Database.WriteAsync(session => session.RunAsync("DROP TABLE actortrainer_lease"), CancellationToken.None);

        (await lease.Acquire()).ShouldBeFalse();
    }

    private JournalLease Lease(long incarnation)
    {
        ActorSystem system = ActorSystem.Create(
            $"lease{incarnation}",
            BootstrapSetup.Create().WithConfig(ConfigurationFactory.ParseString("akka.loglevel = OFF\nakka.stdout-loglevel = OFF"))
                .And(new EngineSetup(_folder.Database, incarnation, NullLoggerFactory.Instance, TimeProvider.System)));
        _systems.Add(system);
        TimeoutSettings times = new(TimeSpan.FromMilliseconds(100), TimeSpan.FromMilliseconds(500), TimeSpan.FromSeconds(3));
        return new JournalLease(new LeaseSettings("sbr", $"127.0.0.1:{8400 + incarnation}", times, Config.Empty), (ExtendedActorSystem)system);
    }
}
