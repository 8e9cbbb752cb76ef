using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using ActorTrainer.Core.Checkpoints;
using ActorTrainer.Training.Storage;

namespace ActorTrainer.Training;

/// <summary>
/// Reads the entries of a checkpoint that <see cref="CheckpointWriter"/> wrote, by name. What does not fit is an error that names the
/// entry: a state that is only half taken over would train on to other results without anyone seeing it.
/// </summary>
public sealed partial class CheckpointReader : IDisposable
{
    private readonly StateFiles _files;
    private readonly StateContent? _tensorFile;
    private readonly SortedDictionary<string, TensorEntry> _tensors = new(StringComparer.Ordinal);
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
        if (_tensors.ContainsKey(name))
        {
            // Another program's tensors may have names that are none of an entry here.
            return true;
        }

        CheckpointEntryNames.Validate(name);
        return _files.Contains(name + CheckpointEntryNames.JsonSuffix) || _files.Contains(name + CheckpointEntryNames.BytesSuffix);
    }

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
