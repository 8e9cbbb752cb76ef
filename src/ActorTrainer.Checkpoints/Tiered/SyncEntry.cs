using System.Text.Json.Serialization;

namespace ActorTrainer.Checkpoints.Tiered;

/// <summary>Something that the remote store has not heard of yet.</summary>
/// <param name="Task">The task.</param>
/// <param name="Checkpoint">A checkpoint that is to be copied there; null: files are to be removed.</param>
/// <param name="Files">The files that are to be removed; empty otherwise.</param>
internal sealed record SyncEntry(string Task, string? Checkpoint, IReadOnlyList<string> Files)
{
    /// <summary>Its place in the order in which all of them came.</summary>
    [JsonIgnore]
    public long Number { get; init; }
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true
)]
[JsonSerializable(typeof(SyncEntry))]
internal sealed partial class SyncJsonContext : JsonSerializerContext;
