using ActorTrainer.Cluster.Tests.Support;
using ActorTrainer.Core.Configuration;
using ActorTrainer.Runtime;

namespace ActorTrainer.Cluster.Tests.Systems;

/// <summary>What keeps a node from starting, said to whoever hosts it.</summary>
[Trait("Lane", "Slow")]
public sealed class UseAkkaTests() : HostedNode(null)
{
    [Fact]
    public async Task Node_InASystemWithoutTheRole_SaysWhatToChange() =>
        (await ShouldNotStartAsync(services => services.UseAkka(HostsSystem("akka.cluster.roles = [web]")))).ShouldContain(
            "akka.cluster.roles"
        );

    [Fact]
    public async Task Node_InASystemWithoutACluster_SaysWhatToChange() =>
        (await ShouldNotStartAsync(services => services.UseAkka(HostsSystem("akka.actor.provider = local")))).ShouldContain(
            "akka.actor.provider = cluster"
        );

    [Fact]
    public async Task Node_WhereAkkasPortIsTaken_SaysWhichOne()
    {
        NodeModel model = Model();
        using System.Net.Sockets.Socket taken = new(System.Net.Sockets.SocketType.Stream, System.Net.Sockets.ProtocolType.Tcp);
        taken.Bind(new System.Net.IPEndPoint(System.Net.IPAddress.Loopback, model.Address.Port + model.Akka.PortOffset));
        taken.Listen();

        string problem = await ShouldNotStartAsync(_ => { }, model);

        problem.ShouldContain($"127.0.0.1:{model.Address.Port + model.Akka.PortOffset}");
        problem.ShouldContain("port-offset");
    }
}
