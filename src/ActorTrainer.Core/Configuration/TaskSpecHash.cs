using System.Buffers;
using System.Security.Cryptography;
using System.Text.Json;
using ActorTrainer.Core.Tasks;

namespace ActorTrainer.Core.Configuration;

/// <summary>
/// Tells whether two specifications are the same: SHA-256 of a canonical JSON, in which the members of objects are sorted by ordinal
/// comparison and members that have their default are left out, so that a member added by a later version changes no hash.
/// </summary>
public static class TaskSpecHash
{
    private static readonly TaskSpec Defaults = new() { Name = "" };

    /// <summary>The hash, 64 lower-case hexadecimal digits.</summary>
    public static string Compute(TaskSpec spec) => Convert.ToHexStringLower(SHA256.HashData(Canonical(spec)));

    /// <summary>The bytes that are hashed.</summary>
    internal static byte[] Canonical(TaskSpec spec)
    {
        JsonElement value = JsonSerializer.SerializeToElement(spec, CoreJsonContext.Default.TaskSpec);
        JsonElement defaults = JsonSerializer.SerializeToElement(Defaults, CoreJsonContext.Default.TaskSpec);
        ArrayBufferWriter<byte> buffer = new();
        using (Utf8JsonWriter writer = new(buffer))
        {
            Write(writer, value, defaults);
        }

        return buffer.WrittenSpan.ToArray();
    }

    private static void Write(Utf8JsonWriter writer, JsonElement value, JsonElement? defaults)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.Object:
                writer.WriteStartObject();
                foreach (JsonProperty member in value.EnumerateObject().OrderBy(m => m.Name, StringComparer.Ordinal))
                {
                    JsonElement? usual =
                        defaults is { ValueKind: JsonValueKind.Object } known && known.TryGetProperty(member.Name, out JsonElement found)
                            ? found
                            : null;
                    if (usual is null || !JsonElement.DeepEquals(member.Value, usual.Value))
                    {
                        writer.WritePropertyName(member.Name);
                        Write(writer, member.Value, usual);
                    }
                }

                writer.WriteEndObject();
                break;
            case JsonValueKind.Array:
                writer.WriteStartArray();
                foreach (JsonElement item in value.EnumerateArray())
                {
                    Write(writer, item, null);
                }

                writer.WriteEndArray();
                break;
            default:
                value.WriteTo(writer);
                break;
        }
    }
}
