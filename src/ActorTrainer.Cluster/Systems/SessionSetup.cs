using ActorTrainer.Cluster.Persistence;
using Akka.Actor;
using Akka.Actor.Setup;
using Microsoft.Extensions.Logging;

namespace ActorTrainer.Cluster.Systems;

/// <summary>What parts of ActorTrainer that Akka makes by itself (the downing, the logger) find in their actor system.</summary>
internal sealed class SessionSetup(JournalDatabase database, LifeProof proof, long incarnation, ILoggerFactory loggers) : Setup
{
    public JournalDatabase Database { get; } = database;

    /// <summary>Asks whether the process of another life is gone.</summary>
    public LifeProof Proof { get; } = proof;

    /// <summary>The number of the node's life.</summary>
    public long Incarnation { get; } = incarnation;

    public ILoggerFactory Loggers { get; } = loggers;

    /// <exception cref="InvalidOperationException">The system was not made by ActorTrainer.</exception>
    public static SessionSetup Of(ActorSystem system) =>
        system.Settings.Setup.Get<SessionSetup>().GetOrElse(null!)
        ?? throw new InvalidOperationException(
            $"The actor system '{system.Name}' was not made by ActorTrainer, so it can use neither its downing nor its logger: "
                + "choose others in the system's own configuration."
        );
}
