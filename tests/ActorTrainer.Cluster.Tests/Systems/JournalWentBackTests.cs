using ActorTrainer.Client;
using ActorTrainer.Cluster.Persistence;
using ActorTrainer.Cluster.Tests.Support;
using ActorTrainer.Core.Configuration;
using ActorTrainer.Core.Membership;
using ActorTrainer.Runtime.Node;
using ActorTrainer.Testing.Processes;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace ActorTrainer.Cluster.Tests.Systems;

/// <summary>On SQLite.</summary>
[Trait("Lane", "Slow")]
public sealed class SqliteJournalWentBackTests() : JournalWentBackTests(null);

/// <summary>On PostgreSQL.</summary>
[Collection(PostgreSqlServer.Collection)]
[Trait("Requires", "postgresql")]
public sealed class PostgreSqlJournalWentBackTests(PostgreSqlServer server) : JournalWentBackTests(server.NewDatabase());

public abstract class JournalWentBackTests(string? postgreSql) : HostedNode(postgreSql)
{
    [Fact]
    public async Task Journal_IsRestoredUnderARunningNode_TheNodeEndsWithTheReasonAndBeginsNoOtherLife()
    {
        NodeModel model = Model();
        using IHost host = Build(model, _ => { });
        await host.StartAsync();
        ActorTrainerNode node = host.Services.GetRequiredService<ActorTrainerNode>();
        using ActorTrainerClient client = LocalCluster.ClientOf(model.Address);
        await WaitAsync(async () => (await client.GetClusterAsync()).Members.Any(m => m.State == MemberState.Up));
        await client.SubmitAsync(Specs.Shell("before", "true"));
        await WaitAsync(async () => (await client.GetTaskAsync("before")).Task.Finished);

        await JournalDatabase
            .Of(model.Journal)
            .WriteAsync(session => session.RunAsync("UPDATE actortrainer_row_version SET version = 1"), CancellationToken.None);

        await WaitAsync(() => Task.FromResult(node.Failure is not null));
        node.ExitCode.ShouldBe(1);
        node.Failure.ShouldNotBeNull().ShouldContain("the journal went back from version");
        node.Failure.ShouldContain("Stop all nodes");
        await host.StopAsync();
    }
}
