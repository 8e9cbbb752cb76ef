using System.Text.Json.Serialization;
using ActorTrainer.Core.Queries;
using ActorTrainer.Core.Tasks;

namespace ActorTrainer.Core;

/// <summary>The JSON form of what Core's types look like in the journal and between nodes. Fields are only ever added.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    UseStringEnumConverter = true,
    AllowOutOfOrderMetadataProperties = true,
    NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals, // a diverged loss is NaN and must still be journaled
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull
)]
[JsonSerializable(typeof(TaskEvent))]
[JsonSerializable(typeof(TaskSpec))]
[JsonSerializable(typeof(TaskCommand))]
[JsonSerializable(typeof(CommandReply))]
[JsonSerializable(typeof(TaskSummary))]
[JsonSerializable(typeof(TaskState))]
[JsonSerializable(typeof(TaskProgress))]
[JsonSerializable(typeof(CheckpointRef))]
[JsonSerializable(typeof(List<CheckpointListing>))]
[JsonSerializable(typeof(List<string>))]
[JsonSerializable(typeof(MetricSeries))]
public sealed partial class CoreJsonContext : JsonSerializerContext;
