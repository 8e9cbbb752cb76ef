using System.Globalization;
using ActorTrainer.Cluster.Persistence;
using ActorTrainer.Core.Cluster;
using ActorTrainer.Core.Configuration;
using ActorTrainer.Core.Identity;

namespace ActorTrainer.Cluster.Configuration;

/// <summary>Computes from a node's model what <c>derived.conf</c> needs.</summary>
internal sealed class DerivedValues
{
    /// <summary>The role of the nodes that hold tasks; every node of a cluster of ours has it.</summary>
    public const string Role = TaskPersistence.Role;

    private const string AddressKey = "actortrainer.node.address";
    private const string OffsetKey = "actortrainer.akka.port-offset";
    private const string SeedsKey = "actortrainer.cluster.seed-nodes";
    private const string RolesKey = "actortrainer.node.roles";
    private const string ClusterNameKey = "actortrainer.cluster.name";
    private const string ShardsKey = "actortrainer.sharding.number-of-shards";

    private const string NodesKey = "actortrainer.cluster.expected-nodes";

    private readonly NodeModel _model;
    private readonly int _nodes;

    private DerivedValues(NodeModel model, int livingNodes)
    {
        _model = model;
        _nodes = Math.Max(livingNodes, model.ExpectedNodes);
    }

    /// <summary>All values, by their names in no particular order.</summary>
    public static IReadOnlyList<DerivedValue> Of(NodeModel model, int livingNodes)
    {
        DerivedValues values = new(model, livingNodes);
        return [.. values.Identity(), .. values.Tuning(), .. values.Journal()];
    }

    private IEnumerable<DerivedValue> Identity()
    {
        string[] roles = [Role, .. _model.Roles.Where(role => role != Role)];
        yield return Make("provider", "cluster", ClusterNameKey, _model.ClusterName) with
        {
            Rule = DerivedRule.Identity,
            Alias = "Akka.Cluster.ClusterActorRefProvider, Akka.Cluster",
            Remedy = "remove it",
        };
        yield return Make("host", _model.Address.Host, AddressKey, _model.Address.ToString()) with
        {
            Rule = DerivedRule.Identity,
            Alias = $"[{_model.Address.Host}]",
            Remedy = $"remove it, or set {AddressKey}",
        };
        yield return Make("port", Text(AkkaPort(_model.Address)), AddressKey, _model.Address.ToString(), OffsetKey) with
        {
            Rule = DerivedRule.Identity,
            Kind = DerivedKind.Number,
            Remedy = $"remove it, or set {OffsetKey}",
        };
        yield return MakeList("roles", roles, RolesKey, _model.Roles) with
        {
            Rule = DerivedRule.Identity,
            Kind = DerivedKind.AtLeast,
            Remedy = $"add what is missing, or remove it and set {RolesKey}",
        };

        // With seeds of its own Akka founds a cluster when it finds none; here the journal decides who does.
        yield return MakeList("seed-nodes", [], SeedsKey, _model.SeedNodes.Select(seed => seed.ToString())) with
        {
            Rule = DerivedRule.Identity,
            Kind = DerivedKind.List,
            Remedy = "remove it: a node finds the others through the journal",
        };
        string shards = Text(_model.Sharding.NumberOfShards);
        yield return Make("number-of-shards", shards, ShardsKey, shards) with
        {
            Rule = DerivedRule.Identity,
            Kind = DerivedKind.Number,
            Remedy = $"remove it, or set {ShardsKey}",
        };
    }

    private IEnumerable<DerivedValue> Tuning()
    {
        MembershipModel membership = _model.Membership;
        ShardingModel sharding = _model.Sharding;
        yield return Duration("heartbeat-interval", membership.HeartbeatInterval, "actortrainer.membership.heartbeat-interval");
        yield return Duration("acceptable-pause", membership.AcceptablePause, "actortrainer.membership.acceptable-pause");
        TimeSpan pace = ClusterPace.IntervalFor(_nodes);
        yield return Pace("pace", pace);
        yield return Pace("idle-pace", AkkaTicks.AreKnown ? ClusterPace.Longest : pace);
        yield return Pace("retry-pace", AkkaTicks.AreKnown ? ClusterPace.Longest : ClusterPace.Shortest);
        yield return Pace("reaper-pace", AkkaTicks.AreKnown ? ClusterPace.ReaperIntervalFor(_nodes) : pace);
        string frame = Text(RemotingFrame.Bytes(sharding.NumberOfShards, _nodes, _model.ClusterName.Length));
        yield return Make("frame-size", frame, ShardsKey, Text(sharding.NumberOfShards)) with
        {
            Rule = DerivedRule.Free,
        };

        yield return Make("log-level", LogLevel(_model.Logging.Level), "actortrainer.logging.level", _model.Logging.Level);
        yield return Duration("move-timeout", sharding.MoveTimeout, "actortrainer.sharding.move-timeout");
    }

    private IEnumerable<DerivedValue> Journal()
    {
        string? postgreSql = _model.Journal.PostgreSql;
        string key = postgreSql is null ? "actortrainer.journal.path" : "actortrainer.journal.postgresql";
        string value = postgreSql ?? _model.Journal.Path;
        string remedy = "remove it, or set actortrainer.journal.postgresql";

        // SQLite writes one transaction at a time, so more writers would only wait for each other.
        string connection = postgreSql ?? DatabaseConnections.OfFile(_model.Journal.Path).ConnectionString;
        yield return Make("connection-string", connection, key, value) with
        {
            Rule = DerivedRule.Identity,
            Secret = true,
            Remedy = remedy,
        };
        yield return Make("provider-name", postgreSql is null ? "SQLite.MS" : "PostgreSQL.15", key, value) with
        {
            Rule = DerivedRule.Identity,
            Secret = postgreSql is not null,
            Remedy = remedy,
        };
        yield return Make("parallelism", postgreSql is null ? "1" : "3", key, value) with
        {
            Rule = DerivedRule.Free,
        };
    }

    private int AkkaPort(NodeAddress address) => address.Port == 0 ? 0 : address.Port + _model.Akka.PortOffset;

    private DerivedValue Pace(string name, TimeSpan value) =>
        Make(name, Text(value), NodesKey, Text(_model.ExpectedNodes)) with
        {
            Kind = DerivedKind.Duration,
        };

    private DerivedValue Duration(string name, TimeSpan value, string key) =>
        Make(name, Text(value), key, Text(value)) with
        {
            Kind = DerivedKind.Duration,
        };

    private DerivedValue Make(string name, string value, string key, string keyValue, params string[] alsoFrom) =>
        new(name, Scalar(OriginOf(key, alsoFrom), value), key, Scalar(OriginOf(key), keyValue), PlaceOf(key));

    private DerivedValue MakeList(
        string name,
        IEnumerable<string> value,
        string key,
        IEnumerable<string> keyValue,
        params string[] alsoFrom
    ) => new(name, Array(OriginOf(key, alsoFrom), value), key, Array(OriginOf(key), keyValue), PlaceOf(key));

    private static ConfigScalar Scalar(ConfigOrigin origin, string text) => new(origin, text, Quoted: false);

    private static ConfigArray Array(ConfigOrigin origin, IEnumerable<string> items) =>
        new(origin, [.. items.Select(item => Scalar(origin, item))]);

    private ConfigOrigin? PlaceOf(string key) => _model.Akka.Places.GetValueOrDefault(key);

    /// <summary>
    /// The key and, of the others that take part, those that the user wrote; a new object each time, see <see cref="DerivedValue"/>.
    /// </summary>
    private ConfigOrigin OriginOf(string key, params string[] alsoFrom)
    {
        IEnumerable<string> also = alsoFrom.Where(other => PlaceOf(other) is not null).Select(other => $" and {other} ({PlaceOf(other)})");
        return new ConfigOrigin($"derived from {key} ({PlaceOf(key)?.ToString() ?? "default"}){string.Concat(also)}", 0, 0);
    }

    private static string Text(int value) => value.ToString(CultureInfo.InvariantCulture);

    /// <summary>In the units that Akka.NET reads; it does not know microseconds.</summary>
    private static string Text(TimeSpan value)
    {
        (long ticks, string unit) =
            value.Ticks % TimeSpan.TicksPerSecond == 0 ? (TimeSpan.TicksPerSecond, "s")
            : value.Ticks % TimeSpan.TicksPerMillisecond == 0 ? (TimeSpan.TicksPerMillisecond, "ms")
            : (0, "ns");
        long number = ticks == 0 ? value.Ticks * TimeSpan.NanosecondsPerTick : value.Ticks / ticks;
        return string.Create(CultureInfo.InvariantCulture, $"{number} {unit}");
    }

    /// <summary>Akka says a lot on its levels: each stands one step above ours.</summary>
    private static string LogLevel(string level) =>
        level switch
        {
            "trace" => "DEBUG",
            "debug" => "INFO",
            "error" => "ERROR",
            _ => "WARNING",
        };
}
