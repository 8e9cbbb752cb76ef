using System.Text.Json.Serialization;

namespace ActorTrainer.Runtime.Transport;

/// <summary>The paths and headers by which nodes speak to each other. The protocol's version is raised when an older node could not follow.</summary>
public static class PeerProtocol
{
    /// <summary>Nodes of another version are refused.</summary>
    public const int Version = 1;

    /// <summary>Who is there; answered without any lock.</summary>
    public const string IdentityPath = "/v1/peer/identity";

    /// <summary>The WebSocket of gossip.</summary>
    public const string GossipPath = "/v1/peer/gossip";

    /// <summary>The WebSocket of messages between nodes.</summary>
    public const string NodePath = "/v1/peer/node";

    internal const string ClusterHeader = "ActorTrainer-Cluster";
    internal const string VersionHeader = "ActorTrainer-Protocol";
    internal const string IncarnationHeader = "ActorTrainer-Incarnation";
    internal const string AddressHeader = "ActorTrainer-Address";

    /// <summary>The reason of a refusal; also the body, which a WebSocket client does not get to see.</summary>
    internal const string RefusedHeader = "ActorTrainer-Refused";
}

/// <summary>Who answers at an address.</summary>
/// <param name="Cluster">The cluster's name.</param>
/// <param name="Protocol">See <see cref="PeerProtocol.Version"/>.</param>
/// <param name="Incarnation">The life; 0 while the node has none yet.</param>
/// <param name="Name">The node's name.</param>
public sealed record PeerIdentity(string Cluster, int Protocol, long Incarnation, string Name);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(PeerIdentity))]
[JsonSerializable(typeof(TokenProblem))]
internal sealed partial class PeerJsonContext : JsonSerializerContext;
