using System.Buffers;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace ActorTrainer.Core.Configuration;

/// <summary>Configuration as JSON, for settings that are handed on as they are.</summary>
public static partial class ConfigJson
{
    /// <summary>Numbers, true, false and null without quotes become such values of JSON; everything else is a text.</summary>
    public static JsonElement ToJson(ConfigNode node)
    {
        ArrayBufferWriter<byte> buffer = new();
        using (Utf8JsonWriter writer = new(buffer))
        {
            Write(writer, node);
        }

        using JsonDocument document = JsonDocument.Parse(buffer.WrittenMemory);
        return document.RootElement.Clone();
    }

    /// <summary>Whether a text without quotes stands for a number, true, false or null, and not for itself.</summary>
    public static bool IsLiteral(string text) => text is "true" or "false" or "null" || JsonNumber().IsMatch(text);

    private static void Write(Utf8JsonWriter writer, ConfigNode node)
    {
        switch (node)
        {
            case ConfigObject value:
                writer.WriteStartObject();
                foreach ((string key, ConfigNode field) in value.Fields)
                {
                    writer.WritePropertyName(key);
                    Write(writer, field);
                }

                writer.WriteEndObject();
                break;
            case ConfigArray array:
                writer.WriteStartArray();
                foreach (ConfigNode item in array.Items)
                {
                    Write(writer, item);
                }

                writer.WriteEndArray();
                break;
            case ConfigScalar { Text: null }:
                writer.WriteNullValue();
                break;
            case ConfigScalar { Quoted: false } literal when IsLiteral(literal.Text!):
                writer.WriteRawValue(literal.Text!);
                break;
            case ConfigScalar scalar:
                writer.WriteStringValue(scalar.Text);
                break;
        }
    }

    /// <summary>The number of RFC 8259, section 6.</summary>
    [GeneratedRegex(@"^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?\z", RegexOptions.CultureInvariant)]
    private static partial Regex JsonNumber();
}
