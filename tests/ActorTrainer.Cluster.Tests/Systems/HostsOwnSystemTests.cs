using ActorTrainer.Client;
using ActorTrainer.Cluster.Tests.Support;
using ActorTrainer.Core.Configuration;
using ActorTrainer.Core.Membership;
using ActorTrainer.Runtime;
using ActorTrainer.Testing.Processes;
using Akka.Actor;
using Microsoft.Extensions.Hosting;
using AkkaCluster = Akka.Cluster.Cluster;
using AkkaStatus = Akka.Cluster.MemberStatus;
using TaskStatus = ActorTrainer.Core.Tasks.TaskStatus;

namespace ActorTrainer.Cluster.Tests.Systems;

/// <summary>On SQLite.</summary>
[Trait("Lane", "Slow")]
public sealed class SqliteHostsOwnSystemTests() : HostsOwnSystemTests(null);

/// <summary>On PostgreSQL.</summary>
[Collection(PostgreSqlServer.Collection)]
[Trait("Requires", "postgresql")]
public sealed class PostgreSqlHostsOwnSystemTests(PostgreSqlServer server) : HostsOwnSystemTests(server.NewDatabase());

public abstract class HostsOwnSystemTests(string? postgreSql) : HostedNode(postgreSql)
{
    [Fact]
    public async Task Node_InTheHostsOwnSystem_TrainsAndLeavesTheSystemRunning()
    {
        ActorSystem system = HostsSystem("akka.cluster.roles = [actortrainer, web]");
        NodeModel model = Model();
        using (IHost host = Build(model, services => services.UseAkka(system)))
        {
            await host.StartAsync();
            using ActorTrainerClient client = LocalCluster.ClientOf(model.Address);
            await WaitAsync(async () => (await client.GetClusterAsync()).Members.Any(m => m.State == MemberState.Up));

            await client.SubmitAsync(Specs.Shell("hosted", "echo 17"));
            TaskView? ended = null;
            await WaitAsync(async () => (ended = (await client.GetTaskAsync("hosted")).Task).Finished);
            await host.StopAsync();

            ended!.Status.ShouldBe(TaskStatus.Completed, ended.Detail);
        }

        system.WhenTerminated.IsCompleted.ShouldBeFalse("it is the host's");
        AkkaCluster.Get(system).SelfMember.Status.ShouldBe(AkkaStatus.Up);
    }
}
