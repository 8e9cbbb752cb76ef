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
            provider.GetService<EngineFactory>(),
            provider.GetService<IHostApplicationLifetime>()));
        services.AddSingleton<INodeService>(provider => provider.GetRequiredService<ActorTrainerNode>());
        services.AddHostedService(provider => provider.GetRequiredService<ActorTrainerNode>());
        return services;
    }
}
