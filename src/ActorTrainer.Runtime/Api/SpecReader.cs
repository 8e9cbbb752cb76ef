using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using ActorTrainer.Client;
using ActorTrainer.Core.Tasks;
using Microsoft.AspNetCore.Http;

namespace ActorTrainer.Runtime.Api;

/// <summary>
/// Reads a posted specification. What is left out, or null, has its default: the posted object is laid over the default one before it
/// is read, because the generated reader gives init-only members that are missing a zero. Unknown keys are errors.
/// </summary>
internal static class SpecReader
{
    public static TaskSpec Read(JsonNode? posted)
    {
        if (posted is not JsonObject body)
        {
            throw Bad("the body is not a JSON object", "send a task specification, see docs/formats/http-api.md");
        }

        if (body["name"] is null)
        {
            throw Bad("the specification has no 'name'", "add \"name\": lower-case letters, digits and dashes");
        }

        JsonObject merged = (JsonObject)JsonSerializer.SerializeToNode(new TaskSpec { Name = "" }, ApiJson.Default.TaskSpec)!;
        Overlay(merged, body, ApiJson.Default.TaskSpec, "");
        try
        {
            return merged.Deserialize(ApiJson.Default.TaskSpec)!;
        }
        catch (JsonException e)
        {
            throw Bad(
                $"the value at '{e.Path?.TrimStart('$', '.')}' has the wrong form",
                "see docs/formats/http-api.md for each key's form"
            );
        }
    }

    private static void Overlay(JsonObject target, JsonObject source, JsonTypeInfo type, string path)
    {
        foreach ((string key, JsonNode? value) in source)
        {
            JsonPropertyInfo property = type.Properties.FirstOrDefault(p => p.Name == key) ?? throw Unknown(path + key, key, type);
            if (value is null)
            {
                continue;
            }

            JsonTypeInfo inner = type.Options.GetTypeInfo(property.PropertyType);
            if (value is JsonObject object_ && inner.Kind == JsonTypeInfoKind.Object)
            {
                if (target[key] is not JsonObject existing)
                {
                    target[key] = existing = [];
                }

                Overlay(existing, object_, inner, $"{path}{key}.");
            }
            else
            {
                target[key] = value.DeepClone();
            }
        }
    }

    private static ApiProblemException Unknown(string path, string key, JsonTypeInfo type)
    {
        IReadOnlyList<string> near = NearestNames.Find(key, type.Properties.Select(p => p.Name));
        return Bad(
            $"'{path}' is not a key of a task specification",
            near.Count > 0 ? $"did you mean {string.Join(" or ", near)}?" : "see docs/formats/http-api.md for the keys"
        );
    }

    private static ApiProblemException Bad(string error, string advice) => new(StatusCodes.Status400BadRequest, error, advice);
}
