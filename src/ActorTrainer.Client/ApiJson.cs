using System.Text.Json;
using System.Text.Json.Serialization;
using ActorTrainer.Core.Checkpoints;
using ActorTrainer.Core.Membership;
using ActorTrainer.Core.Tasks;
using TaskStatus = ActorTrainer.Core.Tasks.TaskStatus;

namespace ActorTrainer.Client;

/// <summary>
/// The JSON form of the HTTP API: camelCase names, enumerations as kebab-case words, null left out. Metrics that are not finite are
/// the strings <c>NaN</c>, <c>Infinity</c> and <c>-Infinity</c>: a diverged loss must not make a task unreadable.
/// </summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    AllowOutOfOrderMetadataProperties = true,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
    Converters = [
        typeof(KebabEnumConverter<TaskStatus>),
        typeof(KebabEnumConverter<MemberStatus>),
        typeof(KebabEnumConverter<MemberState>),
        typeof(KebabEnumConverter<CheckpointStrategy>),
        typeof(KebabEnumConverter<SavePaceReason>),
        typeof(KebabEnumConverter<CheckpointCapture>),
        typeof(KebabEnumConverter<DamageAction>),
        typeof(KebabEnumConverter<FailureAction>),
        typeof(KebabEnumConverter<InterruptionReason>),
    ]
)]
[JsonSerializable(typeof(TaskSpec))]
[JsonSerializable(typeof(BundleSpec))]
[JsonSerializable(typeof(CommandReply))]
[JsonSerializable(typeof(TaskList))]
[JsonSerializable(typeof(TaskDetails))]
[JsonSerializable(typeof(TaskEventList))]
[JsonSerializable(typeof(TaskMetrics))]
[JsonSerializable(typeof(CheckpointList))]
[JsonSerializable(typeof(UncopiedCheckpoints))]
[JsonSerializable(typeof(CheckpointVerification))]
[JsonSerializable(typeof(IReadOnlyList<CheckpointVerification>))]
[JsonSerializable(typeof(RunOutputList))]
[JsonSerializable(typeof(ClusterStatus))]
[JsonSerializable(typeof(ShardSummary))]
[JsonSerializable(typeof(ShardDetails))]
[JsonSerializable(typeof(VersionInfo))]
[JsonSerializable(typeof(CheckpointFiles))]
[JsonSerializable(typeof(ExportedTensors))]
[JsonSerializable(typeof(IReadOnlyList<CheckpointFiles>))]
[JsonSerializable(typeof(MigrateBody))]
[JsonSerializable(typeof(RestoreBody))]
[JsonSerializable(typeof(TagBody))]
[JsonSerializable(typeof(RemoveBody))]
[JsonSerializable(typeof(TaskGarbage))]
[JsonSerializable(typeof(IReadOnlyList<TaskGarbage>))]
[JsonSerializable(typeof(NodeBody))]
[JsonSerializable(typeof(ApiProblem))]
public sealed partial class ApiJson : JsonSerializerContext;

/// <summary>Writes an enumeration's value as a kebab-case word, as the event types are written.</summary>
internal sealed class KebabEnumConverter<T>() : JsonStringEnumConverter<T>(JsonNamingPolicy.KebabCaseLower, allowIntegerValues: false)
    where T : struct, Enum;
