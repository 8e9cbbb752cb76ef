using ActorTrainer.Core.Configuration;
using ActorTrainer.Hocon;
using ActorTrainer.Runtime.Api;
using ActorTrainer.Runtime.Engines;
using ActorTrainer.Runtime.Node;
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
    /// Adds a node that starts and stops with the host. The program calls <see cref="ActorTrainerWorker.TryRunAsync"/> first in its
    /// <c>Main</c>: its workers are the program run again.
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
            provider.GetService<EngineChoice>(),
            provider.GetService<IHostApplicationLifetime>(),
            provider.GetServices<IClusterObserver>));
        services.AddSingleton<INodeService>(provider => provider.GetRequiredService<ActorTrainerNode>());
        services.AddHostedService(provider => provider.GetRequiredService<ActorTrainerNode>());
        return services;
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

    private sealed class ObserverFunction(Action<ClusterChange> onChange) : IClusterObserver
    {
        public ValueTask OnChangeAsync(ClusterChange change, CancellationToken cancellationToken)
        {
            onChange(change);
            return ValueTask.CompletedTask;
        }
    }
}
