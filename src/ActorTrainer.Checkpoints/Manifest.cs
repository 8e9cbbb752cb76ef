using System.Text.Json.Serialization;
using ActorTrainer.Checkpoints.Codecs;

namespace ActorTrainer.Checkpoints;

/// <summary>A checkpoint's manifest: which files, made of which chunks, in which packs. See docs/formats/checkpoint.md.</summary>
internal sealed record Manifest
{
    public const string FormatName = "actortrainer-checkpoint";
    public const int CurrentVersion = 3;

    /// <summary>Without links, which version 1 did not know: its readers would restore one as an empty file.</summary>
    public const int VersionWithoutLinks = 1;

    /// <summary>Without zstd and without planes of two, which version 2 did not know.</summary>
    private const int VersionWithoutZstd = 2;

    /// <summary>The one file of a command's checkpoint that the node adds: the order in which the command saves.</summary>
    public const string SavesFile = ".actortrainer-saves.json";

    /// <summary>The lowest version whose readers understand these entries.</summary>
    public static int VersionFor(IReadOnlyList<ManifestEntry> entries) =>
        entries.Any(entry =>
            entry.Chunks.Any(chunk => ChunkCodecNames.TryParse(chunk.Codec, out ChunkCodec codec) && codec >= ChunkCodec.Zstd)
        )
            ? CurrentVersion
        : entries.Any(entry => entry.Link is not null) ? VersionWithoutZstd
        : VersionWithoutLinks;

    public string Format { get; init; } = FormatName;

    public int Version { get; init; } = VersionWithoutLinks;

    public required string Name { get; init; }

    public required string Task { get; init; }

    public required long Term { get; init; }

    /// <summary>By the saving node's wall clock, UTC. For people; nothing depends on it.</summary>
    public required DateTimeOffset Created { get; init; }

    public required long Step { get; init; }

    public required double Epoch { get; init; }

    public required string Reason { get; init; }

    public required IReadOnlyDictionary<string, double> Metrics { get; init; }

    /// <summary>Every chunk of an entry but its last has this many bytes.</summary>
    public required int ChunkSize { get; init; }

    /// <summary>All entries' lengths together.</summary>
    public required long Bytes { get; init; }

    /// <summary>Those of the task's own files: what a checkpoint is said to have.</summary>
    [JsonIgnore]
    public long BytesOfTheTask => Bytes - Entries.Where(entry => entry.Path == SavesFile).Sum(entry => entry.Length);

    /// <summary>The packs that chunks stand in, by the names that the store lists.</summary>
    public required IReadOnlyList<string> Packs { get; init; }

    public required IReadOnlyList<ManifestEntry> Entries { get; init; }
}

/// <summary>One file or link.</summary>
/// <param name="Path">Relative, with <c>/</c> between its segments.</param>
/// <param name="Length">In bytes.</param>
/// <param name="Mode">Unix permission bits, octal, for example <c>644</c>.</param>
/// <param name="Chunks">In order; none for an empty file or a link.</param>
/// <param name="Modified">When its content was changed last, UTC, in steps of 100 ns; null in checkpoints of version 0.2.0 and
/// before.</param>
/// <param name="Link">For a symbolic link where it leads; null for a file.</param>
internal sealed record ManifestEntry(
    string Path,
    long Length,
    string Mode,
    IReadOnlyList<ManifestChunk> Chunks,
    DateTimeOffset? Modified = null,
    string? Link = null
);

/// <summary>Where a chunk stands.</summary>
/// <param name="Sha256">SHA-256 of its raw bytes, lower-case hexadecimal.</param>
/// <param name="Pack">Index into <see cref="Manifest.Packs"/>.</param>
/// <param name="Offset">Where its record begins in the pack.</param>
/// <param name="Stored">Length of its stored bytes, without the record's header.</param>
/// <param name="Codec">One of <see cref="ChunkCodecNames"/>.</param>
internal sealed record ManifestChunk(string Sha256, int Pack, long Offset, int Stored, string Codec);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true,
    // A loss that went to infinity is still a metric.
    NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals
)]
[JsonSerializable(typeof(Manifest))]
[JsonSerializable(typeof(ManifestChunk))]
[JsonSerializable(typeof(IReadOnlyDictionary<string, double>))]
internal sealed partial class ManifestJsonContext : JsonSerializerContext;
