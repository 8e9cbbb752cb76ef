using System.Net.Sockets;
using ActorTrainer.Cluster.Configuration;
using ActorTrainer.Cluster.Persistence;
using ActorTrainer.Core.Configuration;
using Akka.Actor;
using Akka.Configuration;

namespace ActorTrainer.Cluster.Systems;

/// <summary>Makes the actor system of a node, under the cluster's name.</summary>
internal static class SystemFactory
{
    /// <param name="model">The node's model.</param>
    /// <param name="livingNodes">How many nodes live now, this one included.</param>
    /// <param name="setup">What parts of ours find in the system.</param>
    /// <exception cref="IOException">Akka.Remote's address is in use, or Akka does not accept its configuration.</exception>
    public static ActorSystem Create(NodeModel model, int livingNodes, SessionSetup setup)
    {
        Config config = ConfigurationFactory.ParseString(AkkaSection.Text(model, livingNodes));
        try
        {
            return ActorSystem.Create(
                model.ClusterName,
                BootstrapSetup
                    .Create()
                    .WithConfig(config)
                    .And(setup)
                    .And(new JournalSetup(setup.Database))
                    .And(DatabaseConnections.ForAkka(setup.Database))
            );
        }
        catch (Exception e) when (Find<SocketException>(e) is { } socket)
        {
            throw new IOException(
                $"Akka.Remote cannot listen at {model.Address.Host}:{model.Address.Port + model.Akka.PortOffset} "
                    + $"({socket.Message}): another node or system has that port. Choose another actortrainer.node.address, "
                    + "or another actortrainer.akka.port-offset on all nodes.",
                e
            );
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            throw new IOException(
                $"Akka.NET did not start: {e.GetBaseException().Message} If the akka section of the configuration is the "
                    + "reason: 'actortrainer config show FILE' shows what it comes to.",
                e
            );
        }
    }

    private static T? Find<T>(Exception? e)
        where T : Exception =>
        e switch
        {
            null => null,
            T found => found,
            AggregateException many => many.InnerExceptions.Select(Find<T>).FirstOrDefault(f => f is not null),
            _ => Find<T>(e.InnerException),
        };
}
