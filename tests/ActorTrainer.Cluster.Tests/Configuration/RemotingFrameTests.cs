using System.Collections.Immutable;
using System.Globalization;
using System.Reflection;
using ActorTrainer.Cluster.Tests.Support;
using ActorTrainer.Core.Cluster;
using ActorTrainer.Core.Configuration;
using Akka.Actor;
using Akka.Cluster.Sharding;
using Akka.Configuration;
using Akka.TestKit.Xunit2;

namespace ActorTrainer.Cluster.Tests.Configuration;

/// <summary>The state of the shards' coordinator as Akka itself writes it, with all shards given out, fits into one frame.</summary>
public sealed class RemotingFrameTests()
    : TestKit(Remote.WithFallback(ClusterSharding.DefaultConfig()).WithFallback(TestSystems.InMemory()))
{
    /// <summary>Only such a system keeps the whole path of a region elsewhere.</summary>
    private static readonly Config Remote = ConfigurationFactory.ParseString(
        "akka { actor.provider = remote, remote.dot-netty.tcp { hostname = \"127.0.0.1\", port = 0 } }"
    );

    /// <summary>What the replicator puts around a state when it sends it, with room to spare.</summary>
    private const int Envelope = 16_384;

    private const string Name = "a-cluster-with-the-longest-name-that-a-cluster-can-have-63-long";

    [Theory]
    [InlineData(1024, 63)]
    [InlineData(1024, 253)]
    [InlineData(RemotingFrame.MaxShards, 63)]
    [InlineData(RemotingFrame.MaxShards, 253)]
    public void CoordinatorState_AllShardsAtLongNames_FitsIntoAFrame(int shards, int host)
    {
        Name.Length.ShouldBe(63);
        int size = Sys.Serialization.Serialize(State(shards, new string('h', host))).Length;

        size.ShouldBeGreaterThan(shards * host, "every entry names its region by the whole path");
        (size + Envelope).ShouldBeLessThan(RemotingFrame.Bytes(shards, 100, Name.Length));
    }

    [Fact]
    public void Derive_ShardsAndNodes_AreWhatTheFrameFollowsFrom()
    {
        NodeModel model = Models.Read("actortrainer { cluster { name = c, expected-nodes = 300 }, sharding.number-of-shards = 2048 }");

        Config tcp = ConfigurationFactory
            .ParseString(ActorTrainer.Cluster.Configuration.AkkaSection.Text(model))
            .GetConfig("akka.remote.dot-netty.tcp");

        long expected = RemotingFrame.Bytes(2048, 300, 1);
        (tcp.GetByteSize("maximum-frame-size"), tcp.GetByteSize("send-buffer-size"), tcp.GetByteSize("receive-buffer-size")).ShouldBe(
            (expected, expected, expected)
        );
    }

    /// <summary>Akka keeps the type to itself, so it is made by reflection.</summary>
    private object State(int shards, string host)
    {
        IActorRef[] regions =
        [
            .. Enumerable
                .Range(0, 100)
                .Select(i =>
                    ((ExtendedActorSystem)Sys).Provider.ResolveActorRef(
                        $"akka.tcp://{Name}@{host}:{65_000 + i}/system/sharding/actortrainer-task#-2147483{i:000}"
                    )
                ),
        ];
        ImmutableDictionary<string, IActorRef> homes = Enumerable
            .Range(0, shards)
            .ToImmutableDictionary(i => i.ToString(CultureInfo.InvariantCulture), i => regions[i % regions.Length]);
        ImmutableDictionary<IActorRef, IImmutableList<string>> owned = homes
            .GroupBy(h => h.Value)
            .ToImmutableDictionary(g => g.Key, g => (IImmutableList<string>)g.Select(h => h.Key).ToImmutableList());
        Type type = typeof(ClusterSharding).Assembly.GetType(
            "Akka.Cluster.Sharding.ShardCoordinator+CoordinatorState",
            throwOnError: true
        )!;
        ConstructorInfo constructor = type.GetConstructors(BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance)
            .Single(c => c.GetParameters().Length > 1);
        return constructor.Invoke([.. constructor.GetParameters().Select(p => Argument(p, homes, owned))]);
    }

    private static object? Argument(ParameterInfo parameter, params object[] values) =>
        values.FirstOrDefault(parameter.ParameterType.IsInstanceOfType)
        ?? (parameter.ParameterType == typeof(bool) ? true : EmptyOf(parameter.ParameterType));

    private static object EmptyOf(Type type) =>
        type.GetGenericArguments() is [{ } only]
            ? typeof(ImmutableHashSet<>).MakeGenericType(only).GetField("Empty")!.GetValue(null)!
            : throw new InvalidOperationException($"Akka's state has a part that this test does not know: {type}");
}
