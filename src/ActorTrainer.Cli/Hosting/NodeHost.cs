using ActorTrainer.Core.Configuration;

namespace ActorTrainer.Cli.Hosting;

/// <summary>The node of this executable.</summary>
internal sealed class NodeHost : INodeHost
{
    public Task<int> RunAsync(NodeModel model, CancellationToken cancellationToken) => throw new UsageException("no node host");
}
