using System.Text.Json.Serialization;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Journaling;
using ActorTrainer.Core.Sharding;
using ActorTrainer.Core.Tasks;

namespace ActorTrainer.Core.Nodes;

/// <summary>A message between the loops of two nodes. Any of them may be lost; none of them decides ownership.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "type")]
[JsonDerivedType(typeof(ForwardCommand), "forward")]
[JsonDerivedType(typeof(ForwardReply), "forward-reply")]
[JsonDerivedType(typeof(ForwardNodeCommand), "node-command")]
[JsonDerivedType(typeof(OwnershipChanged), "ownership-changed")]
[JsonDerivedType(typeof(RequestMoves), "request-moves")]
[JsonDerivedType(typeof(WarmShard), "warm")]
[JsonDerivedType(typeof(ShardWarmed), "warmed")]
[JsonDerivedType(typeof(ShardsActive), "active")]
[JsonDerivedType(typeof(JournalUnreachable), "journal-unreachable")]
public abstract record NodeMessage;

/// <summary>A command for a task whose owner the receiver is believed to be.</summary>
public sealed record ForwardCommand(long Number, TaskId Task, TaskCommand Command, int Hops) : NodeMessage;

/// <summary>The answer to a forwarded command of either kind.</summary>
public sealed record ForwardReply(long Number, CommandReply Reply) : NodeMessage;

/// <summary>A command for the receiving node itself.</summary>
public sealed record ForwardNodeCommand(long Number, NodeCommandKind Kind) : NodeMessage;

/// <summary>These rows have changed in the journal: look there. The rows are a hint only.</summary>
public sealed record OwnershipChanged(IReadOnlyList<ShardRow> Rows) : NodeMessage;

/// <summary>The coordinator asks an owner to hand shards over. A lower lease term than one seen is refused.</summary>
public sealed record RequestMoves(long LeaseTerm, IReadOnlyList<ShardMove> Moves) : NodeMessage;

/// <summary>A shard is about to come: start workers and restore checkpoints for the term after <paramref name="Term"/>.</summary>
public sealed record WarmShard(int Shard, long Term, IReadOnlyList<WarmTask> Tasks) : NodeMessage;

/// <summary>A task to warm up for.</summary>
public sealed record WarmTask(TaskId Task, TaskSpec Spec, CheckpointRef? Checkpoint, int Run);

/// <summary>The receiver may let go: everything that can be done before is done.</summary>
public sealed record ShardWarmed(int Shard, long Term) : NodeMessage;

/// <summary>These shards are active here.</summary>
public sealed record ShardsActive(IReadOnlyList<ShardTerm> Shards) : NodeMessage;

/// <summary>The sender's life has not reached the journal for <c>journal-unreachable-after</c>; said every second while that lasts.</summary>
public sealed record JournalUnreachable(long Incarnation) : NodeMessage;

/// <summary>The JSON form of the messages.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    UseStringEnumConverter = true,
    AllowOutOfOrderMetadataProperties = true,
    NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals, // the metrics of a checkpoint that is warmed up may be NaN
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(NodeMessage))]
public sealed partial class NodeJsonContext : JsonSerializerContext;
