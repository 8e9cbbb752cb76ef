using System.Globalization;
using ActorTrainer.Core.Identity;

namespace ActorTrainer.Core.Configuration;

/// <summary>Reads what Akka.NET needs beside the rest, and checks what must hold.</summary>
public static class AkkaModelReader
{
    private const string AddressKey = "actortrainer.node.address";
    private const string OffsetKey = "actortrainer.akka.port-offset";
    private const int LastPort = 65_535;

    /// <summary>What must hold between Akka.NET and the rest of a model; the reader of configurations has looked already.</summary>
    /// <exception cref="ConfigException">
    /// A port plus the offset is none; or the node can be reached from other machines and Akka.Remote would let anybody in.
    /// </exception>
    public static void Check(NodeModel model)
    {
        CheckPort(model, AddressKey, model.Address);
        foreach (NodeAddress seed in model.SeedNodes)
        {
            CheckPort(model, "actortrainer.cluster.seed-nodes", seed);
        }

        CheckStrangers(model);
    }

    internal static AkkaModel Read(ConfigSection section) =>
        new() { PortOffset = section.Int("port-offset", new AkkaModel().PortOffset, 1, LastPort - 1) };

    internal static string? ReadPostgreSql(ConfigSection journal)
    {
        const string key = "postgresql";
        return journal.Scalar(key) is not { } scalar ? null
            : string.IsNullOrWhiteSpace(scalar.Text)
                ? throw journal.Wrong(scalar, key, "write a connection string, or null for the SQLite file", scalar.Text)
            : scalar.Text;
    }

    /// <summary>Adds what stands beside the values themselves: the user's own section and the places of all keys.</summary>
    internal static AkkaModel Complete(AkkaModel akka, ConfigObject root)
    {
        Dictionary<string, ConfigOrigin> places = new(StringComparer.Ordinal);
        AddPlaces(places, "actortrainer", root.At("actortrainer"));
        return akka with { Section = OwnSection(root), Places = places };
    }

    private static ConfigObject? OwnSection(ConfigObject root) =>
        root.At("akka") switch
        {
            null or ConfigScalar { Text: null } => null,
            ConfigObject section => section,
            { } other => throw new ConfigException(other.Origin, "akka is not an object; write akka { … }."),
        };

    /// <summary>null sets a key back to its default, so it counts as not written.</summary>
    private static void AddPlaces(Dictionary<string, ConfigOrigin> places, string path, ConfigNode? node)
    {
        switch (node)
        {
            case ConfigObject section:
                foreach ((string key, ConfigNode field) in section.Fields)
                {
                    AddPlaces(places, $"{path}.{key}", field);
                }

                break;
            case not (null or ConfigScalar { Text: null }) when !NodeModelReader.IsBuiltIn(node.Origin):
                places[path] = node.Origin;
                break;
        }
    }

    private static void CheckPort(NodeModel model, string key, NodeAddress address)
    {
        int port = address.Port + model.Akka.PortOffset;
        if (port > LastPort)
        {
            throw Wrong(
                model,
                [key, OffsetKey],
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{key} {address} and {OffsetKey} {model.Akka.PortOffset} make Akka's port {port}, "
                        + $"and ports end at {LastPort}; use a lower port or a smaller offset"
                )
            );
        }
    }

    /// <summary>
    /// Akka.Remote knows no shared token: whoever connects is a member. Certificates that both sides check take the token's place.
    /// </summary>
    private static void CheckStrangers(NodeModel model)
    {
        if (NodeModelReader.IsLoopback(model.Address.Host))
        {
            return;
        }

        const string tcp = "akka.remote.dot-netty.tcp";
        ConfigObject? section = model.Akka.Section?.At("remote", "dot-netty", "tcp") as ConfigObject;
        if (!IsOn(section?.At("enable-ssl")))
        {
            throw Wrong(
                model,
                [AddressKey],
                $"node.address {model.Address} can be reached from other machines, and Akka.Remote has no shared token, "
                    + $"so {tcp}.enable-ssl = on is needed: give every node a certificate with {tcp}.ssl.certificate {{ path = …, "
                    + "password = … }"
            );
        }

        ConfigNode? trusting = section!.At("ssl", "suppress-validation");
        ConfigNode? mutual = section!.At("ssl", "require-mutual-authentication");
        if (IsOn(trusting))
        {
            throw new ConfigException(
                trusting!.Origin,
                $"{tcp}.ssl.suppress-validation lets anybody take part who reaches {model.Address}. Remove it."
            );
        }

        if (mutual is not null && !IsOn(mutual))
        {
            throw new ConfigException(
                mutual.Origin,
                $"without {tcp}.ssl.require-mutual-authentication anybody can take part who reaches {model.Address}. Remove it."
            );
        }
    }

    private static bool IsOn(ConfigNode? node) => node is ConfigScalar { Text: "on" or "true" or "yes" };

    private static ConfigException Wrong(NodeModel model, ReadOnlySpan<string> keys, string problem)
    {
        foreach (string key in keys)
        {
            if (model.Akka.Places.TryGetValue(key, out ConfigOrigin? place))
            {
                return new ConfigException(place, $"{problem}.");
            }
        }

        return new ConfigException(new ConfigOrigin("configuration", 0, 0), $"{problem}.");
    }
}
