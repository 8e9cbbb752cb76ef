using System.Text.Json.Serialization;
using ActorTrainer.Checkpoints.Codecs;

namespace ActorTrainer.Checkpoints;

/// <summary>A checkpoint's manifest: which files, made of which chunks, in which packs. See docs/formats/checkpoint.md.</summary>
internal sealed record Manifest
{
    public const string FormatName = "actortrainer-checkpoint";
    public const int CurrentVersion = 4;

    /// <summary>Without links, which version 1 did not know: its readers would restore one as an empty file.</summary>
    public const int VersionWithoutLinks = 1;

    /// <summary>Without differences, which version 3 did not know.</summary>
    private const int VersionWithoutDifferences = 3;

    /// <summary>Without zstd and without planes of two, which version 2 did not know.</summary>
    private const int VersionWithoutZstd = 2;

    /// <summary>The one file of a command's checkpoint that the node adds: the order in which the command saves.</summary>
    public const string SavesFile = ".actortrainer-saves.json";

    /// <summary>The lowest version whose readers understand these entries.</summary>
    public static int VersionFor(IReadOnlyList<ManifestEntry> entries) =>
        entries.Any(entry => entry.Chunks.Any(chunk => chunk.Base is not null)) ? CurrentVersion
        : entries.Any(entry =>
            entry.Chunks.Any(chunk => ChunkCodecNames.TryParse(chunk.Codec, out ChunkCodec codec) && codec >= ChunkCodec.Zstd)
        )
            ? VersionWithoutDifferences
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

    /// <summary>Length of an entry's chunk.</summary>
    public int LengthOf(ManifestEntry entry, int index) => (int)Math.Min(ChunkSize, entry.Length - ((long)index * ChunkSize));

    /// <summary>What stands in a pack, with the length of its raw bytes: each record once.</summary>
    public IReadOnlyList<(ManifestChunk Chunk, int Length)> RecordsIn(int pack) =>
        [
            .. Entries
                .SelectMany(entry => entry.Chunks.Select((chunk, index) => (Chunk: chunk, Length: LengthOf(entry, index))))
                .SelectMany(last => last.Chunk.Chain.Select(chunk => (Chunk: chunk, last.Length)))
                .Where(record => record.Chunk.Pack == pack)
                .DistinctBy(record => record.Chunk.Offset),
        ];

    /// <summary>The packs that are needed to read what stands in one, that one among them.</summary>
    public IReadOnlyList<int> NeededFor(int pack) =>
        [.. RecordsIn(pack).SelectMany(record => record.Chunk.Chain).Select(chunk => chunk.Pack).Append(pack).Distinct()];

    /// <summary>All packs, each behind those that are needed to read it.</summary>
    public IReadOnlyList<int> PacksInOrder()
    {
        List<int> order = [];
        HashSet<int> seen = [];
        for (int pack = 0; pack < Packs.Count; pack++)
        {
            Visit(pack);
        }

        return order;

        void Visit(int pack)
        {
            if (seen.Add(pack))
            {
                foreach (int needed in NeededFor(pack))
                {
                    Visit(needed);
                }

                order.Add(pack);
            }
        }
    }
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
/// <param name="Base">The chunk whose raw bytes, by exclusive or with the decoded ones, give this one's; null: those are its own.</param>
internal sealed record ManifestChunk(
    string Sha256,
    int Pack,
    long Offset,
    int Stored,
    string Codec,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] ManifestChunk? Base = null
)
{
    /// <summary>This chunk and what it is a difference to, down to the one that stands for itself.</summary>
    [JsonIgnore]
    public IEnumerable<ManifestChunk> Chain
    {
        get
        {
            for (ManifestChunk? chunk = this; chunk is not null; chunk = chunk.Base)
            {
                yield return chunk;
            }
        }
    }
}

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
