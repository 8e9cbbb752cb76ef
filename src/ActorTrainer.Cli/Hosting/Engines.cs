using ActorTrainer.Akka;
using ActorTrainer.Akka.Configuration;
using ActorTrainer.Core.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace ActorTrainer.Cli.Hosting;

/// <summary>The two engines, embedded and akka.</summary>
internal static class Engines
{
    /// <summary>Looks whether the engine that a configuration asks for can be set up like this.</summary>
    /// <exception cref="ConfigException">The engine's own settings contradict the rest.</exception>
    public static void Check(NodeModel model) => _ = Derived(model);

    /// <summary>Lets a node have the engine that its configuration, which was checked, asks for.</summary>
    public static void Use(IServiceCollection services, NodeModel model)
    {
        if (model.Engine == EngineKind.Akka)
        {
            services.UseAkka();
        }
    }

    /// <summary>The engine's own settings as they follow from a node's: a root object with one field; null when it has none.</summary>
    /// <exception cref="ConfigException">As for <see cref="Check"/>.</exception>
    public static ConfigObject? Derived(NodeModel model) => model.Engine == EngineKind.Akka ? AkkaSection.Derive(model) : null;
}
