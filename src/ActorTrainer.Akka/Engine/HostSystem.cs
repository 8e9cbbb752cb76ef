using ActorTrainer.Akka.Configuration;
using ActorTrainer.Akka.Serialization;
using ActorTrainer.Akka.Tasks;
using ActorTrainer.Core.Configuration;
using Akka.Actor;
using Akka.Cluster;
using Akka.Cluster.Sharding;
using Akka.Cluster.Tools.Singleton;
using Akka.Configuration;

namespace ActorTrainer.Akka.Engine;

/// <summary>
/// Prepares an actor system that the host made: adds the serializer and the journal plugins below its own configuration, and takes the
/// sharding's settings from ours, so that the host's own sharded actors keep theirs. What the host has configured is not changed.
/// </summary>
internal static class HostSystem
{
    private static readonly string[] Plugins = [TaskPersistence.JournalPlugin, TaskPersistence.SnapshotPlugin, TaskPersistence.QueryPlugin];

    /// <returns>The settings of the tasks' sharding.</returns>
    /// <exception cref="IOException">The system cannot hold tasks; says what to change.</exception>
    public static ClusterShardingSettings Prepare(ActorSystem system, NodeModel model)
    {
        if (((ExtendedActorSystem)system).Provider is not IClusterActorRefProvider)
        {
            throw new IOException($"The host's actor system '{system.Name}' is in no cluster: set akka.actor.provider = cluster in its configuration.");
        }

        if (!Cluster.Get(system).SelfRoles.Contains(TaskPersistence.Role))
        {
            throw new IOException(
                $"The host's actor system '{system.Name}' lacks the role '{TaskPersistence.Role}': add it to akka.cluster.roles in its configuration.");
        }

        Config ours = ConfigurationFactory.ParseString(AkkaSection.Text(model));
        foreach (string plugin in Plugins)
        {
            system.Settings.InjectTopLevelFallback(ours.GetConfig(plugin).AtPath(plugin));
        }

        ActorTrainerSerializer serializer = new((ExtendedActorSystem)system);
        system.Serialization.AddSerializer("actortrainer", serializer);
        system.Serialization.AddSerializationMap(typeof(IActorTrainerMessage), serializer);
        Config sharding = ours.GetConfig("akka.cluster.sharding").WithFallback(ClusterSharding.DefaultConfig().GetConfig("akka.cluster.sharding"));
        Config singleton = ours.GetConfig("akka.cluster.singleton").WithFallback(ClusterSingleton.DefaultConfig().GetConfig("akka.cluster.singleton"));
        return ClusterShardingSettings.Create(sharding, singleton);
    }
}

/// <summary>Helps where Akka's configuration has no such method.</summary>
internal static class ConfigExtensions
{
    /// <summary>The same values below a path.</summary>
    public static Config AtPath(this Config config, string path) =>
        ConfigurationFactory.ParseString($"{path} {{\n{config.Root.GetObject()}\n}}");
}
