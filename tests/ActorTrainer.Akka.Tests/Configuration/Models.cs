using ActorTrainer.Core.Configuration;
using ActorTrainer.Hocon;

namespace ActorTrainer.Akka.Tests.Configuration;

internal static class Models
{
    /// <summary>The model of a text that is followed by <c>engine = akka</c>, so places are those of the text.</summary>
    public static NodeModel Read(string text) => NodeModelReader.Read(
        HoconReader.ReadText(text + "\nactortrainer.engine = akka", "node.conf").Merge(NodeConfiguration.Reference()),
        new NodeSurroundings(ConfigPaths.Resolver("/work"), 4));
}
