using ActorTrainer.Akka.Tests.Support;
using ActorTrainer.Core.Configuration;
using ActorTrainer.Core.Membership;
using ActorTrainer.Runtime;
using ActorTrainer.Runtime.Api;
using ActorTrainer.Runtime.Client;
using ActorTrainer.Testing.Processes;
using Akka.Actor;
using Akka.Cluster;
using Akka.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using TaskStatus = ActorTrainer.Core.Tasks.TaskStatus;

namespace ActorTrainer.Akka.Tests.Hosting;

/// <summary>Nodes hosted in this process, in systems of their own and in one that the host has already.</summary>
public sealed class UseAkkaTests : IAsyncLifetime
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    private readonly JournalFolder _folder = new();
    private readonly List<ActorSystem> _systems = [];

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        foreach (ActorSystem system in _systems)
        {
            await system.Terminate();
        }

        _folder.Dispose();
    }

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
        Cluster.Get(system).SelfMember.Status.ShouldBe(MemberStatus.Up);
    }

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

    private NodeModel Model() => _folder.Model with
    {
        Address = LocalCluster.FreeAddress(),
        DataDir = Path.Combine(_folder.Folder, "node"),
        Checkpoints = new CheckpointStoreModel { Path = Path.Combine(_folder.Folder, "checkpoints") },
        Worker = new WorkerModel { Program = [LocalCluster.Executable] },
    };

    private ActorSystem HostsSystem(string config)
    {
        ActorSystem system = ActorSystem.Create("hosts", ConfigurationFactory.ParseString(config).WithFallback(
            """
            akka.loglevel = OFF
            akka.stdout-loglevel = OFF
            akka.actor.provider = cluster
            akka.remote.dot-netty.tcp.hostname = "127.0.0.1"
            akka.remote.dot-netty.tcp.port = 0
            """));
        _systems.Add(system);
        if (((ExtendedActorSystem)system).Provider is IClusterActorRefProvider)
        {
            Cluster.Get(system).Join(Cluster.Get(system).SelfAddress);
        }

        return system;
    }

    private static IHost Build(NodeModel model, Action<IServiceCollection> choose)
    {
        HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
        builder.Services.AddActorTrainer(model);
        choose(builder.Services);
        return builder.Build();
    }

    private async Task<string> ShouldNotStartAsync(Action<IServiceCollection> choose, NodeModel? model = null)
    {
        Exception refusal = await Should.ThrowAsync<Exception>(async () =>
        {
            using IHost host = Build(model ?? Model(), choose);
            await host.StartAsync();
        });
        refusal.ShouldSatisfyAllConditions(e => (e is IOException or ConfigException).ShouldBeTrue(e.ToString()));
        return refusal.Message;
    }

    private static async Task WaitAsync(Func<Task<bool>> condition)
    {
        long started = TimeProvider.System.GetTimestamp();
        while (true)
        {
            try
            {
                if (await condition())
                {
                    return;
                }
            }
            catch (Exception e) when (ActorTrainerClient.IsTransient(e))
            {
                // The node has just been started.
            }

            TimeProvider.System.GetElapsedTime(started).ShouldBeLessThan(Limit);
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System);
        }
    }
}
