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
public sealed partial class CheckpointWriter : IDisposable
{
    private readonly StateTarget _target;
    private readonly HashSet<string> _names = new(StringComparer.OrdinalIgnoreCase);
    private SafetensorsWriter? _tensors;
    private bool _completed;

    /// <summary>Writes below a folder, which is made when it is missing. <see cref="Complete"/> ends it.</summary>
    public CheckpointWriter(string directory)
        : this(new FolderTarget(directory)) { }

    internal CheckpointWriter(StateTarget target) => _target = target;

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
