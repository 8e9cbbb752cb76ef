using ActorTrainer.Cluster.Configuration;
using ActorTrainer.Core.Configuration;
using ActorTrainer.Core.Identity;
using ActorTrainer.Hocon;
using Akka.Configuration;
using Microsoft.Data.Sqlite;

namespace ActorTrainer.Cluster.Tests.Configuration;

public sealed class AkkaSectionTests
{
    [Fact]
    public void Derive_Defaults_AreThoseOfTheNode()
    {
        Config akka = Parse(Models.Read(""));

        akka.GetString("akka.actor.provider").ShouldBe("cluster");
        akka.GetString("akka.remote.dot-netty.tcp.hostname").ShouldBe("127.0.0.1");
        akka.GetString("akka.remote.dot-netty.tcp.public-hostname").ShouldBe("127.0.0.1");
        akka.GetInt("akka.remote.dot-netty.tcp.port").ShouldBe(8400);
        akka.GetStringList("akka.cluster.roles").ShouldBe(["actortrainer"]);
        akka.GetStringList("akka.cluster.seed-nodes").ShouldBeEmpty();
        akka.GetTimeSpan("akka.cluster.failure-detector.heartbeat-interval").ShouldBe(TimeSpan.FromMilliseconds(500));
        akka.GetTimeSpan("akka.cluster.failure-detector.acceptable-heartbeat-pause").ShouldBe(TimeSpan.FromSeconds(2));
        akka.GetTimeSpan("akka.actortrainer.pace").ShouldBe(TimeSpan.FromMilliseconds(50), "apart from the heartbeat");
        akka.GetTimeSpan("akka.cluster.sharding.handoff-timeout").ShouldBe(TimeSpan.FromSeconds(60));
        akka.GetBoolean("akka.cluster.sharding.remember-entities").ShouldBeFalse("the rows of the tasks remember them");
        foreach (string plugin in (string[])["journal.actortrainer", "snapshot-store.actortrainer"])
        {
            akka.GetString($"akka.persistence.{plugin}.provider-name").ShouldBe("SQLite.MS");
            akka.GetString($"akka.persistence.{plugin}.connection-string").ShouldBe("Data Source=/work/actortrainer-data/journal.db");
        }
    }

    [Fact]
    public void Derive_Written_AreTheUsers()
    {
        NodeModel model = Models.Read(
            """
            actortrainer {
              cluster { name = c-1, seed-nodes = ["127.0.0.1:7", "[::1]:8"] }
              node { address = "[::1]:9", roles = "gpu, actortrainer" }
              akka.port-offset = 5
              journal.postgresql = "Host=db;Password='a;b=\"c\"\\'"
              membership { heartbeat-interval = 1500 us }
              sharding { move-timeout = 1500 ms, number-of-shards = 7 }
            }
            """
        );

        Config akka = Parse(model);

        akka.GetInt("akka.remote.dot-netty.tcp.port").ShouldBe(14);
        akka.GetString("akka.remote.dot-netty.tcp.hostname").ShouldBe("::1");
        akka.GetStringList("akka.cluster.roles").ShouldBe(["actortrainer", "gpu"]);
        akka.GetStringList("akka.cluster.seed-nodes").ShouldBeEmpty("Akka itself must not found a cluster");
        akka.GetTimeSpan("akka.cluster.failure-detector.heartbeat-interval").ShouldBe(TimeSpan.FromMilliseconds(1.5));
        akka.GetTimeSpan("akka.cluster.sharding.handoff-timeout").ShouldBe(TimeSpan.FromMilliseconds(1500));
        akka.GetString("akka.persistence.journal.actortrainer.provider-name").ShouldBe("PostgreSQL.15");
        akka.GetString("akka.persistence.journal.actortrainer.connection-string").ShouldBe("Host=db;Password='a;b=\"c\"\\'");
        akka.GetInt("akka.persistence.journal.actortrainer.parallelism").ShouldBe(3);
    }

    [Theory]
    [InlineData("/a b/j;x=\"1\"'2'.db")]
    [InlineData(@"C:\data\journal.db")]
    [InlineData("/ü/#$1.db")]
    public void Text_AwkwardJournalPath_ReachesSqlite(string path)
    {
        NodeModel model = Models.Read("") with { Journal = new JournalModel { Path = path } };

        string connection = Parse(model).GetString("akka.persistence.journal.actortrainer.connection-string");

        new SqliteConnectionStringBuilder(connection).DataSource.ShouldBe(path);
    }

    [Fact]
    public void Derive_ModelWithChosenPort_UsesIt()
    {
        NodeModel model = Models.Read("") with { Address = new NodeAddress("127.0.0.1", 41_234) };

        Config akka = Parse(model);

        akka.GetInt("akka.remote.dot-netty.tcp.port").ShouldBe(42_234);
    }

    [Fact]
    public void Derive_PortThatIsNotKnownYet_IsAkkasToChoose() =>
        Parse(Models.Read("") with { Address = new NodeAddress("127.0.0.1", 0) }).GetInt("akka.remote.dot-netty.tcp.port").ShouldBe(0);

    [Theory]
    [InlineData("", 30, 150, 200)]
    [InlineData("actortrainer.cluster.expected-nodes = 40", 30, 200, 200)]
    [InlineData("actortrainer.cluster.expected-nodes = 20", 30, 150, 200)]
    [InlineData("actortrainer.cluster.expected-nodes = 80", 30, 400, 400)]
    public void Derive_NumberOfNodes_SetsThePaceApartFromTheHeartbeat(string text, int living, int pace, int reaper)
    {
        Config akka = ConfigurationFactory.ParseString(AkkaSection.Text(Models.Read(text), living));

        akka.GetTimeSpan("akka.actortrainer.pace").ShouldBe(TimeSpan.FromMilliseconds(pace));
        akka.GetTimeSpan("akka.cluster.unreachable-nodes-reaper-interval").ShouldBe(TimeSpan.FromMilliseconds(reaper));
        foreach (string key in (string[])["gossip-interval", "leader-actions-interval"])
        {
            akka.GetTimeSpan($"akka.cluster.{key}").ShouldBe(TimeSpan.FromSeconds(1), "while nothing changes");
        }

        akka.GetTimeSpan("akka.cluster.failure-detector.heartbeat-interval").ShouldBe(TimeSpan.FromMilliseconds(500));
    }

    [Fact]
    public void Derive_ChosenPortWithTooLargeOffset_IsRefused() =>
        Should
            .Throw<ConfigException>(() =>
                AkkaSection.Derive(
                    Models.Read("actortrainer.akka.port-offset = 50000") with
                    {
                        Address = new NodeAddress("127.0.0.1", 41_234),
                    }
                )
            )
            .Message.ShouldStartWith(
                "node.conf:1:33: actortrainer.node.address 127.0.0.1:41234 and actortrainer.akka.port-offset 50000 make Akka's port 91234"
            );

    [Fact]
    public void Derive_Origins_SayWhereAValueComesFrom()
    {
        ConfigObject root = AkkaSection.Derive(
            Models.Read(
                "actortrainer { node.address = \"127.0.0.1:7401\", akka.port-offset = 7 }\nakka.loglevel = WARNING, "
                    + "akka.cluster.sharding.remember-entities = off"
            )
        );

        string Place(params ReadOnlySpan<string> path) => root.At(path).ShouldNotBeNull().Origin.ToString();
        root.Fields.Select(f => f.Key).ShouldBe(["akka"]);
        Place("akka", "remote", "dot-netty", "tcp", "hostname").ShouldBe("derived from actortrainer.node.address (node.conf:1:31)");
        Place("akka", "remote", "dot-netty", "tcp", "port")
            .ShouldBe("derived from actortrainer.node.address (node.conf:1:31) and actortrainer.akka.port-offset (node.conf:1:68)");
        Place("akka", "cluster", "seed-nodes").ShouldBe("derived from actortrainer.cluster.seed-nodes (default)");
        Place("akka", "cluster", "roles").ShouldBe("derived from actortrainer.node.roles (default)");
        Place("akka", "cluster", "sharding", "role").ShouldStartWith("derived.conf:");
        Place("akka", "cluster", "sharding", "remember-entities").ShouldBe("node.conf:2:68");
        Place("akka", "loglevel").ShouldBe("node.conf:2:17");
    }

    [Fact]
    public void Text_OwnSection_ReadsBackTheSame()
    {
        const string own = """
            akka {
              actor {
                serialization-bindings { "My.Type, My" = own, "a \"quoted\" key" = "x" }
                deployment { "/a/b" { router = round-robin-pool, nr-of-instances = 3 } }
              }
              log-dead-letters = off
              loggers = ["Akka.Event.DefaultLogger", "My.Logger, My"]
              list = [{ a = 1 }, { a = "2 ms" }, [3]]
              path = "C:\\a\tb", empty = "", none = [], nothing {}, substitution = "${x}", half = 0.5
            }
            """;

        Config akka = Parse(Models.Read(own));

        akka.GetString("akka.actor.serialization-bindings.\"My.Type, My\"").ShouldBe("own");
        akka.GetString("akka.actor.serialization-bindings.\"ActorTrainer.Cluster.Messages.IActorTrainerMessage, ActorTrainer.Cluster\"")
            .ShouldBe("actortrainer");
        akka.GetConfig("akka.actor.serialization-bindings").AsEnumerable().Select(b => b.Key).ShouldContain("a \"quoted\" key");
        akka.GetConfig("akka.actor.deployment").AsEnumerable().ShouldHaveSingleItem().Key.ShouldBe("/a/b");
        akka.GetString("akka.actor.serializers.actortrainer")
            .ShouldBe("ActorTrainer.Cluster.Messages.ActorTrainerSerializer, ActorTrainer.Cluster");
        akka.GetBoolean("akka.log-dead-letters", true).ShouldBeFalse();
        akka.GetStringList("akka.loggers").ShouldBe(["Akka.Event.DefaultLogger", "My.Logger, My"]);
        akka.GetValue("akka.list").GetArray().Count.ShouldBe(3);
        akka.GetValue("akka.list").GetArray()[1].GetObject().GetKey("a").GetTimeSpan().ShouldBe(TimeSpan.FromMilliseconds(2));
        akka.GetString("akka.path").ShouldBe("C:\\a\tb");
        akka.GetString("akka.empty").ShouldBe("");
        akka.GetStringList("akka.none").ShouldBeEmpty();
        akka.GetString("akka.substitution").ShouldBe("${x}");
        akka.GetDouble("akka.half").ShouldBe(0.5);
    }

    [Fact]
    public void Text_Hocon_ReadsBackTheSame()
    {
        NodeModel model = Models.Read("actortrainer.journal.postgresql = \"Host=db\"");

        ConfigRenderer.Render(HoconReader.ReadText(AkkaSection.Text(model), "t"), origins: false).ShouldBe(AkkaSection.Text(model));
    }

    [Theory]
    [InlineData("Hst=db", "is not a connection string of Npgsql: ")]
    [InlineData("Username=u", "is not a connection string of Npgsql: it names no Host. Write one such as")]
    [InlineData("Host=db;Port=many;Password=secret", "is not a connection string of Npgsql: ")]
    [InlineData("secret", "is not a connection string of Npgsql: ")]
    public void Derive_WrongConnectionString_IsRefusedWithoutShowingIt(string text, string message)
    {
        string shown = Should
            .Throw<ConfigException>(() => AkkaSection.Derive(Models.Read($"actortrainer.journal.postgresql = \"{text}\"")))
            .Message;

        shown.ShouldStartWith($"node.conf:1:35: actortrainer.journal.postgresql {message}");
        shown.ShouldNotContain("secret");
    }

    private static Config Parse(NodeModel model) => ConfigurationFactory.ParseString(AkkaSection.Text(model));
}
