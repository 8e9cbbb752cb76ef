using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text.Json.Serialization;
using ActorTrainer.Core.Checkpoints;
using ActorTrainer.Core.Identity;

namespace ActorTrainer.Checkpoints.Peers;

/// <summary>What nodes say to one another about files of checkpoints; docs/formats/http-api.md has it to the byte.</summary>
internal static class PeerProtocol
{
    /// <summary>
    /// In every answer about a file, also that there is none: a 404 of something that does not know of files is no answer.
    /// </summary>
    public const string AnswerHeader = "ActorTrainer-Store-File";

    /// <summary>What the header says of a file that is there.</summary>
    public const string Present = "present";

    /// <summary>What the header says of one that is not.</summary>
    public const string Absent = "absent";

    /// <summary>A body ends with its content's length (8 bytes, little-endian) and SHA-256 (32 bytes).</summary>
    public const int TrailerSize = sizeof(long) + 32;

    /// <summary>A manifest of a state of terabytes is shorter.</summary>
    public const int LongestManifest = 1 << 30;

    /// <summary>The path of a task's files.</summary>
    public static string PathOf(TaskId task) => $"/v1/peers/{task}";

    /// <summary>The path of a file.</summary>
    public static string PathOf(TaskId task, string file) => $"/v1/peers/{task}/{file}";

    /// <summary>The path to which a file is sent.</summary>
    public static string PutPathOf(TaskId task, string file, long atMost) =>
        string.Create(CultureInfo.InvariantCulture, $"{PathOf(task, file)}?atMost={atMost}");

    /// <summary>The path of a bundle. No task's id is <c>bundles</c>: they have a dash.</summary>
    public static string PathOfBundle(string hash) => $"/v1/peers/bundles/{hash}";

    /// <summary>Whether a file of this name goes from node to node: finished packs and manifests do.</summary>
    public static bool IsShared([NotNullWhen(true)] string? file) =>
        CheckpointNames.TryParseFile(file, out _)
        && (
            (file.StartsWith("packs/", StringComparison.Ordinal) && file.EndsWith(".pack", StringComparison.Ordinal))
            || (file.StartsWith("manifests/", StringComparison.Ordinal) && file.EndsWith(".json", StringComparison.Ordinal))
        );
}

/// <summary>A file that a node has.</summary>
/// <param name="Name">Its name in the store.</param>
/// <param name="Bytes">Its length.</param>
internal sealed record PeerFile(string Name, long Bytes);

/// <summary>The files of a task that a node has.</summary>
internal sealed record PeerFileList(IReadOnlyList<PeerFile> Files);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true
)]
[JsonSerializable(typeof(PeerFileList))]
[JsonSerializable(typeof(IReadOnlyList<NodeAddress>))]
internal sealed partial class PeerJsonContext : JsonSerializerContext;
