using ActorTrainer.Client;
using ActorTrainer.Core.Configuration;
using ActorTrainer.Runtime;
using ActorTrainer.Testing.Processes;
using Akka.Actor;
using Akka.Cluster;
using Akka.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using AkkaCluster = Akka.Cluster.Cluster;

namespace ActorTrainer.Cluster.Tests.Support;

/// <summary>Hosts nodes in this process, in systems of their own and in one that the host has already.</summary>
public abstract class HostedNode(string? postgreSql) : IAsyncLifetime
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    private readonly JournalFolder _folder = new(postgreSql);
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

    protected NodeModel Model() =>
        _folder.Model with
        {
            Address = LocalCluster.FreeAddress(),
            DataDir = Path.Combine(_folder.Folder, "node"),
            Checkpoints = new CheckpointStoreModel { Path = Path.Combine(_folder.Folder, "checkpoints") },
            Worker = new WorkerModel { Program = [LocalCluster.Executable] },
        };

    protected ActorSystem HostsSystem(string config)
    {
        ActorSystem system = ActorSystem.Create(
            "hosts",
            ConfigurationFactory
                .ParseString(config)
                .WithFallback(
                    """
                    akka.loglevel = OFF
                    akka.stdout-loglevel = OFF
                    akka.actor.provider = cluster
                    akka.remote.dot-netty.tcp.hostname = "127.0.0.1"
                    akka.remote.dot-netty.tcp.port = 0
                    """
                )
        );
        _systems.Add(system);
        if (((ExtendedActorSystem)system).Provider is IClusterActorRefProvider)
        {
            AkkaCluster.Get(system).Join(AkkaCluster.Get(system).SelfAddress);
        }

        return system;
    }

    protected static IHost Build(NodeModel model, Action<IServiceCollection> choose)
    {
        HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
        builder.Services.AddActorTrainer(model);
        choose(builder.Services);
        return builder.Build();
    }

    protected async Task<string> ShouldNotStartAsync(Action<IServiceCollection> choose, NodeModel? model = null)
    {
        Exception refusal = await Should.ThrowAsync<Exception>(async () =>
        {
            using IHost host = Build(model ?? Model(), choose);
            await host.StartAsync();
        });
        refusal.ShouldSatisfyAllConditions(e => (e is IOException or ConfigException).ShouldBeTrue(e.ToString()));
        return refusal.Message;
    }

    protected static async Task WaitAsync(Func<Task<bool>> condition)
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
