using ActorTrainer.Cluster.Configuration;
using ActorTrainer.Core.Configuration;
using Akka.Configuration;

namespace ActorTrainer.Cluster.Tests.Configuration;

public sealed class ContradictionTests
{
    private const string Address = "actortrainer.node.address = \"127.0.0.1:7400\"\n";
    private const string Beats = "actortrainer.membership { heartbeat-interval = 500 ms, acceptable-pause = 9 s }\n";

    [Theory]
    [InlineData(
        Address + "akka.remote.dot-netty.tcp.port = 9000",
        "2:34: akka.remote.dot-netty.tcp.port = 9000 contradicts actortrainer.node.address = \"127.0.0.1:7400\" "
            + "(node.conf:1:29), which makes it 8400; remove it, or set actortrainer.akka.port-offset."
    )]
    [InlineData(
        "akka.remote.dot-netty.tcp.port = 9000",
        "1:34: akka.remote.dot-netty.tcp.port = 9000 contradicts actortrainer.node.address = \"127.0.0.1:7400\" (default), "
            + "which makes it 8400; remove it, or set actortrainer.akka.port-offset."
    )]
    [InlineData(
        "akka.remote.dot-netty.tcp.public-port = 9000",
        "1:41: akka.remote.dot-netty.tcp.public-port = 9000 contradicts actortrainer.node.address = \"127.0.0.1:7400\" "
            + "(default), which makes it 8400; remove it, or set actortrainer.akka.port-offset."
    )]
    [InlineData(
        Address + "akka.remote.dot-netty.tcp.hostname = \"0.0.0.0\"",
        "2:38: akka.remote.dot-netty.tcp.hostname = \"0.0.0.0\" contradicts actortrainer.node.address = \"127.0.0.1:7400\" "
            + "(node.conf:1:29), which makes it 127.0.0.1; remove it, or set actortrainer.node.address."
    )]
    [InlineData(
        "akka.remote.dot-netty.tcp.public-hostname = other",
        "1:45: akka.remote.dot-netty.tcp.public-hostname = other contradicts actortrainer.node.address = \"127.0.0.1:7400\" "
            + "(default), which makes it 127.0.0.1; remove it, or set actortrainer.node.address."
    )]
    [InlineData(
        "akka.actor.provider = remote",
        "1:23: akka.actor.provider = remote contradicts actortrainer.cluster.name = actortrainer (default), "
            + "which makes it cluster; remove it."
    )]
    [InlineData("akka.actor.provider = null", "1:23: akka.actor.provider = null contradicts")]
    [InlineData(
        "akka.cluster.seed-nodes = [\"akka.tcp://actortrainer@127.0.0.1:8400\"]",
        "1:27: akka.cluster.seed-nodes = [\"akka.tcp://actortrainer@127.0.0.1:8400\"] contradicts "
            + "actortrainer.cluster.seed-nodes = [] (default), which makes it []; remove it: "
            + "a node finds the others through the journal."
    )]
    [InlineData(
        "actortrainer.node.roles = [gpu]\nakka.cluster.roles = [gpu]",
        "2:22: akka.cluster.roles = [gpu] contradicts actortrainer.node.roles = [gpu] (node.conf:1:27), "
            + "which makes it [actortrainer, gpu]; add what is missing, or remove it and set actortrainer.node.roles."
    )]
    [InlineData(
        "akka.cluster.roles = actortrainer",
        "1:22: akka.cluster.roles = actortrainer contradicts actortrainer.node.roles = [] (default), which makes it [actortrainer]"
    )]
    [InlineData(
        "akka.cluster.sharding.number-of-shards = 10",
        "1:42: akka.cluster.sharding.number-of-shards = 10 contradicts actortrainer.sharding.number-of-shards = 1024 "
            + "(default), which makes it 1024"
    )]
    [InlineData(
        "akka.persistence.journal.actortrainer.provider-name = SqlServer",
        "1:55: akka.persistence.journal.actortrainer.provider-name = SqlServer contradicts actortrainer.journal.path = "
            + "/work/actortrainer-data/journal.db (default), which makes it SQLite.MS; "
            + "remove it, or set actortrainer.journal.postgresql."
    )]
    [InlineData("akka.remote = 5", "1:15: akka.remote is not an object, and keys below it are needed; write remote { … }.")]
    [InlineData(
        "akka.remote.dot-netty.tcp.port { a = 1 }",
        "1:27: akka.remote.dot-netty.tcp.port is an object; write a value such as 8400."
    )]
    [InlineData(
        Beats + "akka.cluster.failure-detector.heartbeat-interval = 1 s",
        "2:52: akka.cluster.failure-detector.heartbeat-interval = 1 s contradicts actortrainer.membership.heartbeat-interval = "
            + "500 ms (node.conf:1:48), which makes it 500 ms; remove one of them."
    )]
    [InlineData(
        "actortrainer.cluster.expected-nodes = 20\nakka.cluster.gossip-interval = often",
        "2:32: akka.cluster.gossip-interval = often contradicts actortrainer.cluster.expected-nodes = 20 (node.conf:1:39)"
    )]
    [InlineData(
        Beats + "akka.cluster.failure-detector.acceptable-heartbeat-pause = 10 s",
        "2:60: akka.cluster.failure-detector.acceptable-heartbeat-pause = 10 s contradicts "
            + "actortrainer.membership.acceptable-pause = 9 s (node.conf:1:75), which makes it 9 s; remove one of them."
    )]
    public void Derive_Contradiction_SaysBothPlaces(string text, string message) =>
        Should.Throw<ConfigException>(() => AkkaSection.Derive(Models.Read(text))).Message.ShouldStartWith("node.conf:" + message);

    [Theory]
    [InlineData("akka.persistence.journal.actortrainer.connection-string = \"Data Source=x;Password=secret\"")]
    [InlineData(
        "actortrainer.journal.postgresql = \"Host=db;Password=secret\", "
            + "akka.persistence.snapshot-store.actortrainer.connection-string = \"Host=db\""
    )]
    [InlineData(
        "actortrainer.journal.postgresql = \"Host=db;Password=secret\", akka.persistence.journal.actortrainer.provider-name = MySql"
    )]
    public void Derive_OtherJournal_IsRefusedWithoutShowingAPassword(string text)
    {
        string message = Should.Throw<ConfigException>(() => AkkaSection.Derive(Models.Read(text))).Message;

        message.ShouldContain(" contradicts actortrainer.journal.");
        message.ShouldNotContain("secret");
    }

    [Theory]
    [InlineData("akka.remote.dot-netty.tcp { port = 8400, public-port = 8400, hostname = \"127.0.0.1\" }")]
    [InlineData("akka.actor.provider = \"Akka.Cluster.ClusterActorRefProvider, Akka.Cluster\"")]
    [InlineData("akka.cluster.seed-nodes = []")]
    [InlineData("akka.cluster.roles = [mine, actortrainer]")]
    [InlineData("akka.cluster.sharding.number-of-shards = 1024")]
    [InlineData(
        "akka.persistence.journal.actortrainer { connection-string = \"Data Source=/work/actortrainer-data/journal.db\", parallelism = 2 }"
    )]
    [InlineData(
        Beats
            + "akka.cluster.failure-detector { heartbeat-interval = 0.5s, expected-response-after = 500, "
            + "acceptable-heartbeat-pause = 9000 }"
    )]
    [InlineData("actortrainer.journal.path = j.db\nakka.persistence.journal.actortrainer.parallelism = 2")]
    public void Derive_SameSaidTwice_IsTaken(string text) => Should.NotThrow(() => AkkaSection.Derive(Models.Read(text)));

    [Fact]
    public void Derive_TunableKeyThatOnlyAkkaSays_Wins()
    {
        NodeModel model = Models.Read(
            "actortrainer.membership.acceptable-pause = 5 s\nakka.cluster { gossip-interval = 300ms, "
                + "failure-detector.heartbeat-interval = 1s, sharding.handoff-timeout = 90s }"
        );

        Config akka = ConfigurationFactory.ParseString(AkkaSection.Text(model));

        akka.GetTimeSpan("akka.cluster.failure-detector.heartbeat-interval").ShouldBe(TimeSpan.FromSeconds(1));
        akka.GetTimeSpan("akka.cluster.sharding.handoff-timeout").ShouldBe(TimeSpan.FromSeconds(90));
        akka.GetTimeSpan("akka.cluster.gossip-interval").ShouldBe(TimeSpan.FromMilliseconds(300));
        akka.GetTimeSpan("akka.cluster.leader-actions-interval").ShouldBe(TimeSpan.FromSeconds(1));
        akka.GetTimeSpan("akka.cluster.failure-detector.acceptable-heartbeat-pause").ShouldBe(TimeSpan.FromSeconds(5));
    }
}
