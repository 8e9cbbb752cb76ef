using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using ActorTrainer.Training.Storage;

namespace ActorTrainer.Training;

/// <summary>
/// Writes the entries of a checkpoint: tensors, JSON values, bytes. Every entry has a name of its own, such as
/// <c>optimizer/moment1/layer0.weight</c>: letters, digits, '.', '_' and '-', with '/' between parts, at most 200 characters.
/// </summary>
/// <remarks>
/// Tensors go into one file, <c>state.safetensors</c>, in the safetensors layout (little-endian; format description of
/// huggingface/safetensors), so that other programs can read them; a JSON value is <c>NAME.json</c>, bytes are <c>NAME.bin</c>.
/// The bytes are taken during the call: the arrays may change right after it. A failure to write is an <see cref="IOException"/>.
/// </remarks>
public sealed class CheckpointWriter : IDisposable
{
    private readonly StateTarget _target;
    private readonly HashSet<string> _names = new(StringComparer.OrdinalIgnoreCase);
    private SafetensorsWriter? _tensors;
    private bool _completed;

    /// <summary>Writes below a folder, which is made when it is missing. <see cref="Complete"/> ends it.</summary>
    public CheckpointWriter(string directory)
        : this(new FolderTarget(directory)) { }

    internal CheckpointWriter(StateTarget target) => _target = target;

    /// <summary>Writes a tensor of 32-bit floats, row by row.</summary>
    /// <param name="name">The entry's name.</param>
    /// <param name="values">The values; as many as the shape has places.</param>
    /// <param name="shape">Lengths of the dimensions, outermost first; none given: one dimension with the values' length.</param>
    /// <exception cref="CheckpointEntryException">The name is bad or used already, or the shape does not fit the length.</exception>
    public void WriteTensor(string name, ReadOnlySpan<float> values, params ReadOnlySpan<long> shape) =>
        AddTensor(name, TensorType.F32, MemoryMarshal.AsBytes(values), values.Length, shape);

    /// <summary>Writes a tensor of 64-bit floats, row by row.</summary>
    /// <inheritdoc cref="WriteTensor(string, ReadOnlySpan{float}, ReadOnlySpan{long})" path="/param"/>
    /// <inheritdoc cref="WriteTensor(string, ReadOnlySpan{float}, ReadOnlySpan{long})" path="/exception"/>
    public void WriteTensor(string name, ReadOnlySpan<double> values, params ReadOnlySpan<long> shape) =>
        AddTensor(name, TensorType.F64, MemoryMarshal.AsBytes(values), values.Length, shape);

    /// <summary>Writes a tensor of 64-bit integers, row by row.</summary>
    /// <inheritdoc cref="WriteTensor(string, ReadOnlySpan{float}, ReadOnlySpan{long})" path="/param"/>
    /// <inheritdoc cref="WriteTensor(string, ReadOnlySpan{float}, ReadOnlySpan{long})" path="/exception"/>
    public void WriteTensor(string name, ReadOnlySpan<long> values, params ReadOnlySpan<long> shape) =>
        AddTensor(name, TensorType.I64, MemoryMarshal.AsBytes(values), values.Length, shape);

    /// <summary>Writes a value as JSON.</summary>
    /// <param name="name">The entry's name.</param>
    /// <param name="value">The value.</param>
    /// <param name="type">Source-generated metadata of its type.</param>
    /// <exception cref="CheckpointEntryException">The name is bad or used already.</exception>
    public void WriteJson<T>(string name, T value, JsonTypeInfo<T> type)
    {
        ArgumentNullException.ThrowIfNull(type);
        using Stream file = CreateFile(name, CheckpointEntryNames.JsonSuffix);
        JsonSerializer.Serialize(file, value, type);
    }

    internal void WriteJson(string name, Action<Utf8JsonWriter> write)
    {
        using Stream file = CreateFile(name, CheckpointEntryNames.JsonSuffix);
        using Utf8JsonWriter json = new(file);
        json.WriteStartObject();
        write(json);
        json.WriteEndObject();
    }

    /// <summary>Writes bytes as they are.</summary>
    /// <exception cref="CheckpointEntryException">The name is bad or used already.</exception>
    public void WriteBytes(string name, ReadOnlySpan<byte> bytes)
    {
        using Stream file = CreateFile(name, CheckpointEntryNames.BytesSuffix);
        file.Write(bytes);
    }

    /// <summary>Opens an entry of bytes for writing; to be disposed of before <see cref="Complete"/>.</summary>
    /// <exception cref="CheckpointEntryException">The name is bad or used already.</exception>
    public Stream OpenBytes(string name) => CreateFile(name, CheckpointEntryNames.BytesSuffix);

    /// <summary>
    /// Ends the checkpoint; nothing can be written after it. The worker calls it when <see cref="ITrainer.SaveAsync"/> returns.
    /// </summary>
    public void Complete()
    {
        _tensors?.Complete();
        _completed = true;
    }

    /// <summary>Closes the files. Without <see cref="Complete"/> before it, what was written is not a checkpoint.</summary>
    public void Dispose() => _tensors?.Dispose();

    private void AddTensor(string name, TensorType type, ReadOnlySpan<byte> bytes, int count, ReadOnlySpan<long> shape)
    {
        Claim(name);
        _tensors ??= new SafetensorsWriter(_target.CreateTensors(CheckpointEntryNames.TensorFile));
        long[] lengths = shape.Length == 0 ? [count] : shape.ToArray();
        long places = 1;
        foreach (long length in lengths)
        {
            places = length < 0 ? -1 : checked(places * length);
            if (places < 0)
            {
                break;
            }
        }

        if (places != count)
        {
            throw new CheckpointEntryException(
                name,
                $"has {count} values, but the shape {TensorInfo.Format(lengths)} has "
                    + $"{(places < 0 ? "a negative length" : $"{places} places")}."
            );
        }

        _tensors.Add(name, type, lengths, bytes);
    }

    private Stream CreateFile(string name, string suffix)
    {
        Claim(name);
        return _target.Create(name + suffix);
    }

    private void Claim(string name)
    {
        CheckpointEntryNames.Validate(name);
        ObjectDisposedException.ThrowIf(_completed, this);
        if (!_names.Add(name))
        {
            throw new CheckpointEntryException(
                name,
                "was written already in this checkpoint; give each entry a name of its own (upper and lower case count as the same)."
            );
        }
    }
}
