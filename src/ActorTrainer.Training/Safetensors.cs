using System.Buffers;
using System.Buffers.Binary;
using System.Text;
using System.Text.Json;
using ActorTrainer.Training.Storage;

namespace ActorTrainer.Training;

/// <summary>Kinds of numbers, named as safetensors names them.</summary>
internal enum TensorType
{
    F32,
    F64,
    I64,
}

/// <summary>Where a tensor stands in the file: offset and length in bytes, counted from the end of the header.</summary>
internal sealed record TensorInfo(TensorType Type, long[] Shape, long Offset, long Length)
{
    public static int SizeOf(TensorType type) => type == TensorType.F32 ? 4 : 8;

    public static string Format(ReadOnlySpan<long> shape)
    {
        StringBuilder text = new("[");
        for (int i = 0; i < shape.Length; i++)
        {
            text.Append(i == 0 ? "" : ", ").Append(shape[i]);
        }

        return text.Append(']').ToString();
    }
}

/// <summary>
/// Writes a safetensors file while the tensors come: the data starts after a reserved header, which is written last and filled up with
/// spaces, as the format allows. So a tensor's place does not depend on what the header says, and equal tensors of two checkpoints
/// stand at equal places.
/// </summary>
internal sealed class SafetensorsWriter : IDisposable
{
    private readonly TensorFile _file;
    private readonly List<KeyValuePair<string, TensorInfo>> _tensors = [];
    private long _length;

    public SafetensorsWriter(TensorFile file)
    {
        if (!BitConverter.IsLittleEndian)
        {
            throw new PlatformNotSupportedException("checkpoints are written in little-endian order; this processor has another one.");
        }

        _file = file;
    }

    public void Add(string name, TensorType type, long[] shape, ReadOnlySpan<byte> bytes)
    {
        _file.Append(bytes);
        _tensors.Add(new(name, new TensorInfo(type, shape, _length, bytes.Length)));
        _length += bytes.Length;
    }

    public void Complete()
    {
        byte[] json = Header();
        int size = TensorFile.ReservedBytes;
        if (json.Length + 8 > size)
        {
            size = (json.Length + 8 + 4095) / 4096 * 4096;
        }

        byte[] header = new byte[size];
        header.AsSpan().Fill((byte)' ');
        BinaryPrimitives.WriteInt64LittleEndian(header, size - 8);
        json.CopyTo(header, 8);
        _file.Complete(header);
    }

    public void Dispose() => _file.Dispose();

    private byte[] Header()
    {
        ArrayBufferWriter<byte> buffer = new();
        using (Utf8JsonWriter json = new(buffer))
        {
            json.WriteStartObject();
            foreach ((string name, TensorInfo tensor) in _tensors)
            {
                json.WriteStartObject(name);
                json.WriteString("dtype"u8, tensor.Type.ToString());
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

        return buffer.WrittenSpan.ToArray();
    }
}

/// <summary>Reads the header of a safetensors file.</summary>
internal static class Safetensors
{
    // The limit of the reference implementation.
    private const long MaxHeaderBytes = 100_000_000;

    /// <summary>The tensors by name, and where the data starts.</summary>
    /// <exception cref="InvalidDataException">It is not such a file, or a part of it is missing.</exception>
    public static (SortedDictionary<string, TensorInfo> Tensors, long DataStart) ReadHeader(StateContent file)
    {
        string path = file.Name;
        long fileLength = file.Length;
        Span<byte> prefix = stackalloc byte[8];
        if (fileLength < 8)
        {
            throw new InvalidDataException($"{path}: {fileLength} bytes are no safetensors file.");
        }

        file.Read(prefix, 0);
        long headerLength = BinaryPrimitives.ReadInt64LittleEndian(prefix);
        if (headerLength is <= 0 or > MaxHeaderBytes || headerLength > fileLength - 8)
        {
            throw new InvalidDataException($"{path}: a header of {headerLength} bytes does not fit a file of {fileLength} bytes.");
        }

        byte[] header = new byte[headerLength];
        file.Read(header, 8);
        try
        {
            return (Parse(header, path, fileLength - 8 - headerLength), 8 + headerLength);
        }
        catch (Exception problem) when (problem is JsonException or FormatException or InvalidOperationException or KeyNotFoundException)
        {
            throw new InvalidDataException($"{path}: the header is no safetensors header: {problem.Message}", problem);
        }
    }

    private static SortedDictionary<string, TensorInfo> Parse(byte[] header, string path, long dataLength)
    {
        SortedDictionary<string, TensorInfo> tensors = new(StringComparer.Ordinal);
        using JsonDocument document = JsonDocument.Parse(header.AsMemory());
        foreach (JsonProperty property in document.RootElement.EnumerateObject())
        {
            if (property.Name == "__metadata__")
            {
                continue;
            }

            string type = property.Value.GetProperty("dtype"u8).GetString() ?? "";
            JsonElement offsets = property.Value.GetProperty("data_offsets"u8);
            long start = offsets[0].GetInt64();
            long end = offsets[1].GetInt64();
            JsonElement shape = property.Value.GetProperty("shape"u8);
            long[] lengths = new long[shape.GetArrayLength()];
            for (int i = 0; i < lengths.Length; i++)
            {
                lengths[i] = shape[i].GetInt64();
            }

            if (start < 0 || end < start || end > dataLength)
            {
                throw new InvalidDataException(
                    $"{path}: tensor '{property.Name}' stands at {start} to {end}, but there are {dataLength} bytes of data."
                );
            }

            // Other kinds of numbers are legal in the format; nothing here writes them.
            if (Enum.TryParse(type, out TensorType known))
            {
                tensors[property.Name] = new TensorInfo(known, lengths, start, end - start);
            }
        }

        return tensors;
    }
}
