using ActorTrainer.Core.Configuration;
using ActorTrainer.Core.Identity;
using ActorTrainer.Hocon;

namespace ActorTrainer.Core.Tests.Configuration;

public sealed class AkkaModelReaderTests
{
    private const string Remote = "akka.remote.dot-netty.tcp { enable-ssl = on";

    [Fact]
    public void Read_OwnSection_KeepsItsPlaces()
    {
        NodeModel model = Read("akka { loglevel = DEBUG, \"a.b\" = 1 }");

        ConfigObject section = model.Akka.Section.ShouldNotBeNull();
        section.At("loglevel").ShouldNotBeNull().Origin.ToString().ShouldBe("n.conf:1:19");
        section.At("a.b").ShouldNotBeNull();
    }

    [Theory]
    [InlineData("actortrainer.node.slots = 1")]
    [InlineData("akka = null")]
    public void Read_NoSection_HasNone(string text) => Read(text).Akka.Section.ShouldBeNull();

    [Fact]
    public void Read_Places_AreThoseOfWhatTheUserWrote()
    {
        ConfigObject own = HoconReader.ReadText(
            "actortrainer {\n  node { address = \"127.0.0.1:7401\", name = null }\n  cluster.seed-nodes = [\"127.0.0.1:1\"]\n}",
            "n.conf"
        );

        NodeModel model = Read(own.Merge(NodeConfiguration.Reference()));

        model
            .Akka.Places.ToDictionary(p => p.Key, p => p.Value.ToString())
            .ShouldBe(
                new Dictionary<string, string>
                {
                    ["actortrainer.cluster.seed-nodes"] = "n.conf:3:24",
                    ["actortrainer.node.address"] = "n.conf:2:20",
                }
            );
    }

    [Theory]
    [InlineData(
        "engine = akka",
        "1:14: actortrainer.engine is not a known key. Known keys of actortrainer: akka, checkpoints, cluster, journal, "
            + "logging, membership, node, output, security, sharding, worker."
    )]
    [InlineData("akka.port-offset = 0", "1:33: actortrainer.akka.port-offset is '0': it must be from 1 to 65534.")]
    [InlineData(
        "akka.port-ofset = 1",
        "1:19: actortrainer.akka.port-ofset is not a known key. Did you mean actortrainer.akka.port-offset?"
    )]
    [InlineData(
        "journal.postgresql = \" \"",
        "1:35: actortrainer.journal.postgresql is ' ': write a connection string, or null for the SQLite file."
    )]
    [InlineData("node.slots = 1, akka = 5", "1:37: akka is not an object; write akka { … }.")]
    [InlineData(
        "node.address = \"127.0.0.1:65000\"",
        "1:29: actortrainer.node.address 127.0.0.1:65000 and actortrainer.akka.port-offset 1000 make Akka's port 66000, "
            + "and ports end at 65535; use a lower port or a smaller offset."
    )]
    [InlineData(
        "akka.port-offset = 60000",
        "1:33: actortrainer.node.address 127.0.0.1:7400 and actortrainer.akka.port-offset 60000 make Akka's port 67400, "
            + "and ports end at 65535; use a lower port or a smaller offset."
    )]
    [InlineData(
        "cluster.seed-nodes = [\"127.0.0.1:7\", \"127.0.0.1:64536\"]",
        "1:35: actortrainer.cluster.seed-nodes 127.0.0.1:64536 and actortrainer.akka.port-offset 1000 make Akka's port 65536, "
            + "and ports end at 65535; use a lower port or a smaller offset."
    )]
    public void Read_Mistake_SaysWhereWhatAndWhatToDo(string text, string message) =>
        Should.Throw<ConfigException>(() => Read("actortrainer." + text)).Message.ShouldBe("n.conf:" + message);

    [Fact]
    public void Read_PortsThatJustFit_AreTaken() =>
        Read("actortrainer { node.address = \"127.0.0.1:64535\", cluster.seed-nodes = [\"127.0.0.1:64535\"] }")
            .Address.Port.ShouldBe(64_535);

    [Theory]
    [InlineData(
        "",
        "1:31: node.address 10.0.0.1:7400 can be reached from other machines, and Akka.Remote has no shared token, "
            + "so akka.remote.dot-netty.tcp.enable-ssl = on is needed: "
            + "give every node a certificate with akka.remote.dot-netty.tcp.ssl.certificate { path = …, password = … }."
    )]
    [InlineData("akka.remote.dot-netty.tcp.enable-ssl = off", "1:31: node.address 10.0.0.1:7400 can be reached")]
    [InlineData("akka = 5", "2:8: akka is not an object")]
    [InlineData(
        Remote + ", ssl.suppress-validation = true }",
        "2:72: akka.remote.dot-netty.tcp.ssl.suppress-validation lets anybody take part who reaches 10.0.0.1:7400. Remove it."
    )]
    [InlineData(
        Remote + ", ssl.require-mutual-authentication = false }",
        "2:82: without akka.remote.dot-netty.tcp.ssl.require-mutual-authentication anybody can take part who reaches "
            + "10.0.0.1:7400. Remove it."
    )]
    public void Read_OtherMachinesWithoutCertificates_IsRefused(string akka, string message) =>
        Should.Throw<ConfigException>(() => Read(Reachable(akka))).Message.ShouldStartWith("n.conf:" + message);

    [Theory]
    [InlineData("on")]
    [InlineData("true")]
    public void Read_OtherMachinesWithCertificates_IsTaken(string on) =>
        Read(Reachable($"akka.remote.dot-netty.tcp.enable-ssl = {on}")).Address.ShouldBe(new NodeAddress("10.0.0.1", 7400));

    [Fact]
    public void Check_ModelMadeInCode_IsRefusedWithoutAPlace() =>
        Should
            .Throw<ConfigException>(() => AkkaModelReader.Check(new NodeModel { Address = new NodeAddress("127.0.0.1", 65_000) }))
            .Message.ShouldStartWith("configuration: actortrainer.node.address 127.0.0.1:65000 and");

    private static string Reachable(string akka) => $"actortrainer {{ node.address = \"10.0.0.1:7400\", security.token-file = t }}\n{akka}";

    private static NodeModel Read(string text) => Read(HoconReader.ReadText(text, "n.conf"));

    private static NodeModel Read(ConfigObject tree) => NodeModelReader.Read(tree, new NodeSurroundings(ConfigPaths.Resolver("/work"), 4));
}
