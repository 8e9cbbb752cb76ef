using ActorTrainer.Checkpoints;
using ActorTrainer.Core.Configuration;
using ActorTrainer.Core.Membership;
using ActorTrainer.Runtime.Transport;
using ActorTrainer.Runtime.Workers;
using Microsoft.Extensions.Logging;

namespace ActorTrainer.Runtime.Engines;

/// <summary>The parts of a node that an engine uses and that outlive it.</summary>
/// <param name="Model">The configuration, with the node's actual address and name.</param>
/// <param name="Server">Where the node listens.</param>
/// <param name="Workers">Runs worker processes; their inputs come through <see cref="IEngine.Post"/>.</param>
/// <param name="Store">Where checkpoints are.</param>
/// <param name="Loggers">Where it logs.</param>
/// <param name="Time">The clock.</param>
/// <param name="ViewChanged">Called with every new view of the members, in order, from any thread; must return at once.</param>
public sealed record EngineParts(
    NodeModel Model,
    NodeHttpServer Server,
    IWorkerHost Workers,
    ICheckpointStore Store,
    ILoggerFactory Loggers,
    TimeProvider Time,
    Action<MembershipView> ViewChanged);

/// <summary>The engine that a host program chose for its node.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Make">Makes it; called once, when the node starts.</param>
public sealed record EngineChoice(EngineKind Kind, Func<EngineParts, IEngine> Make);
