using System.Globalization;
using ActorTrainer.Core.Cluster;
using ActorTrainer.Core.Identity;

namespace ActorTrainer.Core.Configuration;

/// <summary>What a node's configuration depends on and does not say itself.</summary>
/// <param name="ResolvePath">Makes paths absolute.</param>
/// <param name="Processors">The default of <c>node.slots</c>.</param>
public sealed record NodeSurroundings(PathResolver ResolvePath, int Processors);

/// <summary>Makes a validated <see cref="NodeModel"/> of a configuration, or refuses it as a whole.</summary>
public static class NodeModelReader
{
    /// <summary>The folder below which everything is kept by default.</summary>
    public const string DefaultFolder = "actortrainer-data";

    private static readonly TimeSpan Millisecond = TimeSpan.FromMilliseconds(1);

    /// <summary>Every key below <c>actortrainer</c> that a node knows, with its whole path.</summary>
    public static IReadOnlyList<string> KnownKeys()
    {
        ConfigSection section = ConfigSection.Open(new ConfigObject(new ConfigOrigin("", 0, 0), []), "actortrainer");
        ReadKeys(section, new NodeSurroundings((path, _) => path, 1));
        return [.. section.KnownKeys.Where(k => !section.KnownKeys.Any(longer => longer.StartsWith(k + ".", StringComparison.Ordinal)))];
    }

    /// <summary>Reads what stands below <c>actortrainer</c>; other keys of the root are the user's own, but for <c>akka</c>.</summary>
    /// <exception cref="ConfigException">A value is wrong, a key is not known, or values do not go together.</exception>
    public static NodeModel Read(ConfigObject root, NodeSurroundings surroundings)
    {
        ConfigSection section = ConfigSection.Open(root, "actortrainer");
        NodeModel model = ReadKeys(section, surroundings);
        section.RejectUnknownKeys();
        CheckTogether(root, model);
        model = model with { Akka = AkkaModelReader.Complete(model.Akka, root) };
        AkkaModelReader.Check(model);
        return model;
    }

    private static NodeModel ReadKeys(ConfigSection section, NodeSurroundings surroundings)
    {
        ConfigSection cluster = section.Section("cluster");
        ConfigSection node = section.Section("node");
        ConfigSection journal = section.Section("journal");
        NodeModel defaults = new();
        NodeAddress address = ReadAddress(node, "address") ?? defaults.Address;
        string port = address.Port.ToString(CultureInfo.InvariantCulture);
        return new NodeModel
        {
            ClusterName = ReadName(cluster, "name", defaults.ClusterName),
            SeedNodes = ReadSeeds(cluster),
            ExpectedNodes = cluster.Int("expected-nodes", defaults.ExpectedNodes, 1, 10_000),
            Address = address,
            NodeName = ReadNodeName(node) ?? $"{address.Host.Replace(':', '-')}-{port}",
            DataDir = ReadPath(node, "data-dir", $"{DefaultFolder}/nodes/{port}", surroundings),
            Slots = node.Int("slots", Math.Max(1, surroundings.Processors), 1, 10_000),
            Roles = ReadRoles(node),
            StopTimeout = node.Duration("stop-timeout", defaults.StopTimeout, TimeSpan.FromSeconds(1), TimeSpan.FromHours(1)),
            Security = ReadSecurity(section.Section("security"), surroundings),
            Membership = ReadMembership(section.Section("membership")),
            Sharding = ReadSharding(section.Section("sharding")),
            Journal = new JournalModel
            {
                Path = ReadPath(journal, "path", $"{DefaultFolder}/journal.db", surroundings),
                PostgreSql = AkkaModelReader.ReadPostgreSql(journal),
                KeepFinished = journal.OptionalDuration("keep-finished", Millisecond, TimeSpan.FromDays(36_500)),
                MaxFinished = journal.OptionalInt("max-finished", 0, 1_000_000_000),
                KeepEvents = journal.OptionalInt("keep-events", 1, 1_000_000_000),
            },
            Akka = AkkaModelReader.Read(section.Section("akka")),
            Checkpoints = CheckpointStoreReader.Read(section.Section("checkpoints"), surroundings),
            Worker = ReadWorker(section.Section("worker")),
            Output = new OutputModel
            {
                ArchiveInterval = section
                    .Section("output")
                    .Duration("archive-interval", defaults.Output.ArchiveInterval, TimeSpan.FromSeconds(1), TimeSpan.FromDays(1)),
            },
            Logging = ReadLogging(section.Section("logging"), surroundings),
        };
    }

    private static MembershipModel ReadMembership(ConfigSection section)
    {
        MembershipModel defaults = new();
        return new MembershipModel
        {
            HeartbeatInterval = section.Duration("heartbeat-interval", defaults.HeartbeatInterval, Millisecond, TimeSpan.FromMinutes(1)),
            AcceptablePause = section.Duration("acceptable-pause", defaults.AcceptablePause, Millisecond, TimeSpan.FromMinutes(10)),
        };
    }

    private static ShardingModel ReadSharding(ConfigSection section)
    {
        ShardingModel defaults = new();
        TimeSpan day = TimeSpan.FromDays(1);
        return new ShardingModel
        {
            NumberOfShards = section.Int("number-of-shards", defaults.NumberOfShards, 1, RemotingFrame.MaxShards),
            Allocation = section.Choice(
                "allocation",
                defaults.Allocation,
                ("load_balanced", AllocationStrategy.LoadBalanced),
                ("round_robin", AllocationStrategy.RoundRobin)
            ),
            Settle = section.Duration("settle", defaults.Settle, TimeSpan.Zero, TimeSpan.FromHours(1)),
            MoveTimeout = section.Duration("move-timeout", defaults.MoveTimeout, Millisecond, day),
            MaxConcurrentMoves = section.Int("max-concurrent-moves", defaults.MaxConcurrentMoves, 1, 1_000),
            MaxConcurrentRestores = section.Int("max-concurrent-restores", defaults.MaxConcurrentRestores, 1, 1_000),
            SelfFenceAfter = section.Duration("self-fence-after", defaults.SelfFenceAfter, Millisecond, day),
            JournalUnreachableAfter = section.Duration("journal-unreachable-after", defaults.JournalUnreachableAfter, Millisecond, day),
            DrainTimeout = section.Duration("drain-timeout", defaults.DrainTimeout, Millisecond, day),
            BalanceAfter = section.Duration("balance-after", defaults.BalanceAfter, TimeSpan.Zero, day),
            Rebalance = section.Flag("rebalance", defaults.Rebalance),
        };
    }

    private static WorkerModel ReadWorker(ConfigSection section)
    {
        WorkerModel defaults = new();
        ConfigSection environments = section.Section("environments");
        return new WorkerModel
        {
            LogMaxBytes = section.Size("log-max-size", defaults.LogMaxBytes, 64 << 10, 1L << 40),
            Nice = section.Int("nice", defaults.Nice, 0, 19),
            EnvironmentsKeep = environments.Duration("keep", defaults.EnvironmentsKeep, TimeSpan.Zero, TimeSpan.FromDays(36_500)),
            EnvironmentsMaxBytes = environments.Size("max-size", defaults.EnvironmentsMaxBytes, 0, 1L << 50),
            WarmDotnet = section.Section("warm").Int("dotnet", defaults.WarmDotnet, 0, 16),
        };
    }

    private static LoggingModel ReadLogging(ConfigSection section, NodeSurroundings surroundings) =>
        new()
        {
            Level = section.Choice(
                "level",
                new LoggingModel().Level,
                ("trace", "trace"),
                ("debug", "debug"),
                ("info", "info"),
                ("warn", "warn"),
                ("error", "error")
            ),
            File = ReadOptionalPath(section, "file", surroundings),
        };

    private static string ReadName(ConfigSection section, string key, string fallback)
    {
        if (section.Scalar(key) is not { } scalar)
        {
            return fallback;
        }

        return TaskId.IsName(scalar.Text, 63)
            ? scalar.Text
            : throw section.Wrong(scalar, key, "use 1 to 63 lower-case letters, digits and inner dashes", scalar.Text);
    }

    private static string? ReadNodeName(ConfigSection section)
    {
        const string key = "name";
        if (section.Scalar(key) is not { } scalar)
        {
            return null;
        }

        return scalar.Text is { Length: >= 1 and <= 100 } text && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.')
            ? text
            : throw section.Wrong(scalar, key, "use 1 to 100 letters, digits, dashes, dots and underscores", scalar.Text);
    }

    private static List<string> ReadRoles(ConfigSection section)
    {
        const string key = "roles";
        SortedSet<string> roles = new(StringComparer.Ordinal);
        foreach (ConfigScalar item in section.List(key))
        {
            if (!TaskId.IsName(item.Text, 63))
            {
                throw section.Wrong(item, key, "a role has 1 to 63 lower-case letters, digits and inner dashes", item.Text);
            }

            roles.Add(item.Text);
        }

        return [.. roles];
    }

    private static NodeAddress? ReadAddress(ConfigSection section, string key) =>
        section.Scalar(key) is { } scalar ? ParseAddress(section, key, scalar) : null;

    private static List<NodeAddress> ReadSeeds(ConfigSection section)
    {
        const string key = "seed-nodes";
        List<NodeAddress> seeds = [];
        foreach (ConfigScalar item in section.List(key))
        {
            NodeAddress seed = ParseAddress(section, key, item);
            if (!seeds.Contains(seed))
            {
                seeds.Add(seed);
            }
        }

        return seeds;
    }

    private static NodeAddress ParseAddress(ConfigSection section, string key, ConfigScalar scalar)
    {
        if (!NodeAddress.TryParse(scalar.Text?.Trim(), out NodeAddress address) || address.Port == 0)
        {
            throw section.Wrong(scalar, key, "use host:port with a port from 1 to 65535, for example \"127.0.0.1:7400\"", scalar.Text);
        }

        return address.Host is not ("0.0.0.0" or "::" or "*")
            ? address
            : throw section.Wrong(
                scalar,
                key,
                "name the address by which the other nodes reach this machine, not all addresses",
                scalar.Text
            );
    }

    internal static string ReadPath(ConfigSection section, string key, string fallback, NodeSurroundings surroundings) =>
        ReadOptionalPath(section, key, surroundings) ?? surroundings.ResolvePath(fallback, null);

    internal static string? ReadOptionalPath(ConfigSection section, string key, NodeSurroundings surroundings)
    {
        if (section.Scalar(key) is not { } scalar)
        {
            return null;
        }

        return ConfigPath.IsUsable(scalar.Text)
            ? surroundings.ResolvePath(scalar.Text, scalar.Origin)
            : throw section.Wrong(scalar, key, "that is not a path; write one, or null for the default", scalar.Text);
    }

    private static void CheckTogether(ConfigObject root, NodeModel model)
    {
        MembershipModel membership = model.Membership;
        if (membership.AcceptablePause < 2 * membership.HeartbeatInterval)
        {
            throw Clash(
                root,
                ["actortrainer.membership.acceptable-pause", "actortrainer.membership.heartbeat-interval"],
                $"acceptable-pause ({Quantities.Format(membership.AcceptablePause)}) must be at least twice heartbeat-interval "
                    + $"({Quantities.Format(membership.HeartbeatInterval)}), or one lost heartbeat is taken for a lost node"
            );
        }

        if (!IsLoopback(model.Address.Host) && model.Security.TokenFile is null)
        {
            throw Clash(
                root,
                ["actortrainer.node.address"],
                $"node.address {model.Address} can be reached from other machines, so security.token-file is needed: "
                    + "create a file with a secret (head -c 32 /dev/urandom | base64 > token) and set "
                    + "actortrainer.security.token-file to it on every node"
            );
        }

        CheckpointStoreReader.CheckTogether(root, model.Checkpoints);
    }

    private static SecurityModel ReadSecurity(ConfigSection section, NodeSurroundings surroundings) =>
        new()
        {
            TokenFile = ReadOptionalPath(section, "token-file", surroundings),
            AllowAnonymousLoopback = section.Flag("allow-anonymous-loopback", false),
        };

    /// <summary>Whether only this machine reaches a host.</summary>
    public static bool IsLoopback(string host)
    {
        string[] parts = host.Split('.');
        return host is "localhost" or "::1" or "ip6-localhost"
            || (
                parts.Length == 4
                && parts[0] == "127"
                && parts.All(p => byte.TryParse(p, NumberStyles.None, CultureInfo.InvariantCulture, out _))
            );
    }

    /// <summary>Values that are right alone and wrong together are reported where the first of them stands that the user wrote.</summary>
    internal static ConfigException Clash(ConfigObject root, ReadOnlySpan<string> keys, string problem)
    {
        foreach (string key in keys)
        {
            if (root.At(key.Split('.')) is { } node && !IsBuiltIn(node.Origin))
            {
                return new ConfigException(node.Origin, $"{problem}.");
            }
        }

        return new ConfigException(root.At(keys[0].Split('.'))?.Origin ?? root.Origin, $"{problem}.");
    }

    /// <summary>Whether a value is a default of the program and not the user's.</summary>
    internal static bool IsBuiltIn(ConfigOrigin origin) => origin is { Source: ConfigOrigin.BuiltIn, Folder: null };
}
