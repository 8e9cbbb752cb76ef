using ActorTrainer.Core.Configuration;
using ActorTrainer.Core.Identity;
using ActorTrainer.Hocon;

namespace ActorTrainer.Core.Tests.Configuration;

public sealed class NodeModelReaderTests
{
    [Fact]
    public void Read_EveryKey_ReachesTheModel()
    {
        NodeModel model = Read(
            """
            actortrainer {
              akka.port-offset = 5
              cluster { name = c-1, seed-nodes = ["127.0.0.1:1", "[::1]:2", "127.0.0.1:1"] }
              node { address = "host:7", name = N_1.x, data-dir = d, slots = 3, roles = "gpu, big,gpu" }
              security.token-file = /run/token
              membership {
                heartbeat-interval = 10 ms, acceptable-pause = 20 ms
              }
              sharding {
                number-of-shards = 16, allocation = round-robin, settle = 0
                move-timeout = 2 s, max-concurrent-moves = 3, max-concurrent-restores = 4, self-fence-after = 5 s
                journal-unreachable-after = 6 s, drain-timeout = 7 s, rebalance = off, balance-after = 8 s
              }
              journal {
                path = "x/../j.db", postgresql = "Host=db;Password=a b", keep-finished = 90 d, max-finished = 10, keep-events = 400
              }
              checkpoints { path = /c, scope = node, compression = false, chunk-size = 64k, memory = 3 GiB }
              worker { log-max-size = 1 M, nice = 0, warm.dotnet = 3 }
              logging { level = DEBUG, file = l.log }
            }
            akka.remote.dot-netty.tcp.enable-ssl = on
            """
        );

        model.Akka.PortOffset.ShouldBe(5);
        model.ClusterName.ShouldBe("c-1");
        model.SeedNodes.ShouldBe([new NodeAddress("127.0.0.1", 1), new NodeAddress("::1", 2)]);
        model.Address.ShouldBe(new NodeAddress("host", 7));
        model.NodeName.ShouldBe("N_1.x");
        model.DataDir.ShouldBe("/work/d");
        model.Slots.ShouldBe(3);
        model.Roles.ShouldBe(["big", "gpu"]);
        model.Security.ShouldBe(new SecurityModel { TokenFile = "/run/token" });
        model.Membership.ShouldBe(
            new MembershipModel { HeartbeatInterval = TimeSpan.FromMilliseconds(10), AcceptablePause = TimeSpan.FromMilliseconds(20) }
        );
        model.Sharding.ShouldBe(
            new ShardingModel
            {
                NumberOfShards = 16,
                Allocation = AllocationStrategy.RoundRobin,
                Settle = TimeSpan.Zero,
                MoveTimeout = TimeSpan.FromSeconds(2),
                MaxConcurrentMoves = 3,
                MaxConcurrentRestores = 4,
                SelfFenceAfter = TimeSpan.FromSeconds(5),
                JournalUnreachableAfter = TimeSpan.FromSeconds(6),
                DrainTimeout = TimeSpan.FromSeconds(7),
                BalanceAfter = TimeSpan.FromSeconds(8),
                Rebalance = false,
            }
        );
        model.Journal.ShouldBe(
            new JournalModel
            {
                Path = "/work/j.db",
                PostgreSql = "Host=db;Password=a b",
                KeepFinished = TimeSpan.FromDays(90),
                MaxFinished = 10,
                KeepEvents = 400,
            }
        );
        model.Checkpoints.ShouldBe(
            new CheckpointStoreModel
            {
                Path = "/c",
                Scope = "node",
                Compression = CheckpointCompression.Off,
                ChunkSizeBytes = 64 << 10,
                MemoryBytes = 3L << 30,
            }
        );
        model.Worker.ShouldBe(
            new WorkerModel
            {
                LogMaxBytes = 1 << 20,
                Nice = 0,
                WarmDotnet = 3,
            }
        );
        model.Logging.ShouldBe(new LoggingModel { Level = "debug", File = "/work/l.log" });
    }

    [Theory]
    [InlineData("cluster.name = Big", "1:29: actortrainer.cluster.name is 'Big': use 1 to 63 lower-case letters, digits and inner dashes.")]
    [InlineData(
        "cluster.seed-nodes = [\"127.0.0.1:1\", \"x\"]",
        "1:51: actortrainer.cluster.seed-nodes is 'x': use host:port with a port from 1 to 65535, for example \"127.0.0.1:7400\"."
    )]
    [InlineData("cluster.seed-nodes = [[a]]", "1:36: actortrainer.cluster.seed-nodes has a list in its list; write texts.")]
    [InlineData(
        "node.address = 7400",
        "1:29: actortrainer.node.address is '7400': use host:port with a port from 1 to 65535, for example \"127.0.0.1:7400\"."
    )]
    [InlineData(
        "node.address = \"127.0.0.1:0\"",
        "1:29: actortrainer.node.address is '127.0.0.1:0': use host:port with a port from 1 to 65535, for example \"127.0.0.1:7400\"."
    )]
    [InlineData(
        "node.address = \"0.0.0.0:7400\"",
        "1:29: actortrainer.node.address is '0.0.0.0:7400': name the address by which the other nodes reach this machine, "
            + "not all addresses."
    )]
    [InlineData(
        "node.address = \"10.0.0.1:7400\"",
        "1:29: node.address 10.0.0.1:7400 can be reached from other machines, so security.token-file is needed: "
            + "create a file with a secret (head -c 32 /dev/urandom | base64 > token) and set actortrainer.security.token-file to it "
            + "on every node."
    )]
    [InlineData(
        "node.name = \"a b\"",
        "1:26: actortrainer.node.name is 'a b': use 1 to 100 letters, digits, dashes, dots and underscores."
    )]
    [InlineData(
        "node.data-dir = \" \"",
        "1:30: actortrainer.node.data-dir is ' ': that is not a path; write one, or null for the default."
    )]
    [InlineData("node.slots = 0", "1:27: actortrainer.node.slots is '0': it must be from 1 to 10000.")]
    [InlineData("node.slots = two", "1:27: actortrainer.node.slots is 'two': that is not a whole number.")]
    [InlineData("node.slots = 1.5", "1:27: actortrainer.node.slots is '1.5': that is not a whole number.")]
    [InlineData(
        "node.slots = 99999999999999999999",
        "1:27: actortrainer.node.slots is '99999999999999999999': that is not a whole number."
    )]
    [InlineData("node.slots = [1]", "1:27: actortrainer.node.slots is a list; write one value.")]
    [InlineData(
        "node.roles = [GPU]",
        "1:28: actortrainer.node.roles is 'GPU': a role has 1 to 63 lower-case letters, digits and inner dashes."
    )]
    [InlineData("node.roles { a = 1 }", "1:25: actortrainer.node.roles is an object; write a list such as [\"a\", \"b\"].")]
    [InlineData("node = 5", "1:21: actortrainer.node is '5'; write node { … }.")]
    [InlineData(
        "membership.heartbeat-interval = -1 s",
        "1:46: actortrainer.membership.heartbeat-interval is '-1 s': it must be from 1 ms to 1 m."
    )]
    [InlineData(
        "membership.heartbeat-interval = 200",
        "1:46: actortrainer.membership.heartbeat-interval is '200': the unit is missing: "
            + "use ns, us, ms, s, m, h, d or w, for example 200 ms or 1.5 h."
    )]
    [InlineData(
        "membership.heartbeat-interval = 5 apples",
        "1:46: actortrainer.membership.heartbeat-interval is '5 apples': 'apples' is not a unit of time: "
            + "use ns, us, ms, s, m, h, d or w, for example 200 ms or 1.5 h."
    )]
    [InlineData(
        "membership.heartbeat-interval = 2 s",
        "1:46: acceptable-pause (2 s) must be at least twice heartbeat-interval (2 s), or one lost heartbeat is taken for a lost node."
    )]
    [InlineData("sharding.number-of-shards = 4097", "1:42: actortrainer.sharding.number-of-shards is '4097': it must be from 1 to 4096.")]
    [InlineData("sharding.allocation = best", "1:36: actortrainer.sharding.allocation is 'best': use one of load_balanced, round_robin.")]
    [InlineData("sharding.rebalance = maybe", "1:35: actortrainer.sharding.rebalance is 'maybe': write true or false.")]
    [InlineData(
        "checkpoints.chunk-size = 1 mb",
        "1:39: actortrainer.checkpoints.chunk-size is '1 mb': 'mb' is not a unit of size: "
            + "use B, K, M, G, T (powers of 1024, KiB and so on as well) or kB, MB, GB, TB (powers of 1000), for example 64 MiB."
    )]
    [InlineData("checkpoints.chunk-size = 1", "1:39: actortrainer.checkpoints.chunk-size is '1': it must be from 4 KiB to 64 MiB.")]
    [InlineData("worker.warm.dotnet = 17", "1:35: actortrainer.worker.warm.dotnet is '17': it must be from 0 to 16.")]
    [InlineData("worker.nice = -5", "1:28: actortrainer.worker.nice is '-5': it must be from 0 to 19.")]
    [InlineData("logging.level = loud", "1:30: actortrainer.logging.level is 'loud': use one of trace, debug, info, warn, error.")]
    [InlineData("node.adress = x", "1:19: actortrainer.node.adress is not a known key. Did you mean actortrainer.node.address?")]
    [InlineData(
        "heartbeat-interval = 1 s",
        "1:14: actortrainer.heartbeat-interval is not a known key. Did you mean actortrainer.membership.heartbeat-interval?"
    )]
    [InlineData("membershp { }", "1:14: actortrainer.membershp is not a known key. Did you mean actortrainer.membership?")]
    [InlineData(
        "journal.connection = x",
        "1:22: actortrainer.journal.connection is not a known key. Known keys of actortrainer.journal: "
            + "keep-events, keep-finished, max-finished, path, postgresql."
    )]
    [InlineData("journal.keep-events = 0", "1:36: actortrainer.journal.keep-events is '0': it must be from 1 to 1000000000.")]
    [InlineData(
        "journal.keep-finished = 90",
        "1:38: actortrainer.journal.keep-finished is '90': the unit is missing: "
            + "use ns, us, ms, s, m, h, d or w, for example 200 ms or 1.5 h."
    )]
    [InlineData("journal.max-finished = -1", "1:37: actortrainer.journal.max-finished is '-1': it must be from 0 to 1000000000.")]
    public void Read_Mistake_SaysWhereWhatAndWhatToDo(string text, string message) =>
        Should.Throw<ConfigException>(() => Read("actortrainer." + text)).Message.ShouldBe("n.conf:" + message);

    [Fact]
    public void Read_NotAnObject_IsRefused() =>
        Should
            .Throw<ConfigException>(() => Read("actortrainer = 5"))
            .Message.ShouldBe("n.conf:1:16: actortrainer is '5'; write actortrainer { … }.");

    [Fact]
    public void Read_KeysBeside_AreTheUsersOwn() =>
        Read("base = /data, actortrainer.journal.path = ${base}/j.db").Journal.Path.ShouldBe("/data/j.db");

    [Fact]
    public void Read_NonLoopbackWithTokenAndCertificates_IsAccepted() =>
        Read("actortrainer { node.address = \"10.0.0.1:7400\", security.token-file = t }\nakka.remote.dot-netty.tcp.enable-ssl = on")
            .Address.Host.ShouldBe("10.0.0.1");

    [Fact]
    public void Read_IPv6Loopback_NeedsNoTokenAndHasAName() =>
        Read("actortrainer.node.address = \"[::1]:7400\"").NodeName.ShouldBe("--1-7400");

    [Theory]
    [InlineData("localhost", true)]
    [InlineData("127.1.2.3", true)]
    [InlineData("::1", true)]
    [InlineData("127.evil.example.com", false)]
    [InlineData("127.0.0.1.example.com", false)]
    [InlineData("127.0.0.256", false)]
    [InlineData("10.0.0.1", false)]
    public void IsLoopback_Host_IsTold(string host, bool loopback) => NodeModelReader.IsLoopback(host).ShouldBe(loopback);

    [Fact]
    public void KnownKeys_Keys_AreLeavesOnly()
    {
        IReadOnlyList<string> keys = NodeModelReader.KnownKeys();

        keys.ShouldContain("actortrainer.membership.heartbeat-interval");
        keys.ShouldNotContain("actortrainer.membership");
        keys.ShouldBeUnique();
    }

    private static NodeModel Read(string text) =>
        NodeModelReader.Read(HoconReader.ReadText(text, "n.conf"), new NodeSurroundings(ConfigPaths.Resolver("/work"), 4));
}
