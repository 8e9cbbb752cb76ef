using ActorTrainer.Cluster;
using ActorTrainer.Core.Configuration;
using ActorTrainer.Hocon;
using ActorTrainer.Runtime.Node;
using Akka.Actor;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace ActorTrainer.Runtime;

/// <summary>Hosts a node in a program of one's own.</summary>
public static class ActorTrainerServiceCollectionExtensions
{
    /// <summary>
    /// Adds a node that starts and stops with the host, and <see cref="ITaskClient"/>, which asks the cluster through it. The program calls
    /// <see cref="ActorTrainerWorker.TryRunAsync"/> first in its <c>Main</c>: its workers are the program run again.
    /// </summary>
    /// <param name="services">The host's services.</param>
    /// <param name="configuration">Keys as in <c>reference.conf</c>, below the section <c>actortrainer</c>.</param>
    /// <exception cref="ConfigException">Something in the configuration is wrong; says where, what and what to do.</exception>
    public static IServiceCollection AddActorTrainer(this IServiceCollection services, IConfiguration configuration) =>
        services.AddActorTrainer(NodeConfiguration.FromConfiguration(configuration, null, NodeConfiguration.ProcessEnvironment()));

    /// <summary>Adds a node of a validated configuration.</summary>
    public static IServiceCollection AddActorTrainer(this IServiceCollection services, NodeModel model)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(model);
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton(provider => new ActorTrainerNode(
            model,
            provider.GetRequiredService<ILoggerFactory>(),
            provider.GetRequiredService<TimeProvider>(),
            provider.GetService<HostsSystem>() is { } system ? () => system.Give(provider) : null,
            provider.GetService<IHostApplicationLifetime>(),
            provider.GetServices<IClusterObserver>
        ));
        services.AddSingleton(provider => provider.GetRequiredService<ActorTrainerNode>().Client);
        services.AddHostedService(provider => provider.GetRequiredService<ActorTrainerNode>());
        return services;
    }

    /// <summary>
    /// The node lives in an actor system that the host already runs and joins to its cluster. The system keeps its own configuration; what
    /// ActorTrainer needs beside it (the journal plugins, the serializer) is laid below it. The node's tasks leave the system before the
    /// host ends; the system itself is the host's to end.
    /// </summary>
    /// <param name="services">The host's services.</param>
    /// <param name="system">Of provider <c>cluster</c>, with the role <c>actortrainer</c>.</param>
    public static IServiceCollection UseAkka(this IServiceCollection services, ActorSystem system)
    {
        ArgumentNullException.ThrowIfNull(system);
        return services.UseAkka(_ => system);
    }

    /// <summary>The same with a system that the host's services make.</summary>
    /// <param name="services">The host's services.</param>
    /// <param name="system">Gives the system when the node starts.</param>
    public static IServiceCollection UseAkka(this IServiceCollection services, Func<IServiceProvider, ActorSystem> system)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(system);
        return services.AddSingleton(new HostsSystem(system));
    }

    /// <summary>Adds an observer of the cluster that the node belongs to; made when the node starts.</summary>
    /// <typeparam name="TObserver">Its type.</typeparam>
    public static IServiceCollection AddClusterObserver<TObserver>(this IServiceCollection services)
        where TObserver : class, IClusterObserver
    {
        ArgumentNullException.ThrowIfNull(services);
        return services.AddSingleton<IClusterObserver, TObserver>();
    }

    /// <summary>Adds an observer that is one function; see <see cref="IClusterObserver.OnChangeAsync"/> for when it is called.</summary>
    public static IServiceCollection AddClusterObserver(this IServiceCollection services, Action<ClusterChange> onChange)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(onChange);
        return services.AddSingleton<IClusterObserver>(new ObserverFunction(onChange));
    }

    private sealed record HostsSystem(Func<IServiceProvider, ActorSystem> Give);

    private sealed class ObserverFunction(Action<ClusterChange> onChange) : IClusterObserver
    {
        public ValueTask OnChangeAsync(ClusterChange change, CancellationToken cancellationToken)
        {
            onChange(change);
            return ValueTask.CompletedTask;
        }
    }
}
