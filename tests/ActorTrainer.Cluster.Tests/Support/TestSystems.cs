using ActorTrainer.Cluster.Configuration;
using ActorTrainer.Cluster.Persistence;
using ActorTrainer.Cluster.Systems;
using ActorTrainer.Core.Configuration;
using Akka.Actor;
using Akka.Actor.Setup;
using Akka.Configuration;

namespace ActorTrainer.Cluster.Tests.Support;

/// <summary>Configurations of actor systems without a cluster, for tests of single actors.</summary>
internal static class TestSystems
{
    private static readonly Config Local = ConfigurationFactory.ParseString(
        """
        akka.actor.provider = local
        akka.loggers = ["Akka.TestKit.TestEventListener, Akka.TestKit"]
        akka.cluster.downing-provider-class = ""
        """
    );

    private static readonly Config Memory = ConfigurationFactory.ParseString(
        """
        akka.persistence.journal.actortrainer {
          class = "Akka.Persistence.Journal.MemoryJournal, Akka.Persistence"
          plugin-dispatcher = "akka.actor.default-dispatcher"
        }
        akka.persistence.snapshot-store.actortrainer {
          class = "Akka.Persistence.Snapshot.MemorySnapshotStore, Akka.Persistence"
          plugin-dispatcher = "akka.actor.default-dispatcher"
        }
        """
    );

    private static readonly Config Member = ConfigurationFactory.ParseString(
        """
        akka.actor.provider = cluster
        akka.remote.dot-netty.tcp { hostname = "127.0.0.1", public-hostname = "127.0.0.1", port = 0 }
        akka.cluster { seed-nodes = [], sharding.role = "" }
        """
    );

    /// <summary><see cref="InMemory"/>, as a member of a cluster, at a free port of loopback.</summary>
    public static Config InCluster() => Member.WithFallback(InMemory());

    /// <summary>With the product's serializer, and a journal and snapshots in memory.</summary>
    public static Config InMemory() =>
        Memory.WithFallback(OfProduct(new NodeModel { Journal = new JournalModel { Path = "/nowhere/journal.db" } }));

    /// <summary>With the product's serializer and its journal in SQL, on connections as the product makes them.</summary>
    public static ActorSystemSetup InSql(NodeModel model) => InSqlOfAHost(model).And(new JournalSetup(JournalDatabase.Of(model.Journal)));

    /// <summary><see cref="InSql"/> as in a system that a host has made: the journal is Akka's in all.</summary>
    public static ActorSystemSetup InSqlOfAHost(NodeModel model) =>
        BootstrapSetup.Create().WithConfig(OfProduct(model)).And(DatabaseConnections.ForAkka(JournalDatabase.Of(model.Journal)));

    private static Config OfProduct(NodeModel model) => Local.WithFallback(ConfigurationFactory.ParseString(AkkaSection.Text(model)));
}
