using System.Buffers;
using System.Security.Cryptography;
using System.Text.Encodings.Web;
using System.Text.Json;
using ActorTrainer.Checkpoints.Codecs;
using ActorTrainer.Core.Checkpoints;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Tasks;

namespace ActorTrainer.Checkpoints;

/// <summary>Writes manifests as readable JSON (one line for each chunk), reads them back and mistrusts them.</summary>
internal static class ManifestFormat
{
    /// <summary>Chunk sizes that are accepted, in bytes.</summary>
    public const int SmallestChunk = 4096;
    public const int LargestChunk = 64 << 20;

    private const int Sha256HexLength = 64;

    public static byte[] Write(Manifest manifest)
    {
        ArrayBufferWriter<byte> buffer = new(64 * 1024);
        JsonWriterOptions options = new()
        {
            Indented = true,
            NewLine = "\n",
            Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        };
        using (Utf8JsonWriter json = new(buffer, options))
        {
            json.WriteStartObject();
            json.WriteString("format", manifest.Format);
            json.WriteNumber("version", manifest.Version);
            json.WriteString("name", manifest.Name);
            json.WriteString("task", manifest.Task);
            json.WriteNumber("term", manifest.Term);
            json.WriteString("created", manifest.Created);
            json.WriteNumber("step", manifest.Step);
            json.WritePropertyName("epoch");
            WriteNumber(json, manifest.Epoch);
            json.WriteString("reason", manifest.Reason);
            json.WriteStartObject("metrics");
            foreach ((string name, double value) in manifest.Metrics.OrderBy(metric => metric.Key, StringComparer.Ordinal))
            {
                json.WritePropertyName(name);
                WriteNumber(json, value);
            }

            json.WriteEndObject();
            json.WriteNumber("chunkSize", manifest.ChunkSize);
            json.WriteNumber("bytes", manifest.Bytes);
            json.WriteStartArray("packs");
            foreach (string pack in manifest.Packs)
            {
                json.WriteStringValue(pack);
            }

            json.WriteEndArray();
            json.WriteStartArray("entries");
            foreach (ManifestEntry entry in manifest.Entries)
            {
                WriteEntry(json, entry);
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        return buffer.WrittenSpan.ToArray();
    }

    public static string HashOf(ReadOnlySpan<byte> manifest) => Convert.ToHexStringLower(SHA256.HashData(manifest));

    /// <summary>Reads a manifest whose hash the journal knows.</summary>
    /// <exception cref="CheckpointDamagedException">It is not the manifest of this checkpoint, or makes no sense.</exception>
    /// <exception cref="CheckpointStoreException">It is of a later version.</exception>
    public static Manifest Read(byte[] bytes, TaskId task, CheckpointRef checkpoint, string file)
    {
        if (HashOf(bytes) != checkpoint.ManifestSha256)
        {
            throw new CheckpointDamagedException(
                $"Checkpoint {checkpoint.Name} of {task}: {file} has other bytes than were written ({bytes.Length} bytes, another SHA-256)."
            );
        }

        Manifest manifest;
        try
        {
            using JsonDocument document = JsonDocument.Parse(bytes);
            if (
                document.RootElement.ValueKind == JsonValueKind.Object
                && document.RootElement.TryGetProperty("version", out JsonElement version)
                && version.TryGetInt32(out int number)
                && number > Manifest.CurrentVersion
            )
            {
                throw new CheckpointStoreException(
                    $"Checkpoint {checkpoint.Name} of {task}: {file} has format version {number}, "
                        + $"this program reads up to {Manifest.CurrentVersion}. Update this node."
                );
            }

            manifest = document.Deserialize(ManifestJsonContext.Default.Manifest) ?? throw new JsonException("it is null");
        }
        catch (JsonException e)
        {
            throw new CheckpointDamagedException($"Checkpoint {checkpoint.Name} of {task}: {file} is not a manifest: {e.Message}", e);
        }

        if (FindFault(manifest, task, checkpoint) is { } fault)
        {
            throw new CheckpointDamagedException($"Checkpoint {checkpoint.Name} of {task}: {file} is not usable: {fault}.");
        }

        return manifest;
    }

    private static string? FindFault(Manifest manifest, TaskId task, CheckpointRef checkpoint)
    {
        if (manifest.Format != Manifest.FormatName || manifest.Version < 1)
        {
            return "it is of another format";
        }

        if (manifest.Name != checkpoint.Name || manifest.Task != task.Value)
        {
            return $"it belongs to {manifest.Name} of {manifest.Task}";
        }

        if (manifest.ChunkSize is < SmallestChunk or > LargestChunk)
        {
            return $"its chunk size is {manifest.ChunkSize}";
        }

        foreach (string pack in manifest.Packs)
        {
            if (!pack.StartsWith("packs/", StringComparison.Ordinal) || !CheckpointNames.TryParseFile(pack, out _))
            {
                return $"'{pack}' is not a pack's name";
            }
        }

        long bytes = 0;
        HashSet<string> paths = new(StringComparer.Ordinal);
        foreach (ManifestEntry entry in manifest.Entries)
        {
            if (FindFault(entry, manifest) is { } fault)
            {
                return fault;
            }

            if (!paths.Add(entry.Path))
            {
                return $"'{entry.Path}' is listed twice";
            }

            bytes += entry.Length;
        }

        if (BelowLink(manifest.Entries) is { } below)
        {
            return $"'{below}' would be written through a link";
        }

        return bytes == manifest.Bytes ? null : $"its entries have {bytes} bytes, not {manifest.Bytes}";
    }

    private static string? BelowLink(IReadOnlyList<ManifestEntry> entries)
    {
        HashSet<string> links = new(entries.Where(entry => entry.Link is not null).Select(entry => entry.Path), StringComparer.Ordinal);
        return links.Count == 0 ? null : entries.Select(entry => entry.Path).FirstOrDefault(path => Folders(path).Any(links.Contains));
    }

    private static IEnumerable<string> Folders(string path)
    {
        for (int at = path.IndexOf('/', StringComparison.Ordinal); at >= 0; at = path.IndexOf('/', at + 1))
        {
            yield return path[..at];
        }
    }

    private static string? FindFault(ManifestEntry entry, Manifest manifest)
    {
        if (!EntryPath.IsSafe(entry.Path))
        {
            return $"'{entry.Path}' would lead out of the folder";
        }

        if (!EntryMode.TryParse(entry.Mode, out _))
        {
            return $"the mode of '{entry.Path}' is '{entry.Mode}'";
        }

        if (entry.Link is { } target && (entry.Length != 0 || !EntryPath.LeadsInside(entry.Path, target)))
        {
            return $"the link '{entry.Path}' leads to '{target}'";
        }

        if (entry.Length < 0 || entry.Chunks.Count != ChunkCount(entry.Length, manifest.ChunkSize))
        {
            return $"'{entry.Path}' has {entry.Length} bytes in {entry.Chunks.Count} chunks";
        }

        if (entry.Chunks.Any(chunk => chunk.Chain.Count() - 1 > ChunkPlace.MostBases))
        {
            return $"a chunk of '{entry.Path}' is a difference to a difference, more than {ChunkPlace.MostBases} times";
        }

        foreach (ManifestChunk chunk in entry.Chunks.SelectMany(chunk => chunk.Chain))
        {
            if (
                chunk.Pack < 0
                || chunk.Pack >= manifest.Packs.Count
                || chunk.Offset < PackFormat.FileHeaderSize
                || chunk.Stored < 0
                || chunk.Stored > manifest.ChunkSize
                || !ChunkCodecNames.TryParse(chunk.Codec, out _)
                || chunk.Sha256.Length != Sha256HexLength
                || !chunk.Sha256.All(char.IsAsciiHexDigitLower)
            )
            {
                return $"a chunk of '{entry.Path}' is described wrongly";
            }
        }

        return null;
    }

    public static long ChunkCount(long length, int chunkSize) => (length / chunkSize) + (length % chunkSize == 0 ? 0 : 1);

    private static void WriteEntry(Utf8JsonWriter json, ManifestEntry entry)
    {
        json.WriteStartObject();
        json.WriteString("path", entry.Path);
        json.WriteNumber("length", entry.Length);
        json.WriteString("mode", entry.Mode);
        if (entry.Modified is { } modified)
        {
            json.WriteString("modified", modified);
        }

        if (entry.Link is { } link)
        {
            json.WriteString("link", link);
        }

        json.WriteStartArray("chunks");
        foreach (ManifestChunk chunk in entry.Chunks)
        {
            json.WriteRawValue(
                JsonSerializer.SerializeToUtf8Bytes(chunk, ManifestJsonContext.Default.ManifestChunk),
                skipInputValidation: true
            );
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void WriteNumber(Utf8JsonWriter json, double value)
    {
        if (double.IsFinite(value))
        {
            json.WriteNumberValue(value);
        }
        else
        {
            json.WriteStringValue(
                double.IsNaN(value) ? "NaN"
                : value > 0 ? "Infinity"
                : "-Infinity"
            );
        }
    }
}
