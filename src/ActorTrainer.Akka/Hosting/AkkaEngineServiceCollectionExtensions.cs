using ActorTrainer.Akka.Engine;
using ActorTrainer.Core.Configuration;
using ActorTrainer.Runtime.Engines;
using Akka.Actor;
using Microsoft.Extensions.DependencyInjection;

namespace ActorTrainer.Akka;

/// <summary>Chooses Akka.NET as the engine of a hosted node: <c>services.AddActorTrainer(configuration).UseAkka()</c>.</summary>
public static class AkkaEngineServiceCollectionExtensions
{
    /// <summary>The node makes an actor system of its own, under the cluster's name, and joins it to the cluster.</summary>
    public static IServiceCollection UseAkka(this IServiceCollection services) =>
        services.AddSingleton(new EngineChoice(EngineKind.Akka, parts => new AkkaEngine(parts, existing: null)));

    /// <summary>
    /// The node lives in an actor system that the host already runs and joins to its cluster. The system keeps its own configuration; what
    /// ActorTrainer needs beside it (the journal plugins, the serializer) is laid below it. The node's tasks leave the system before the host ends;
    /// the system itself is the host's to end.
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
        ArgumentNullException.ThrowIfNull(system);
        return services.AddSingleton(provider => new EngineChoice(EngineKind.Akka, parts => new AkkaEngine(parts, system(provider))));
    }
}
