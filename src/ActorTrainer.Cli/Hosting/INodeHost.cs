using ActorTrainer.Core.Configuration;

namespace ActorTrainer.Cli.Hosting;

/// <summary>Runs a node until it is told to stop.</summary>
internal interface INodeHost
{
    /// <summary>Returns the exit code.</summary>
    Task<int> RunAsync(NodeModel model, CancellationToken cancellationToken);
}
