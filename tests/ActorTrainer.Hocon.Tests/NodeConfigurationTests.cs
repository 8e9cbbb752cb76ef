using System.Text.Json;
using ActorTrainer.Core.Configuration;
using ActorTrainer.Core.Identity;

namespace ActorTrainer.Hocon.Tests;

public sealed class NodeConfigurationTests : IDisposable
{
    private static readonly string HoconFolder = Path.Combine(TestFolder.Repository(), "hocon");

    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Reference_Values_AreTheDefaultsOfTheModel()
    {
        NodeSurroundings surroundings = new(ConfigPaths.Resolver("/work"), 6);
        NodeModel model = NodeModelReader.Read(NodeConfiguration.Reference(), surroundings);

        Json(model)
            .ShouldBe(
                Json(
                    new NodeModel
                    {
                        NodeName = "127.0.0.1-7400",
                        DataDir = "/work/actortrainer-data/nodes/7400",
                        Slots = 6,
                        Journal = new JournalModel { Path = "/work/actortrainer-data/journal.db" },
                        Checkpoints = new CheckpointStoreModel { Path = "/work/actortrainer-data/checkpoints" },
                    }
                )
            );
        Json(NodeModelReader.Read(HoconReader.ReadText("", "empty"), surroundings)).ShouldBe(Json(model));
    }

    [Fact]
    public void Reference_Keys_AreAllThatTheReaderKnows() =>
        Leaves(NodeConfiguration.Reference(), "")
            .Order(StringComparer.Ordinal)
            .ShouldBe(NodeModelReader.KnownKeys().Order(StringComparer.Ordinal));

    [Fact]
    public void Reference_EachKey_IsExplained()
    {
        string[] lines = File.ReadAllLines(Path.Combine(HoconFolder, "reference.conf"));
        for (int i = 1; i < lines.Length; i++)
        {
            if (lines[i].Contains(" = ", StringComparison.Ordinal) && !lines[i].TrimStart().StartsWith('#'))
            {
                lines[i - 1].TrimStart().ShouldStartWith("#", Case.Sensitive, $"line {i + 1}: {lines[i]}");
            }
        }
    }

    [Fact]
    public void Reference_EnvironmentVariables_StandAtTheirKeys()
    {
        string[] lines = File.ReadAllLines(Path.Combine(HoconFolder, "reference.conf"));
        foreach ((string variable, string keyPath) in NodeConfiguration.EnvironmentKeys)
        {
            int line = Array.FindIndex(lines, l => l.Trim() == $"# Environment: {variable}");
            line.ShouldBeGreaterThan(0, variable);
            lines[line + 1].Trim().ShouldStartWith(keyPath.Split('.')[^1] + " = ", Case.Sensitive, variable);
        }

        lines.Count(l => l.Contains("# Environment: ", StringComparison.Ordinal)).ShouldBe(NodeConfiguration.EnvironmentKeys.Count);
    }

    [Fact]
    public void Load_SingleNode_IsValid() =>
        NodeConfiguration.Load([Path.Combine(HoconFolder, "single-node.conf")]).Address.ShouldBe(NodeAddress.Parse("127.0.0.1:7400"));

    [Theory]
    [InlineData(1, 7401)]
    [InlineData(2, 7402)]
    [InlineData(3, 7403)]
    public void Load_ThreeNodes_ShareJournalAndCheckpointsOnly(int number, int port)
    {
        NodeModel model = NodeConfiguration.Load([Path.Combine(HoconFolder, "three-nodes", $"node{number}.conf")]);

        model.ClusterName.ShouldBe("three-nodes");
        model.Address.ShouldBe(new NodeAddress("127.0.0.1", port));
        model.NodeName.ShouldBe($"node{number}");
        model.SeedNodes.ShouldBe([new NodeAddress("127.0.0.1", 7401), new NodeAddress("127.0.0.1", 7402)]);
        string data = Path.Combine(Environment.CurrentDirectory, "actortrainer-data");
        model.Journal.Path.ShouldBe(Path.Combine(data, "journal.db"));
        model.Checkpoints.Path.ShouldBe(Path.Combine(data, "checkpoints"));
        model.DataDir.ShouldBe(Path.Combine(data, "nodes", $"{port}"));
    }

    public static TheoryData<string> Examples() =>
        [
            .. Directory
                .EnumerateFiles(HoconFolder, "*.conf", SearchOption.AllDirectories)
                .Select(file => Path.GetRelativePath(HoconFolder, file)),
        ];

    [Theory]
    [MemberData(nameof(Examples))]
    public void Load_EveryExample_IsValid(string file) =>
        NodeConfiguration.Load([Path.Combine(HoconFolder, file)]).ClusterName.ShouldNotBeEmpty();

    [Fact]
    public void Load_AkkaSectionFromAFlag_KeepsItsPlace() =>
        NodeConfiguration
            .Load([], [new ConfigOverride("akka.loglevel", "OFF", "flag --set")])
            .Akka.Section.ShouldNotBeNull()
            .At("loglevel")
            .ShouldNotBeNull()
            .Origin.ToString()
            .ShouldBe("flag --set");

    [Fact]
    public void Load_Layers_FlagBeatsEnvironmentBeatsLaterFileBeatsEarlierFile()
    {
        string one = _folder.Write(
            "one.conf",
            "actortrainer { node { slots = 1, name = one, roles = [one] }, cluster.name = one, logging.level = debug }"
        );
        string two = _folder.Write("two.conf", "actortrainer { node { slots = 2, name = two, roles = [two] } }");
        Dictionary<string, string> environment = new()
        {
            ["ACTORTRAINER_SLOTS"] = "3",
            ["ACTORTRAINER_NODE_NAME"] = "environment",
            ["ACTORTRAINER_LOG_LEVEL"] = "",
            ["ACTORTRAINER_SEED_NODES"] = "127.0.0.1:1, 127.0.0.1:2",
        };

        NodeModel model = NodeConfiguration.Load(
            [one, two],
            [
                new ConfigOverride("actortrainer.node.slots", "3", "flag --slots"),
                new ConfigOverride("actortrainer.node.slots", "4", "flag --slots"),
            ],
            environment
        );

        model.Slots.ShouldBe(4);
        model.NodeName.ShouldBe("environment");
        model.Roles.ShouldBe(["two"]);
        model.ClusterName.ShouldBe("one");
        model.Logging.Level.ShouldBe("debug");
        model.SeedNodes.Select(s => s.Port).ShouldBe([1, 2]);
    }

    [Fact]
    public void Load_SubstitutionOfDefault_SeesReference()
    {
        string file = _folder.Write("a.conf", "actortrainer.sharding.balance-after = ${actortrainer.sharding.drain-timeout}");

        NodeConfiguration.Load([file]).Sharding.BalanceAfter.ShouldBe(TimeSpan.FromMinutes(5));
    }

    [Fact]
    public void Load_RelativePaths_AreRelativeToWhereTheyAreWritten()
    {
        _folder.Write("sub/inner.conf", "actortrainer.journal.path = j.db");
        string file = _folder.Write(
            "a.conf",
            "include \"sub/inner.conf\"\nactortrainer { checkpoints.path = ../c, logging.file = /var/log/x }"
        );

        NodeModel model = NodeConfiguration.Load([file], [new ConfigOverride("actortrainer.node.data-dir", "d", "flag --data-dir")]);

        model.Journal.Path.ShouldBe(Path.Combine(_folder.Path, "sub", "j.db"));
        model.Checkpoints.Path.ShouldBe(Path.GetFullPath(Path.Combine(_folder.Path, "..", "c")));
        model.DataDir.ShouldBe(Path.Combine(Environment.CurrentDirectory, "d"));
        model.Logging.File.ShouldBe("/var/log/x");
    }

    [Theory]
    [InlineData("actortrainer.node.slots", "none", "flag --set: actortrainer.node.slots is 'none': that is not a whole number.")]
    [InlineData(
        "actortrainer.node.adress",
        "x",
        "flag --set: actortrainer.node.adress is not a known key. Did you mean actortrainer.node.address?"
    )]
    [InlineData("logging.level", "x", "flag --set: logging.level is not a known key. Did you mean actortrainer.logging.level?")]
    [InlineData("levl", "x", "flag --set: levl is not a known key. Did you mean actortrainer.logging.level?")]
    [InlineData(
        "actortrainr.node.slots",
        "1",
        "flag --set: actortrainr.node.slots is not a known key. Did you mean actortrainer.node.slots?"
    )]
    [InlineData(
        "foo.bar",
        "1",
        "flag --set: foo.bar is not a known key. Those of a node begin with actortrainer. or akka.; "
            + "'actortrainer config show FILE' prints them all."
    )]
    [InlineData("a..b", "x", "flag --set: 'a..b' is not a key. Use names joined by dots, for example actortrainer.node.address.")]
    [InlineData("actortrainer.node.roles", "[a,,b]", "flag --set: '[a,,b]': there is a ',' too many. Remove it.")]
    public void Load_WrongOverride_NamesTheFlag(string key, string value, string message) =>
        Should
            .Throw<ConfigException>(() => NodeConfiguration.Load([], [new ConfigOverride(key, value, "flag --set")]))
            .Message.ShouldBe(message);

    [Fact]
    public void Load_OverrideOfAKeyThatTheFileHasForItself_IsSeenBySubstitutions()
    {
        string file = _folder.Write("own.conf", "mine.slots = 2\nactortrainer.node.slots = ${mine.slots}");

        NodeConfiguration.Load([file], [new ConfigOverride("mine.slots", "3", "flag --set")]).Slots.ShouldBe(3);
    }

    [Fact]
    public void Load_OverrideWithList_IsRead() =>
        NodeConfiguration.Load([], [new ConfigOverride("actortrainer.node.roles", "[b, \"a\"]", "flag --set")]).Roles.ShouldBe(["a", "b"]);

    [Fact]
    public void Load_OverrideWithIPv6Address_IsTakenAsItIs() =>
        NodeConfiguration
            .Load([], [new ConfigOverride("actortrainer.node.address", "[::1]:7400", "flag --address")])
            .Address.ShouldBe(new NodeAddress("::1", 7400));

    [Fact]
    public void Load_WrongEnvironment_NamesTheVariable() =>
        Should
            .Throw<ConfigException>(() =>
                NodeConfiguration.Load([], null, new Dictionary<string, string> { ["ACTORTRAINER_NODE_ADDRESS"] = "7400" })
            )
            .Message.ShouldStartWith("environment ACTORTRAINER_NODE_ADDRESS: actortrainer.node.address is '7400': use host:port");

    [Fact]
    public void Load_TokenFile_IsReadWithoutWhiteSpaceAtItsEnds()
    {
        _folder.Write("token", "  0123456789abcdef\n");
        string file = _folder.Write(
            "a.conf",
            "actortrainer { node.address = \"10.0.0.1:7400\", security.token-file = token }\nakka.remote.dot-netty.tcp.enable-ssl = on"
        );

        SecurityModel security = NodeConfiguration.Load([file]).Security;

        security.Token.ShouldBe("0123456789abcdef");
        security.TokenFile.ShouldBe(Path.Combine(_folder.Path, "token"));
    }

    [Theory]
    [InlineData("", "does not hold a token")]
    [InlineData("short", "does not hold a token")]
    [InlineData("0123456789 abcdef0", "does not hold a token")]
    [InlineData("0123456789abcdef\nsecond-line", "does not hold a token")]
    [InlineData(null, "could not be read")]
    public void Load_WrongTokenFile_IsRefusedWithoutShowingIt(string? content, string problem)
    {
        if (content is not null)
        {
            _folder.Write("token", content);
        }

        string file = _folder.Write("a.conf", "\nactortrainer.security.token-file = token");

        string message = Should.Throw<ConfigException>(() => NodeConfiguration.Load([file])).Message;
        message.ShouldStartWith($"{file}:2:36: actortrainer.security.token-file {_folder.Path}/token {problem}");
        message.ShouldNotContain("second-line");
    }

    [Fact]
    public void Load_TooLongToken_IsRefused()
    {
        _folder.Write("token", new string('x', 5_000));
        string file = _folder.Write("a.conf", "actortrainer.security.token-file = token");

        Should.Throw<ConfigException>(() => NodeConfiguration.Load([file])).Message.ShouldContain("does not hold a token");
    }

    private static string Json(NodeModel model) => JsonSerializer.Serialize(model);

    private static IEnumerable<string> Leaves(ConfigObject config, string prefix) =>
        config.Fields.SelectMany(f => f.Value is ConfigObject inner ? Leaves(inner, $"{prefix}{f.Key}.") : [$"{prefix}{f.Key}"]);
}
