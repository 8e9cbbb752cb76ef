using System.Text.Json.Serialization;

namespace ActorTrainer.Checkpoints.Tiered;

/// <summary>Something that the remote store has not heard of yet.</summary>
/// <param name="Task">The task.</param>
/// <param name="Checkpoint">A checkpoint that is to be copied there; null: files are to be removed, or a bundle copied.</param>
/// <param name="Files">The files that are to be removed; empty otherwise.</param>
internal sealed record SyncEntry(string Task, string? Checkpoint, IReadOnlyList<string> Files)
{
    /// <summary>
    /// The bundle that is to be copied there; null: none. Its entry removes no files: that is what nodes take it for which do not know of
    /// bundles.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Bundle { get; init; }

    /// <summary>A bundle that is to be copied; it is of no task, and has what is read as one.</summary>
    public static SyncEntry OfBundle(string hash) => new("bundle-0", null, []) { Bundle = hash };

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
