using ActorTrainer.Core.Configuration;
using ActorTrainer.Hocon;

namespace ActorTrainer.Cluster.Tests.Configuration;

internal static class Models
{
    public static NodeModel Read(string text) =>
        NodeModelReader.Read(
            HoconReader.ReadText(text, "node.conf").Merge(NodeConfiguration.Reference()),
            new NodeSurroundings(ConfigPaths.Resolver("/work"), 4)
        );
}
