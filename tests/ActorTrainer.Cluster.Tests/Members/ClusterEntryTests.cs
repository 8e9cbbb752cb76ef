using ActorTrainer.Cluster.Members;
using ActorTrainer.Cluster.Persistence;
using ActorTrainer.Cluster.Tests.Support;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Membership;
using Akka.TestKit.Xunit2;
using Microsoft.Extensions.Logging.Abstractions;

namespace ActorTrainer.Cluster.Tests.Members;

public sealed class ClusterEntryTests() : TestKit(TestSystems.InCluster())
{
    /// <summary>A life that beats and that no message reaches, as over a connection that stayed broken after a cut.</summary>
    [Fact]
    [Trait("Lane", "Slow")]
    public async Task Run_LivingMembersThatNeverAnswer_EndsTheLifeSoThatTheNextAsksOverNewConnections()
    {
        using JournalFolder folder = new();
        JournalDatabase database = await folder.OpenAsync();
        MemberTable members = new(database);
        ClusterTable table = new(database);
        long mute = await RegisterAsync(members, 7401);
        await using LifePulse pulse = await LifePulse.BeginAsync(
            database,
            folder.Model.Journal.Path,
            mute,
            TimeProvider.System,
            NullLogger.Instance,
            default
        );
        (await table.FoundAsync(mute, 0, [], default)).ShouldBeTrue();
        await members.LocateAsync(mute, $"akka.tcp://{Sys.Name}@127.0.0.1:1", 7, default);
        await members.SetStatusAsync(mute, MemberStatus.Up, default);
        long self = await RegisterAsync(members, 7402);
        ClusterEntry entry = new(
            Sys,
            true,
            self,
            [],
            table,
            new LifeProof(database, folder.Model.Journal.Path),
            TimeProvider.System,
            NullLogger.Instance
        )
        {
            GivesUpAfter = TimeSpan.FromSeconds(2),
        };
        using CancellationTokenSource limit = new(TimeSpan.FromSeconds(60), TimeProvider.System);

        string? reason = await entry.RunAsync(limit.Token);

        reason.ShouldNotBeNull().ShouldContain("do not let it in");
    }

    private static Task<long> RegisterAsync(MemberTable members, int port) =>
        members.RegisterAsync(
            new ClusterMember(0, new NodeAddress("127.0.0.1", port), $"n{port}", [], 2, MemberStatus.Joining, false, 17, "1"),
            default
        );
}
