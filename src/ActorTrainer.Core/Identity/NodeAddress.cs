using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace ActorTrainer.Core.Identity;

/// <summary>Where a node listens: <c>host:port</c>, or <c>[v6]:port</c>.</summary>
[JsonConverter(typeof(NodeAddressJsonConverter))]
public readonly record struct NodeAddress(string Host, int Port) : IComparable<NodeAddress>
{
    /// <summary>Parses <c>host:port</c>.</summary>
    /// <exception cref="FormatException">The text is not an address.</exception>
    public static NodeAddress Parse(string text) =>
        TryParse(text, out NodeAddress address)
            ? address
            : throw new FormatException($"'{text}' is not an address: use host:port, for example 127.0.0.1:7400.");

    /// <summary>Parses <c>host:port</c>; false when the text is not one.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, out NodeAddress address)
    {
        address = default;
        int colon = text?.LastIndexOf(':') ?? -1;
        if (
            text is null
            || colon <= 0
            || !int.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out int port)
            || port is < 0 or > 65535
        )
        {
            return false;
        }

        string host = text[..colon];
        if (host.StartsWith('[') && host.EndsWith(']'))
        {
            host = host[1..^1];
        }
        else if (host.Contains(':', StringComparison.Ordinal))
        {
            return false;
        }

        if (host.Length == 0 || host.Contains('/', StringComparison.Ordinal))
        {
            return false;
        }

        address = new NodeAddress(host, port);
        return true;
    }

    /// <inheritdoc />
    public int CompareTo(NodeAddress other)
    {
        int host = string.CompareOrdinal(Host, other.Host);
        return host != 0 ? host : Port.CompareTo(other.Port);
    }

    /// <inheritdoc />
    public override string ToString() =>
        (Host ?? "").Contains(':', StringComparison.Ordinal)
            ? string.Create(CultureInfo.InvariantCulture, $"[{Host}]:{Port}")
            : string.Create(CultureInfo.InvariantCulture, $"{Host}:{Port}");
}

/// <summary>Writes an address as its text. Public for contexts generated outside this assembly.</summary>
public sealed class NodeAddressJsonConverter : JsonConverter<NodeAddress>
{
    /// <inheritdoc />
    public override NodeAddress Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        NodeAddress.TryParse(reader.GetString(), out NodeAddress address) ? address : throw new JsonException("not an address");

    /// <inheritdoc />
    public override void Write(Utf8JsonWriter writer, NodeAddress value, JsonSerializerOptions options) =>
        writer.WriteStringValue(value.ToString());
}
