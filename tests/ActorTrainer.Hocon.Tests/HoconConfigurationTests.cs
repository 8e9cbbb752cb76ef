using ActorTrainer.Core.Configuration;
using ActorTrainer.Core.Identity;
using Microsoft.Extensions.Configuration;

namespace ActorTrainer.Hocon.Tests;

public sealed class HoconConfigurationTests : IDisposable
{
    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void AddHoconFile_File_IsFlattened()
    {
        _folder.Write("a.conf", "a { b.c = 5 ms, list = [x, { y = 1 }], none = null, empty = [] }");

        IConfigurationRoot configuration = new ConfigurationBuilder().SetBasePath(_folder.Path).AddHoconFile("a.conf").Build();

        configuration["a:b:c"].ShouldBe("5 ms");
        configuration["A:List:0"].ShouldBe("x");
        configuration["a:list:1:y"].ShouldBe("1");
        configuration["a:none"].ShouldBeNull();
        configuration["a:empty"].ShouldBe("");
    }

    [Fact]
    public void AddHoconFile_MissingFile_IsRefusedUnlessOptional()
    {
        new ConfigurationBuilder().AddHoconFile("/nowhere/a.conf", optional: true).Build().GetChildren().ShouldBeEmpty();

        Should
            .Throw<ConfigException>(() => new ConfigurationBuilder().AddHoconFile("/nowhere/a.conf").Build())
            .Message.ShouldStartWith("/nowhere/a.conf: this file does not exist");
    }

    [Fact]
    public void FromConfiguration_Sources_AreReadOverTheDefaults()
    {
        _folder.Write(
            "a.conf",
            "actortrainer { node { address = \"127.0.0.1:7500\", slots = 2 }, cluster.seed-nodes = [\"127.0.0.1:1\", "
                + "\"127.0.0.1:2\"], journal.path = j.db }"
        );
        IConfigurationRoot configuration = new ConfigurationBuilder()
            .SetBasePath(_folder.Path)
            .AddHoconFile("a.conf")
            .AddInMemoryCollection([
                new("ActorTrainer:Node:Slots", "3"),
                new("actortrainer:membership:heartbeat-interval", "50 ms"),
                new("other", "x"),
            ])
            .Build();

        NodeModel model = NodeConfiguration.FromConfiguration(
            configuration,
            [new ConfigOverride("actortrainer.node.name", "me", "host")],
            new Dictionary<string, string> { ["ACTORTRAINER_LOG_LEVEL"] = "warn" }
        );

        model.Address.ShouldBe(new NodeAddress("127.0.0.1", 7500));
        model.Slots.ShouldBe(3);
        model.SeedNodes.Select(s => s.Port).ShouldBe([1, 2]);
        model.Membership.HeartbeatInterval.ShouldBe(TimeSpan.FromMilliseconds(50));
        model.Membership.AcceptablePause.ShouldBe(TimeSpan.FromSeconds(2));
        model.Journal.Path.ShouldBe(Path.Combine(_folder.Path, "j.db"));
        model.NodeName.ShouldBe("me");
        model.Logging.Level.ShouldBe("warn");
    }

    [Fact]
    public void FromConfiguration_Empty_IsTheDefaults() =>
        NodeConfiguration.FromConfiguration(new ConfigurationBuilder().Build()).ShouldBeEquivalentTo(NodeConfiguration.Load([]));

    [Fact]
    public void FromConfiguration_AkkaSection_IsReadWithItsKeysAsWritten()
    {
        string file = _folder.Write("a.conf", "akka { actor.serialization-bindings { \"My.Type, My\" = own }, cluster.roles = [] }");
        IConfigurationRoot configuration = new ConfigurationBuilder()
            .AddHoconFile(file)
            .AddInMemoryCollection([new("akka:cluster:seed-nodes:0", "x")])
            .Build();

        ConfigObject section = NodeConfiguration.FromConfiguration(configuration).Akka.Section.ShouldNotBeNull();

        section
            .At("actor", "serialization-bindings", "My.Type, My")
            .ShouldBeOfType<ConfigScalar>()
            .Origin.ToString()
            .ShouldBe($"{file}:1:55");
        section.At("cluster", "roles").ShouldBeOfType<ConfigArray>().Items.ShouldBeEmpty();
        section.At("cluster", "seed-nodes").ShouldBeOfType<ConfigArray>().Items.Count.ShouldBe(1);
    }

    [Fact]
    public void FromConfiguration_WrongValueInHoconFile_NamesItsPlace()
    {
        string file = _folder.Write("a.conf", "actortrainer {\n  node.slots = 0\n}");
        IConfigurationRoot configuration = new ConfigurationBuilder().AddHoconFile(file).Build();

        Should
            .Throw<ConfigException>(() => NodeConfiguration.FromConfiguration(configuration))
            .Message.ShouldBe($"{file}:2:16: actortrainer.node.slots is '0': it must be from 1 to 10000.");
    }

    [Fact]
    public void FromConfiguration_UnknownKey_NamesSourceAndNearest()
    {
        IConfigurationRoot configuration = new ConfigurationBuilder()
            .AddInMemoryCollection([new("ActorTrainer:Membership:HeartbeatInterval", "50 ms")])
            .Build();

        Should
            .Throw<ConfigException>(() => NodeConfiguration.FromConfiguration(configuration))
            .Message.ShouldBe(
                "configuration actortrainer:Membership:HeartbeatInterval (MemoryConfigurationProvider): "
                    + "actortrainer.membership.heartbeatinterval is not a known key. "
                    + "Did you mean actortrainer.membership.heartbeat-interval?"
            );
    }
}
