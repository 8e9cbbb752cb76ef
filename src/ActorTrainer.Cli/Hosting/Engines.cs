using ActorTrainer.Core.Configuration;
using Microsoft.Extensions.DependencyInjection;
#if AKKA_ENGINE
using ActorTrainer.Akka;
using ActorTrainer.Akka.Configuration;
#endif

namespace ActorTrainer.Cli.Hosting;

/// <summary>The engines of this build: embedded always, akka when it was built with it.</summary>
internal static class Engines
{
    /// <summary>Looks whether this build has the engine that a configuration asks for, and whether it can be set up like this.</summary>
    /// <exception cref="ConfigException">It has not, or the engine's own settings contradict the rest.</exception>
    public static void Check(NodeModel model) => _ = Derived(model);

    /// <summary>Lets a node have the engine that its configuration, which was checked, asks for.</summary>
    public static void Use(IServiceCollection services, NodeModel model)
    {
#if AKKA_ENGINE
        if (model.Engine == EngineKind.Akka)
        {
            services.UseAkka();
        }
#endif
    }

    /// <summary>The engine's own settings as they follow from a node's: a root object with one field; null when it has none.</summary>
    /// <exception cref="ConfigException">As for <see cref="Check"/>.</exception>
    public static ConfigObject? Derived(NodeModel model)
    {
        if (model.Engine == EngineKind.Embedded)
        {
            return null;
        }

#if AKKA_ENGINE
        return AkkaSection.Derive(model);
#else
        throw new ConfigException(
            model.Akka.Places.GetValueOrDefault("actortrainer.engine") ?? new ConfigOrigin("configuration", 0, 0),
            "this build has no akka engine; build it with './build.sh publish --engine akka'.");
#endif
    }
}
