using ActorTrainer.Cluster.Configuration;
using ActorTrainer.Cluster.Persistence;
using ActorTrainer.Core.Configuration;
using ActorTrainer.Hocon;
using Akka.Actor;
using Akka.Cluster;
using Akka.Cluster.Sharding;
using Akka.Cluster.Tools.Singleton;
using Akka.Configuration;
using AkkaCluster = Akka.Cluster.Cluster;

namespace ActorTrainer.Cluster.Systems;

/// <summary>
/// Prepares an actor system that the host made: adds the serializer and the journal plugins below its own configuration, and takes the
/// sharding's settings from ours, so that the host's own sharded actors keep theirs. What the host has configured is not changed.
/// </summary>
internal static class HostSystem
{
    /// <summary>Checks whether a system can hold tasks.</summary>
    /// <exception cref="IOException">It cannot; says what to change.</exception>
    public static void Check(ActorSystem system)
    {
        if (((ExtendedActorSystem)system).Provider is not IClusterActorRefProvider)
        {
            throw new IOException(
                $"The host's actor system '{system.Name}' is in no cluster: set akka.actor.provider = cluster in its configuration."
            );
        }

        if (!AkkaCluster.Get(system).SelfRoles.Contains(TaskPersistence.Role))
        {
            throw new IOException(
                $"The host's actor system '{system.Name}' lacks the role '{TaskPersistence.Role}': "
                    + "add it to akka.cluster.roles in its configuration."
            );
        }
    }

    /// <summary>Prepares a system that was checked.</summary>
    /// <returns>The settings of the tasks' sharding.</returns>
    public static ClusterShardingSettings Prepare(ActorSystem system, NodeModel model)
    {
        ConfigObject derived = AkkaSection.Derive(model);
        system.Settings.InjectTopLevelFallback(Connections(model.Journal).WithFallback(Plugins(derived)));
        Config ours = ConfigurationFactory.ParseString(ConfigRenderer.Render(derived, origins: false));
        Config sharding = ours.GetConfig("akka.cluster.sharding")
            .WithFallback(ClusterSharding.DefaultConfig().GetConfig("akka.cluster.sharding"));
        Config singleton = ours.GetConfig("akka.cluster.singleton")
            .WithFallback(ClusterSingleton.DefaultConfig().GetConfig("akka.cluster.singleton"));
        return ClusterShardingSettings.Create(sharding, singleton);
    }

    /// <summary>
    /// A system that is the host's already takes no setup: what its connections need beside their string it does without.
    /// </summary>
    private static Config Connections(JournalModel journal)
    {
        string text =
            "\""
            + DatabaseConnections
                .ConnectionString(journal)
                .Replace("\\", "\\\\", StringComparison.Ordinal)
                .Replace("\"", "\\\"", StringComparison.Ordinal)
            + "\"";
        return ConfigurationFactory.ParseString(
            $"akka.persistence {{ journal.actortrainer.connection-string = {text}, "
                + $"snapshot-store.actortrainer.connection-string = {text} }}"
        );
    }

    /// <summary>
    /// The journal plugins, the dispatchers that they run on and the serializer, where they stand; the host's own values are above them.
    /// All of it by configuration: Akka makes its serialization anew whenever an extension brings defaults along, and forgets what was
    /// added by hand.
    /// </summary>
    private static Config Plugins(ConfigObject derived)
    {
        ConfigObject all = (ConfigObject)derived.Fields[0].Value;
        ConfigObject akka = new(all.Origin, [.. all.Fields.Where(f => f.Key is "persistence" or "actortrainer" or "actor")]);
        ConfigObject root = new(all.Origin, [KeyValuePair.Create("akka", (ConfigNode)akka)]);
        return ConfigurationFactory.ParseString(ConfigRenderer.Render(root, origins: false));
    }
}
