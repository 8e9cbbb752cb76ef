using System.Runtime.Serialization;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Akka.Actor;
using Akka.Serialization;

namespace ActorTrainer.Cluster.Messages;

/// <summary>
/// Writes messages and events as JSON under manifests of name and version, for example <c>event-1</c>. Fields are only ever added within a
/// version. What another version wrote and this one does not know comes out as <see cref="Unreadable"/>: it is shown, and nothing is lost.
/// </summary>
internal sealed class ActorTrainerSerializer(ExtendedActorSystem system) : SerializerWithStringManifest(system)
{
    /// <summary>Its number in journals and on the wire; never changed.</summary>
    public const int Number = 7400;

    private static readonly WireJson Json = WireJson.Default;

    private static readonly Dictionary<Type, (string Manifest, JsonTypeInfo Json)> ByType = new()
    {
        [typeof(JournaledEvent)] = ("event-1", Json.JournaledEvent),
        [typeof(FoldedTask)] = ("state-1", Json.FoldedTask),
        [typeof(WakeTask)] = ("wake-1", Json.WakeTask),
        [typeof(WarmTask)] = ("warm-1", Json.WarmTask),
        [typeof(TaskWarmed)] = ("warmed-1", Json.TaskWarmed),
        [typeof(TaskRequest)] = ("task-request-1", Json.TaskRequest),
        [typeof(TaskAnswer)] = ("answer-1", Json.TaskAnswer),
        [typeof(NodeRequest)] = ("node-request-1", Json.NodeRequest),
        [typeof(MoveShard)] = ("move-shard-1", Json.MoveShard),
        [typeof(SilenceQuestion)] = ("silence-question-1", Json.SilenceQuestion),
        [typeof(SilenceAnswer)] = ("silence-answer-1", Json.SilenceAnswer),
        [typeof(JournalQuestion)] = ("journal-question-1", Json.JournalQuestion),
        [typeof(JournalAnswer)] = ("journal-answer-1", Json.JournalAnswer),
    };

    private static readonly Dictionary<string, JsonTypeInfo> ByManifest = ByType.Values.ToDictionary(v => v.Manifest, v => v.Json);

    /// <inheritdoc />
    public override int Identifier => Number;

    /// <inheritdoc />
    public override string Manifest(object o) =>
        ByType.TryGetValue(o.GetType(), out (string Manifest, JsonTypeInfo _) known)
            ? known.Manifest
            : throw new SerializationException($"{o.GetType()} is not a message of ActorTrainer and is never sent or stored.");

    /// <inheritdoc />
    public override byte[] ToBinary(object obj) => Write(obj);

    /// <inheritdoc />
    public override object FromBinary(byte[] bytes, string manifest) => Read(bytes, manifest);

    /// <summary>What is written of a message; always the same for the same.</summary>
    public static byte[] Write(object obj) =>
        ByType.TryGetValue(obj.GetType(), out (string Manifest, JsonTypeInfo Json) known)
            ? JsonSerializer.SerializeToUtf8Bytes(obj, known.Json)
            : throw new SerializationException($"{obj.GetType()} is not a message of ActorTrainer and is never sent or stored.");

    /// <summary>What was written under a manifest, or <see cref="Unreadable"/>.</summary>
    public static object Read(byte[] bytes, string manifest)
    {
        if (!ByManifest.TryGetValue(manifest, out JsonTypeInfo? json))
        {
            return new Unreadable(
                manifest,
                $"'{manifest}' was written by another version of ActorTrainer, probably a newer one; "
                    + $"this one knows {Known(manifest)}. Use the version that wrote it."
            );
        }

        try
        {
            return JsonSerializer.Deserialize(bytes, json) ?? new Unreadable(manifest, $"'{manifest}' is empty");
        }
        catch (JsonException e)
        {
            return new Unreadable(
                manifest,
                $"'{manifest}' cannot be read, perhaps because a newer version of ActorTrainer wrote it: {e.Message}"
            );
        }
    }

    private static string Known(string manifest)
    {
        string name = manifest.Contains('-', StringComparison.Ordinal) ? manifest[..(manifest.LastIndexOf('-') + 1)] : manifest;
        string[] near = [.. ByManifest.Keys.Where(m => m.StartsWith(name, StringComparison.Ordinal))];
        return string.Join(", ", near.Length > 0 ? near : ByManifest.Keys.Order(StringComparer.Ordinal));
    }
}

/// <summary>The JSON form of the messages.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    UseStringEnumConverter = true,
    AllowOutOfOrderMetadataProperties = true,
    NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals, // a diverged loss is NaN and must still be journaled
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull
)]
[JsonSerializable(typeof(JournaledEvent))]
[JsonSerializable(typeof(FoldedTask))]
[JsonSerializable(typeof(WakeTask))]
[JsonSerializable(typeof(WarmTask))]
[JsonSerializable(typeof(TaskWarmed))]
[JsonSerializable(typeof(TaskRequest))]
[JsonSerializable(typeof(TaskAnswer))]
[JsonSerializable(typeof(NodeRequest))]
[JsonSerializable(typeof(MoveShard))]
[JsonSerializable(typeof(SilenceQuestion))]
[JsonSerializable(typeof(SilenceAnswer))]
[JsonSerializable(typeof(JournalQuestion))]
[JsonSerializable(typeof(JournalAnswer))]
internal sealed partial class WireJson : JsonSerializerContext;
