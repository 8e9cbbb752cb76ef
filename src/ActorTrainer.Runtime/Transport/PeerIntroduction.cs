using System.Globalization;
using System.Text;
using ActorTrainer.Core.Identity;

namespace ActorTrainer.Runtime.Transport;

/// <summary>How a node introduces itself when it opens a connection.</summary>
internal sealed record PeerIntroduction(string Cluster, int Version, long Incarnation, NodeAddress Address)
{
    public IEnumerable<KeyValuePair<string, string>> ToHeaders() =>
    [
        // Header values are ASCII; a cluster's name may be anything.
        new(PeerProtocol.ClusterHeader, Uri.EscapeDataString(Cluster)),
        new(PeerProtocol.VersionHeader, Version.ToString(CultureInfo.InvariantCulture)),
        new(PeerProtocol.IncarnationHeader, Incarnation.ToString(CultureInfo.InvariantCulture)),
        new(PeerProtocol.AddressHeader, Address.ToString()),
    ];

    /// <summary>Reads an introduction; null when a header is missing or malformed.</summary>
    public static PeerIntroduction? Read(Func<string, string?> header) =>
        header(PeerProtocol.ClusterHeader) is { Length: > 0 } cluster &&
        int.TryParse(header(PeerProtocol.VersionHeader), NumberStyles.None, CultureInfo.InvariantCulture, out int version) &&
        long.TryParse(header(PeerProtocol.IncarnationHeader), NumberStyles.None, CultureInfo.InvariantCulture, out long incarnation) &&
        NodeAddress.TryParse(header(PeerProtocol.AddressHeader), out NodeAddress address)
            ? new PeerIntroduction(Uri.UnescapeDataString(cluster), version, incarnation, address)
            : null;

    /// <summary>Why a node does not speak with this one, or null.</summary>
    public string? Refusal(PeerIntroduction here)
    {
        if (Version != here.Version)
        {
            return $"protocol version {Version} is not {here.Version}, which {here.Address} speaks: run the same release on all nodes";
        }

        if (Cluster != here.Cluster)
        {
            return $"cluster '{Cluster}' is not '{here.Cluster}', to which {here.Address} belongs: check actortrainer.cluster.name and the seed nodes";
        }

        if (Incarnation == here.Incarnation)
        {
            return $"life {Incarnation} is {here.Address} itself: a node was told to connect to its own address under another name, or two nodes share one life";
        }

        return Address == here.Address
            ? $"{Address} is the address of another node that runs already: check actortrainer.node.address"
            : null;
    }

    /// <summary>A reason as a header's value.</summary>
    public static string ToHeaderValue(string reason)
    {
        StringBuilder text = new(reason.Length);
        foreach (char c in reason)
        {
            text.Append(c is >= ' ' and <= '~' ? c : '?');
        }

        return text.ToString();
    }
}
