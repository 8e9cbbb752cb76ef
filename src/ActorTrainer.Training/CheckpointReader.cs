using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using ActorTrainer.Training.Storage;

namespace ActorTrainer.Training;

/// <summary>
/// Reads the entries of a checkpoint that <see cref="CheckpointWriter"/> wrote, by name. What does not fit is an error that names the
/// entry: a state that is only half taken over would train on to other results without anyone seeing it.
/// </summary>
public sealed class CheckpointReader : IDisposable
{
    private readonly StateFiles _files;
    private readonly StateContent? _tensorFile;
    private readonly SortedDictionary<string, TensorInfo> _tensors = new(StringComparer.Ordinal);
    private readonly long _dataStart;

    /// <summary>Reads below a folder.</summary>
    /// <exception cref="DirectoryNotFoundException">There is no such folder.</exception>
    /// <exception cref="InvalidDataException">Its tensor file is damaged.</exception>
    public CheckpointReader(string directory)
        : this(FilesOf(directory)) { }

    internal CheckpointReader(StateFiles files)
    {
        _files = files;
        if (!files.Contains(CheckpointEntryNames.TensorFile))
        {
            return;
        }

        _tensorFile = files.Open(CheckpointEntryNames.TensorFile);
        try
        {
            (_tensors, _dataStart) = Safetensors.ReadHeader(_tensorFile);
        }
        catch
        {
            _tensorFile.Dispose();
            throw;
        }
    }

    /// <summary>Names of the tensors, sorted.</summary>
    public IReadOnlyCollection<string> TensorNames => _tensors.Keys;

    /// <summary>Whether there is an entry of this name, of whatever kind.</summary>
    public bool Contains(string name)
    {
        CheckpointEntryNames.Validate(name);
        return _tensors.ContainsKey(name)
            || _files.Contains(name + CheckpointEntryNames.JsonSuffix)
            || _files.Contains(name + CheckpointEntryNames.BytesSuffix);
    }

    /// <summary>Lengths of a tensor's dimensions, outermost first.</summary>
    /// <exception cref="CheckpointEntryException">There is no such tensor.</exception>
    public IReadOnlyList<long> ShapeOf(string name) => Find(name).Shape;

    /// <summary>Reads a tensor of 32-bit floats into a span of its length.</summary>
    /// <param name="name">The entry's name.</param>
    /// <param name="values">Takes the values, row by row.</param>
    /// <param name="shape">The shape that is expected, outermost first; none given: any of this length.</param>
    /// <exception cref="CheckpointEntryException">There is no such tensor, or its kind, length or shape is another one.</exception>
    public void ReadTensor(string name, Span<float> values, params ReadOnlySpan<long> shape) =>
        Read(name, TensorType.F32, MemoryMarshal.AsBytes(values), values.Length, shape);

    /// <summary>Reads a tensor of 64-bit floats into a span of its length.</summary>
    /// <inheritdoc cref="ReadTensor(string, Span{float}, ReadOnlySpan{long})" path="/param"/>
    /// <inheritdoc cref="ReadTensor(string, Span{float}, ReadOnlySpan{long})" path="/exception"/>
    public void ReadTensor(string name, Span<double> values, params ReadOnlySpan<long> shape) =>
        Read(name, TensorType.F64, MemoryMarshal.AsBytes(values), values.Length, shape);

    /// <summary>Reads a tensor of 64-bit integers into a span of its length.</summary>
    /// <inheritdoc cref="ReadTensor(string, Span{float}, ReadOnlySpan{long})" path="/param"/>
    /// <inheritdoc cref="ReadTensor(string, Span{float}, ReadOnlySpan{long})" path="/exception"/>
    public void ReadTensor(string name, Span<long> values, params ReadOnlySpan<long> shape) =>
        Read(name, TensorType.I64, MemoryMarshal.AsBytes(values), values.Length, shape);

    /// <summary>Reads a JSON value.</summary>
    /// <param name="name">The entry's name.</param>
    /// <param name="type">Source-generated metadata of its type.</param>
    /// <exception cref="CheckpointEntryException">There is no such entry, or it holds something else.</exception>
    public T ReadJson<T>(string name, JsonTypeInfo<T> type)
    {
        ArgumentNullException.ThrowIfNull(type);
        using Stream file = OpenFile(name, CheckpointEntryNames.JsonSuffix, "JSON value");
        try
        {
            T? value = JsonSerializer.Deserialize(file, type);
            return value is null ? throw new CheckpointEntryException(name, "is null.") : value;
        }
        catch (JsonException problem)
        {
            throw new CheckpointEntryException(name, $"is no {typeof(T).Name}: {problem.Message}", problem);
        }
    }

    /// <summary>
    /// Reads a JSON value without the serializer. What the function throws for another form of value becomes an error of the entry.
    /// </summary>
    internal T ReadJson<T>(string name, Func<JsonElement, T> read)
    {
        using Stream file = OpenFile(name, CheckpointEntryNames.JsonSuffix, "JSON value");
        try
        {
            using JsonDocument document = JsonDocument.Parse(file);
            return read(document.RootElement);
        }
        catch (Exception problem) when (problem is JsonException or InvalidOperationException or FormatException or KeyNotFoundException)
        {
            throw new CheckpointEntryException(name, $"is damaged or of another kind: {problem.Message}", problem);
        }
    }

    /// <summary>Reads an entry of bytes.</summary>
    /// <exception cref="CheckpointEntryException">There is no such entry.</exception>
    public byte[] ReadBytes(string name)
    {
        using Stream file = OpenFile(name, CheckpointEntryNames.BytesSuffix, "entry of bytes");
        byte[] bytes = new byte[file.Length];
        file.ReadExactly(bytes);
        return bytes;
    }

    /// <summary>Opens an entry of bytes.</summary>
    /// <exception cref="CheckpointEntryException">There is no such entry.</exception>
    public Stream OpenBytes(string name) => OpenFile(name, CheckpointEntryNames.BytesSuffix, "entry of bytes");

    /// <summary>Closes the files.</summary>
    public void Dispose()
    {
        _tensorFile?.Dispose();
        _files.Dispose();
    }

    private static FolderFiles FilesOf(string directory)
    {
        ArgumentException.ThrowIfNullOrEmpty(directory);
        return Directory.Exists(directory)
            ? new FolderFiles(directory)
            : throw new DirectoryNotFoundException($"{directory}: there is no checkpoint in this place.");
    }

    private Stream OpenFile(string name, string suffix, string kind)
    {
        CheckpointEntryNames.Validate(name);
        string path = name + suffix;
        if (!_files.Contains(path))
        {
            ThrowMissing(name, kind);
        }

        return _files.Open(path).AsStream();
    }

    private TensorInfo Find(string name)
    {
        CheckpointEntryNames.Validate(name);
        if (!_tensors.TryGetValue(name, out TensorInfo? tensor))
        {
            ThrowMissing(name, "tensor");
        }

        return tensor;
    }

    private void Read(string name, TensorType type, Span<byte> target, int count, ReadOnlySpan<long> shape)
    {
        TensorInfo tensor = Find(name);
        if (tensor.Type != type)
        {
            throw new CheckpointEntryException(name, $"holds {tensor.Type} numbers, but {type} is read.");
        }

        if (tensor.Length != target.Length)
        {
            throw new CheckpointEntryException(
                name,
                $"holds {tensor.Length / TensorInfo.SizeOf(type)} values {TensorInfo.Format(tensor.Shape)}, "
                    + $"but {count} are read: was the model's size changed?"
            );
        }

        if (shape.Length > 0 && !shape.SequenceEqual(tensor.Shape))
        {
            throw new CheckpointEntryException(
                name,
                $"has the shape {TensorInfo.Format(tensor.Shape)}, but {TensorInfo.Format(shape)} is read: was the model's shape changed?"
            );
        }

        _tensorFile!.Read(target, _dataStart + tensor.Offset);
    }

    [DoesNotReturn]
    private void ThrowMissing(string name, string kind) =>
        throw new CheckpointEntryException(
            name,
            Contains(name)
                ? $"is no {kind}; it was written as another kind of entry."
                : $"is missing: the checkpoint has no {kind} of this name; it was written by another version of the trainer, "
                    + "or a part of it is gone."
        );
}
