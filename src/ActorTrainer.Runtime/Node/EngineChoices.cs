using ActorTrainer.Core.Configuration;
using ActorTrainer.Runtime.Engines;

namespace ActorTrainer.Runtime.Node;

/// <summary>Holds the engine that a host chose in code against the one that its configuration asks for.</summary>
internal static class EngineChoices
{
    private const string Key = "actortrainer.engine";

    /// <summary>The model with the engine that the node has.</summary>
    /// <exception cref="ConfigException">The configuration asks for another one.</exception>
    public static NodeModel Apply(EngineChoice choice, NodeModel model)
    {
        bool written = model.Akka.Places.TryGetValue(Key, out ConfigOrigin? place);
        if (choice.Kind == model.Engine || (!written && choice.Kind != EngineKind.Embedded))
        {
            return model with { Engine = choice.Kind };
        }

        throw new ConfigException(
            place ?? new ConfigOrigin("configuration", 0, 0),
            choice.Kind == EngineKind.Embedded
                ? $"{Key} = akka, and the host has not chosen it: reference ActorTrainer.Akka and write services.AddActorTrainer(…).UseAkka()."
                : $"{Key} = embedded, and the host has chosen the akka engine with UseAkka(): remove the one or the other.");
    }
}
