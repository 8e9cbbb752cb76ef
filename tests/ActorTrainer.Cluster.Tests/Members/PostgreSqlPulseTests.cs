using ActorTrainer.Cluster.Members;
using ActorTrainer.Cluster.Persistence;
using ActorTrainer.Cluster.Tests.Support;
using ActorTrainer.Core.Cluster;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Membership;
using Microsoft.Extensions.Logging.Abstractions;

namespace ActorTrainer.Cluster.Tests.Members;

/// <summary>A session's lock can be lost while its node lives.</summary>
[Collection(PostgreSqlServer.Collection)]
[Trait("Requires", "postgresql")]
public sealed class PostgreSqlPulseTests(PostgreSqlServer server) : IAsyncLifetime
{
    private readonly JournalFolder _folder = new(server.NewDatabase());
    private JournalDatabase _database = null!;
    private LifeProof _proof = null!;
    private long _life;

    public async Task InitializeAsync()
    {
        _database = await _folder.OpenAsync();
        _proof = new LifeProof(_database, "");
        _life = await new MemberTable(_database).RegisterAsync(
            new ClusterMember(0, new NodeAddress("127.0.0.1", 7401), "n1", [], 2, MemberStatus.Joining, false, 17, "1"),
            default
        );
    }

    public Task DisposeAsync()
    {
        _folder.Dispose();
        return Task.CompletedTask;
    }

    [Fact]
    public async Task Pulse_WhoseSessionTheServerEnds_TakesTheLockAgain()
    {
        await using LifePulse pulse = await BeginAsync();

        await _database.ReadAsync(
            session =>
                session.QueryAsync("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'", r => r.GetBoolean(0)),
            default
        );

        await ClusterTableTests.WaitAsync(async () => (await _proof.AskAsync(_life, default)).LockFree == false);
    }

    [Fact]
    public async Task Pulse_AcrossARestartOfTheServer_IsNeverProvenDead()
    {
        await using LifePulse pulse = await BeginAsync();

        await server.RestartAsync();

        await ClusterTableTests.WaitAsync(async () =>
        {
            LifeEvidence evidence = await _proof.AskAsync(_life, default);
            DeathRule.IsProven(evidence).ShouldBeFalse("the server forgot the lock, and the life is there");
            return evidence is { LockFree: false, ServerSame: true };
        });
    }

    [Fact]
    public async Task Proof_OfALifeThatEndedBeforeARestart_NeedsTheBeatToStandStill()
    {
        LifePulse pulse = await BeginAsync();
        await pulse.DisposeAsync();
        await server.RestartAsync();

        LifeEvidence evidence = await _proof.AskAsync(_life, default);

        evidence.ShouldBe(new LifeEvidence(true, ServerSame: false, TimeSpan.Zero));
        DeathRule.IsProven(evidence).ShouldBeFalse();
        DeathRule.IsProven(evidence with { BeatStill = TimeSpan.FromSeconds(5) }).ShouldBeTrue();
    }

    private Task<LifePulse> BeginAsync() => LifePulse.BeginAsync(_database, "", _life, TimeProvider.System, NullLogger.Instance, default);
}
