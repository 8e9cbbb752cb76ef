using System.Buffers;
using System.Buffers.Binary;
using System.Text.Json;

namespace ActorTrainer.Core.Checkpoints;

/// <summary>
/// What stands before the data of a safetensors file: eight bytes with the header's length (little endian), then JSON that says of each
/// tensor its kind, its shape and its place, and filling spaces. Source: the format description of huggingface/safetensors, whose rules
/// are checked: every byte of the data belongs to one tensor and to no second one, and each is as long as its shape says.
/// </summary>
public sealed class SafetensorsHeader
{
    /// <summary>The longest header, in bytes: the limit of the reference implementation.</summary>
    public const int MaxBytes = 100_000_000;

    /// <summary>How many tensors a file may have here, so that reading a header takes bounded memory.</summary>
    public const int MaxTensors = 500_000;

    /// <summary>How many dimensions a tensor may have here.</summary>
    public const int MaxDimensions = 64;

    /// <summary>Bytes before the header: its length.</summary>
    public const int PrefixBytes = sizeof(long);

    private const string MetadataName = "__metadata__";
    private const int Alignment = 8;

    private SafetensorsHeader(IReadOnlyList<TensorEntry> tensors, IReadOnlyDictionary<string, string> metadata) =>
        (Tensors, Metadata) = (tensors, metadata);

    /// <summary>The tensors, by their place.</summary>
    public IReadOnlyList<TensorEntry> Tensors { get; }

    /// <summary>What the file's writer says of it; empty: nothing.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; }

    /// <summary>Bytes of data behind the header.</summary>
    public long DataLength => Tensors.Count == 0 ? 0 : Tensors[^1].Offset + Tensors[^1].Length;

    /// <summary>The length of the header, from the eight bytes before it.</summary>
    /// <param name="prefix">The file's first bytes, eight or more.</param>
    /// <param name="fileLength">The file's length; null: not known yet.</param>
    /// <exception cref="SafetensorsException">No safetensors file begins in this way.</exception>
    public static int LengthOf(ReadOnlySpan<byte> prefix, long? fileLength = null)
    {
        if (prefix.Length < PrefixBytes)
        {
            throw new SafetensorsException($"{prefix.Length} bytes are no safetensors file: its first eight say how long its header is.");
        }

        ulong length = BinaryPrimitives.ReadUInt64LittleEndian(prefix);
        if (length is < 2 or > MaxBytes)
        {
            throw new SafetensorsException(
                $"a header of {length} bytes is none of a safetensors file, which has 2 to {MaxBytes}: is it a file of another format?"
            );
        }

        return fileLength is { } all && (long)length > all - PrefixBytes
            ? throw new SafetensorsException($"a header of {length} bytes does not fit a file of {all} bytes: it was cut short.")
            : (int)length;
    }

    /// <summary>Reads a header.</summary>
    /// <param name="header">Its bytes, without the eight before it.</param>
    /// <param name="dataLength">How many bytes follow it; null: as many as it says.</param>
    /// <exception cref="SafetensorsException">It is none, or does not fit the data; the message says what is wrong.</exception>
    public static SafetensorsHeader Parse(ReadOnlySpan<byte> header, long? dataLength = null)
    {
        SafetensorsParser parser = new(header);
        SafetensorsHeader read;
        try
        {
            parser.Read();
            read = new SafetensorsHeader(InOrder(parser.Tensors), parser.Metadata);
        }
        catch (Exception problem) when (problem is JsonException or InvalidOperationException)
        {
            throw new SafetensorsException($"the header is no JSON of a safetensors file: {problem.Message}", problem);
        }

        if (dataLength is { } all && all != read.DataLength)
        {
            throw new SafetensorsException(
                read.Tensors.FirstOrDefault(tensor => tensor.Offset + tensor.Length > all) is { } cut
                    ? $"tensor '{cut.Name}' ends at byte {cut.Offset + cut.Length} of the data, but {all} bytes follow the header: "
                        + "the file was cut short."
                    : $"{all} bytes follow the header, of which the last {all - read.DataLength} belong to no tensor."
            );
        }

        return read;
    }

    /// <summary>
    /// The bytes before the data: length and header, filled up with spaces so that the data begins at a multiple of eight.
    /// </summary>
    /// <param name="tensors">The tensors, of which together every byte of the data is one's.</param>
    /// <param name="metadata">What is said of the file; null or empty: nothing.</param>
    /// <param name="minimum">The least that they may have, in bytes.</param>
    /// <exception cref="SafetensorsException">The header would be longer than one may be.</exception>
    public static byte[] Format(
        IEnumerable<TensorEntry> tensors,
        IEnumerable<KeyValuePair<string, string>>? metadata = null,
        int minimum = 0
    )
    {
        ArrayBufferWriter<byte> buffer = new();
        using (Utf8JsonWriter json = new(buffer))
        {
            Write(json, tensors, [.. metadata ?? []]);
        }

        long size = Math.Max(minimum, PrefixBytes + buffer.WrittenCount);
        size = (size + Alignment - 1) / Alignment * Alignment;
        if (size - PrefixBytes > MaxBytes)
        {
            throw new SafetensorsException($"a header of {size - PrefixBytes} bytes is longer than the {MaxBytes} that one may have.");
        }

        byte[] bytes = new byte[size];
        bytes.AsSpan().Fill((byte)' ');
        BinaryPrimitives.WriteInt64LittleEndian(bytes, size - PrefixBytes);
        buffer.WrittenSpan.CopyTo(bytes.AsSpan(PrefixBytes));
        return bytes;
    }

    private static void Write(Utf8JsonWriter json, IEnumerable<TensorEntry> tensors, KeyValuePair<string, string>[] metadata)
    {
        json.WriteStartObject();
        if (metadata.Length > 0)
        {
            json.WriteStartObject(MetadataName);
            foreach ((string name, string value) in metadata)
            {
                json.WriteString(name, value);
            }

            json.WriteEndObject();
        }

        foreach (TensorEntry tensor in tensors)
        {
            json.WriteStartObject(tensor.Name);
            json.WriteString("dtype"u8, tensor.Kind.ToString());
            json.WriteStartArray("shape"u8);
            foreach (long length in tensor.Shape)
            {
                json.WriteNumberValue(length);
            }

            json.WriteEndArray();
            json.WriteStartArray("data_offsets"u8);
            json.WriteNumberValue(tensor.Offset);
            json.WriteNumberValue(tensor.Offset + tensor.Length);
            json.WriteEndArray();
            json.WriteEndObject();
        }

        json.WriteEndObject();
    }

    private static List<TensorEntry> InOrder(List<TensorEntry> tensors)
    {
        tensors.Sort((a, b) => a.Offset != b.Offset ? a.Offset.CompareTo(b.Offset) : a.Length.CompareTo(b.Length));
        long end = 0;
        for (int i = 0; i < tensors.Count; i++)
        {
            TensorEntry tensor = tensors[i];
            if (tensor.Offset != end)
            {
                throw new SafetensorsException(
                    tensor.Offset < end
                        ? $"tensor '{tensor.Name}' begins at byte {tensor.Offset} of the data, inside of '{tensors[i - 1].Name}', "
                            + $"which ends at {end}."
                        : $"bytes {end} to {tensor.Offset} of the data belong to no tensor."
                );
            }

            end += tensor.Length;
        }

        return tensors;
    }
}

/// <summary>A file is no safetensors file, or is damaged; the message says what is wrong with it.</summary>
/// <param name="problem">A sentence.</param>
/// <param name="inner">The cause, or null.</param>
public sealed class SafetensorsException(string problem, Exception? inner = null) : Exception(problem, inner);
