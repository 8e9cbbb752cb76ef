using System.Text.Json.Serialization;
using ActorTrainer.Core.Identity;

namespace ActorTrainer.Core.Membership;

/// <summary>Something that happened to the gossip core. It arrives with a time and is answered by effects.</summary>
public abstract record GossipInput;

/// <summary>Time went on; sent every half heartbeat interval.</summary>
public sealed record GossipTick : GossipInput;

/// <summary>A message of another node arrived.</summary>
public sealed record GossipReceived(long From, GossipMessage Message) : GossipInput;

/// <summary>
/// A seed or peer answered the handshake of a connection that this node opened: its life number is now known at that address.
/// </summary>
public sealed record GossipConnected(NodeAddress Address, long Incarnation) : GossipInput;

/// <summary>
/// A connection to or from a life ended (end of stream or reset) without a closing handshake of either side. A connection that the
/// other side closed in order is reported only by its opener, who may have to open it again.
/// </summary>
public sealed record GossipStreamEnded(long Incarnation) : GossipInput;

/// <summary>A connection could not be opened, or the handshake was refused with a reason.</summary>
public sealed record GossipConnectFailed(NodeAddress Address, string Reason) : GossipInput;

/// <summary>What a fresh connection to an address said.</summary>
public sealed record GossipFreshProbed(long Incarnation, FreshProbe Outcome) : GossipInput;

/// <summary>Outcome of a fresh connection.</summary>
public enum FreshProbe
{
    /// <summary>Refused: nobody listens there.</summary>
    Refused,

    /// <summary>Another life answered.</summary>
    OtherIncarnation,

    /// <summary>The same life answered: no evidence.</summary>
    SameIncarnation,

    /// <summary>No answer in time: no evidence (the silence path decides).</summary>
    TimedOut,
}

/// <summary>What the journal says of a life lock: true free (the process is gone), false held, null cannot be told.</summary>
public sealed record GossipLifeLockChecked(long Incarnation, bool? Free) : GossipInput;

/// <summary>The node itself changed: it came up, it is cordoned, it leaves, it has left.</summary>
public sealed record GossipSelfChanged(MemberState State, bool Cordoned) : GossipInput;

/// <summary>Someone with authority (the operator, the lease holder by the journal) says that a life is down or removed.</summary>
public sealed record GossipDeclared(long Incarnation, MemberState State) : GossipInput;

/// <summary>What the shell has to do for the gossip core.</summary>
public abstract record GossipEffect;

/// <summary>Send a message to a member, over the standing connection if there is one. Lost when it cannot be delivered.</summary>
public sealed record SendGossip(long To, NodeAddress Address, GossipMessage Message) : GossipEffect;

/// <summary>Open a connection and shake hands (a seed, or a neighbour to watch); answers with connected or connect-failed.</summary>
public sealed record ConnectGossip(NodeAddress Address) : GossipEffect;

/// <summary>Close the standing connection to a life that need not be watched any more.</summary>
public sealed record DisconnectGossip(long Incarnation, NodeAddress Address) : GossipEffect;

/// <summary>Open a fresh connection and ask who is there; answers with <see cref="GossipFreshProbed"/>.</summary>
public sealed record ProbeFresh(long Incarnation, NodeAddress Address, TimeSpan Timeout) : GossipEffect;

/// <summary>Ask the journal for a life lock; answers with <see cref="GossipLifeLockChecked"/>.</summary>
public sealed record CheckLifeLock(long Incarnation) : GossipEffect;

/// <summary>The view changed; hand it to whoever listens.</summary>
public sealed record PublishView(MembershipView View) : GossipEffect;

/// <summary>A member was confirmed lost: from when nothing was heard of it, and how it was found.</summary>
/// <param name="Incarnation">The life.</param>
/// <param name="Silence">How long before the confirmation it was last heard of, by this node.</param>
/// <param name="Evidence">One sentence for logs and events.</param>
public sealed record MemberLost(long Incarnation, TimeSpan Silence, string Evidence) : GossipEffect;

/// <summary>A message between gossip cores. Every message piggybacks records.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "type")]
[JsonDerivedType(typeof(PingMessage), "ping")]
[JsonDerivedType(typeof(AckMessage), "ack")]
[JsonDerivedType(typeof(IndirectPingMessage), "indirect-ping")]
[JsonDerivedType(typeof(IndirectAckMessage), "indirect-ack")]
[JsonDerivedType(typeof(SyncMessage), "sync")]
[JsonDerivedType(typeof(NewsMessage), "news")]
public abstract record GossipMessage
{
    /// <summary>Records that spread by this message.</summary>
    public IReadOnlyList<MemberRecord> Records { get; init; } = [];

    /// <summary>Accusations that spread by this message.</summary>
    public IReadOnlyList<Accusation> Accusations { get; init; } = [];
}

/// <summary>A heartbeat; answered at once.</summary>
public sealed record PingMessage(long Number) : GossipMessage;

/// <summary>The answer to a heartbeat.</summary>
public sealed record AckMessage(long Number) : GossipMessage;

/// <summary>Asks the receiver to ping a third member for the sender.</summary>
public sealed record IndirectPingMessage(long Number, long Target) : GossipMessage;

/// <summary>The answer to an indirect ping.</summary>
public sealed record IndirectAckMessage(long Number, long Target) : GossipMessage;

/// <summary>The whole view: sent when a connection opens, and now and then to a random member. <paramref name="Reply"/>: answer with yours.</summary>
public sealed record SyncMessage(bool Reply) : GossipMessage
{
    /// <summary>Whether the sender belongs to a founded cluster. Nodes that wait for a seed do not found one by hearing each other.</summary>
    public bool Joined { get; init; }
}

/// <summary>Records and accusations that are sent to everyone at once and not only by piggyback. Not answered.</summary>
public sealed record NewsMessage : GossipMessage;

/// <summary>An observer's claim about a member.</summary>
/// <param name="Target">The member's life.</param>
/// <param name="Observer">Who claims it; 0 stands for the journal (a free life lock).</param>
/// <param name="Kind">Silence can be refuted; a crash cannot.</param>
/// <param name="Refutation">The member's refutation counter that the claim is about.</param>
public sealed record Accusation(long Target, long Observer, AccusationKind Kind, long Refutation);

/// <summary>What an observer claims.</summary>
public enum AccusationKind
{
    /// <summary>It does not answer, neither me nor through others.</summary>
    Silent,

    /// <summary>Its stream ended and a fresh connection was refused or answered by another life.</summary>
    Crashed,
}
