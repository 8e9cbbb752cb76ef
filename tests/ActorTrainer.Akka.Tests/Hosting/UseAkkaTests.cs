using ActorTrainer.Akka.Tests.Support;
using ActorTrainer.Core.Configuration;

namespace ActorTrainer.Akka.Tests.Hosting;

/// <summary>What keeps a node from starting, said to whoever hosts it.</summary>
[Trait("Lane", "Slow")]
public sealed class UseAkkaTests() : HostedNode(null)
{
    [Fact]
    public async Task Node_InASystemWithoutTheRole_SaysWhatToChange() =>
        (await ShouldNotStartAsync(services => services.UseAkka(HostsSystem("akka.cluster.roles = [web]")))).ShouldContain("akka.cluster.roles");

    [Fact]
    public async Task Node_InASystemWithoutACluster_SaysWhatToChange() =>
        (await ShouldNotStartAsync(services => services.UseAkka(HostsSystem("akka.actor.provider = local")))).ShouldContain("akka.actor.provider = cluster");

    [Fact]
    public async Task Node_WhereAkkasPortIsTaken_SaysWhichOne()
    {
        NodeModel model = Model();
        using System.Net.Sockets.Socket taken = new(System.Net.Sockets.SocketType.Stream, System.Net.Sockets.ProtocolType.Tcp);
        taken.Bind(new System.Net.IPEndPoint(System.Net.IPAddress.Loopback, model.Address.Port + model.Akka.PortOffset));
        taken.Listen();

        string problem = await ShouldNotStartAsync(services => services.UseAkka(), model);

        problem.ShouldContain($"127.0.0.1:{model.Address.Port + model.Akka.PortOffset}");
        problem.ShouldContain("port-offset");
    }

    [Fact]
    public async Task Node_OfWhichTheConfigurationWantsAnotherEngine_IsRefused()
    {
        ConfigOrigin place = new("node.conf", 3, 5);
        AkkaModel written = new() { Places = new Dictionary<string, ConfigOrigin> { ["actortrainer.engine"] = place } };

        (await ShouldNotStartAsync(_ => { }, Model() with { Akka = written })).ShouldStartWith("node.conf:3:5: actortrainer.engine = akka");
        (await ShouldNotStartAsync(services => services.UseAkka(), Model() with { Engine = EngineKind.Embedded, Akka = written })).ShouldContain("UseAkka()");
    }
}
