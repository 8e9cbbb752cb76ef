using ActorTrainer.Checkpoints;
using ActorTrainer.Cluster.Tasks;
using ActorTrainer.Core.Configuration;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Membership;
using Microsoft.Extensions.Logging;

namespace ActorTrainer.Cluster;

/// <summary>What a node of the cluster uses of the process around it.</summary>
/// <param name="Model">The configuration, with the node's actual address and name.</param>
/// <param name="Version">The product's version, which the members show.</param>
/// <param name="Workers">Runs worker processes; their inputs come through <see cref="ClusterNode.Post"/>.</param>
/// <param name="Store">Where checkpoints are.</param>
/// <param name="Loggers">Where it logs.</param>
/// <param name="Time">The clock.</param>
/// <param name="Client">Is told of every life of the node.</param>
/// <param name="ViewChanged">Called with every new view of the members, in order, from any thread; must return at once.</param>
public sealed record ClusterNodeParts(
    NodeModel Model,
    string Version,
    IWorkerHost Workers,
    ICheckpointStore Store,
    ILoggerFactory Loggers,
    TimeProvider Time,
    TaskClient Client,
    Action<ClusterView> ViewChanged
)
{
    /// <summary>Called when a task that is here is archived, so that nobody can ask for its output any more; must return at once.</summary>
    public Action<TaskId> TaskRetired { get; init; } = _ => { };
}
