using System.Buffers;
using System.Globalization;
using System.Text.Json;
using ActorTrainer.Core.Checkpoints;
using ActorTrainer.Training;

namespace ActorTrainer.Runtime.Api;

/// <summary>
/// A safetensors file that somebody sends, on its way into a folder. Its header is looked at before anything else is taken: how much
/// follows is known then, and no more is read.
/// </summary>
/// <param name="body">What is sent.</param>
/// <param name="folder">An empty folder.</param>
internal sealed class TensorArrival(Stream body, string folder)
{
    private const int BufferSize = 1 << 20;
    private const int HeaderStep = 1 << 20;

    /// <summary>What the header says.</summary>
    public SafetensorsHeader Header { get; private set; } = null!;

    /// <summary>The step that it was exported at; null: it does not say so.</summary>
    public long? Step =>
        Header.Metadata.TryGetValue(TensorMetadata.Step, out string? text)
        && long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long step)
            ? step
            : null;

    /// <summary>The epoch that it was exported at; 0: it does not say so.</summary>
    public double Epoch =>
        Header.Metadata.TryGetValue(TensorMetadata.Epoch, out string? text)
        && double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double epoch)
        && double.IsFinite(epoch)
            ? Math.Max(0, epoch)
            : 0;

    /// <summary>Takes it as it is, as a file of a command.</summary>
    /// <param name="name">The file's name.</param>
    /// <param name="length">How long it is said to be; null: not said.</param>
    /// <param name="cancellationToken">Gives it up.</param>
    /// <exception cref="ArrivalException">It is not a whole safetensors file, and no more.</exception>
    public async Task TakeAsFileAsync(string name, long? length, CancellationToken cancellationToken)
    {
        (byte[] prefix, byte[] header) = await ReadHeaderAsync(length, cancellationToken);
        await using FileStream file = Create(name);
        await file.WriteAsync(prefix, cancellationToken);
        await file.WriteAsync(header, cancellationToken);
        await CopyAsync(file, Header.DataLength, cancellationToken);
        await ShouldEndAsync(cancellationToken);
    }

    /// <summary>Takes it apart into the files of a C# trainer's state, as those of an export were.</summary>
    /// <param name="length">How long it is said to be; null: not said.</param>
    /// <param name="cancellationToken">Gives it up.</param>
    /// <exception cref="ArrivalException">It is not a whole safetensors file, and no more.</exception>
    public async Task TakeAsStateAsync(long? length, CancellationToken cancellationToken)
    {
        _ = await ReadHeaderAsync(length, cancellationToken);
        HashSet<string> bytes = ListOfBytes();
        Dictionary<string, string> json = Header
            .Metadata.Where(entry => entry.Key.StartsWith(TensorMetadata.JsonPrefix, StringComparison.Ordinal))
            .ToDictionary(entry => entry.Key[TensorMetadata.JsonPrefix.Length..], entry => entry.Value);
        Check(bytes, json);
        List<TensorEntry> tensors = [];
        long offset = 0;
        foreach (TensorEntry tensor in Header.Tensors.Where(tensor => !bytes.Contains(tensor.Name)))
        {
            tensors.Add(tensor with { Offset = offset });
            offset += tensor.Length;
        }

        foreach ((string name, string text) in json)
        {
            await using FileStream entry = Create(name + CheckpointEntryNames.JsonSuffix);
            await entry.WriteAsync(System.Text.Encoding.UTF8.GetBytes(text), cancellationToken);
        }

        await using FileStream state = Create(CheckpointEntryNames.TensorFile);
        await state.WriteAsync(SafetensorsHeader.Format(tensors, OtherMetadata()), cancellationToken);
        foreach (TensorEntry tensor in Header.Tensors)
        {
            if (!bytes.Contains(tensor.Name))
            {
                await CopyAsync(state, tensor.Length, cancellationToken);
                continue;
            }

            await using FileStream entry = Create(tensor.Name + CheckpointEntryNames.BytesSuffix);
            await CopyAsync(entry, tensor.Length, cancellationToken);
        }

        await ShouldEndAsync(cancellationToken);
    }

    /// <summary>What the file's writer says of it, and is not taken out of it.</summary>
    private IEnumerable<KeyValuePair<string, string>> OtherMetadata() =>
        Header.Metadata.Where(entry =>
            entry.Key != TensorMetadata.Bytes && !entry.Key.StartsWith(TensorMetadata.JsonPrefix, StringComparison.Ordinal)
        );

    private HashSet<string> ListOfBytes()
    {
        if (!Header.Metadata.TryGetValue(TensorMetadata.Bytes, out string? text))
        {
            return [];
        }

        try
        {
            List<string> names = JsonSerializer.Deserialize(text, Core.CoreJsonContext.Default.ListString) ?? [];
            return [.. names];
        }
        catch (JsonException e)
        {
            throw new ArrivalException($"'{TensorMetadata.Bytes}' in its metadata is no list of names: {e.Message}", e);
        }
    }

    /// <summary>Every entry can be a file beside the others, and is of its kind.</summary>
    private void Check(HashSet<string> bytes, Dictionary<string, string> json)
    {
        Dictionary<string, TensorEntry> tensors = Header.Tensors.ToDictionary(tensor => tensor.Name);
        if (bytes.FirstOrDefault(name => !tensors.TryGetValue(name, out TensorEntry? tensor) || tensor.Kind != TensorKind.U8) is { } other)
        {
            throw new ArrivalException($"'{other}' is to be an entry of bytes by its metadata, and is no tensor of U8");
        }

        if (bytes.Concat(json.Keys).FirstOrDefault(name => !CheckpointEntryNames.IsValid(name)) is { } bad)
        {
            throw new ArrivalException($"'{bad}' in its metadata is no name of an entry");
        }

        foreach ((string name, string text) in json)
        {
            try
            {
                using JsonDocument document = JsonDocument.Parse(text);
            }
            catch (JsonException e)
            {
                throw new ArrivalException($"'{TensorMetadata.JsonPrefix}{name}' in its metadata is no JSON: {e.Message}", e);
            }
        }

        ArrivalPaths paths = new();
        paths.Add(CheckpointEntryNames.TensorFile);
        foreach (string name in bytes)
        {
            paths.Add(name + CheckpointEntryNames.BytesSuffix);
        }

        foreach (string name in json.Keys)
        {
            paths.Add(name + CheckpointEntryNames.JsonSuffix);
        }

        paths.Check();
    }

    private async Task<(byte[] Prefix, byte[] Header)> ReadHeaderAsync(long? length, CancellationToken cancellationToken)
    {
        byte[] prefix = await ReadAsync(SafetensorsHeader.PrefixBytes, cancellationToken);
        try
        {
            int headerLength = SafetensorsHeader.LengthOf(prefix, length);
            byte[] header = await ReadAsync(headerLength, cancellationToken);
            if (header.Length < headerLength)
            {
                throw new ArrivalException($"it ends in its header, after {header.Length} of {headerLength} bytes");
            }

            Header = SafetensorsHeader.Parse(header, length - prefix.Length - headerLength);
            return (prefix, header);
        }
        catch (SafetensorsException e)
        {
            throw new ArrivalException(e.Message.TrimEnd('.'), e);
        }
    }

    /// <summary>Reads so many bytes, or what there is. Memory is taken as they come, and not as they are announced.</summary>
    private async Task<byte[]> ReadAsync(int count, CancellationToken cancellationToken)
    {
        byte[] bytes = new byte[Math.Min(count, HeaderStep)];
        int filled = 0;
        while (true)
        {
            int read = await body.ReadAtLeastAsync(bytes.AsMemory(filled), bytes.Length - filled, false, cancellationToken);
            filled += read;
            if (filled < bytes.Length || filled == count)
            {
                return filled == bytes.Length ? bytes : bytes[..filled];
            }

            Array.Resize(ref bytes, (int)Math.Min(count, 2L * bytes.Length));
        }
    }

    private async Task CopyAsync(FileStream target, long count, CancellationToken cancellationToken)
    {
        byte[] buffer = ArrayPool<byte>.Shared.Rent((int)Math.Clamp(count, 1, BufferSize));
        try
        {
            for (long left = count; left > 0; )
            {
                int read = await body.ReadAsync(buffer.AsMemory(0, (int)Math.Min(buffer.Length, left)), cancellationToken);
                if (read == 0)
                {
                    throw new ArrivalException($"it ends {left} bytes before the end that its header says: it was cut short");
                }

                await target.WriteAsync(buffer.AsMemory(0, read), cancellationToken);
                left -= read;
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private async Task ShouldEndAsync(CancellationToken cancellationToken)
    {
        if (await body.ReadAsync(new byte[1], cancellationToken) > 0)
        {
            throw new ArrivalException("more bytes follow than its header says: they belong to no tensor");
        }
    }

    private FileStream Create(string path)
    {
        string full = Path.Combine(folder, path);
        _ = Directory.CreateDirectory(Path.GetDirectoryName(full)!);
        return new FileStream(full, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 0, useAsync: true);
    }
}

/// <summary>What somebody sends cannot be a checkpoint; the message says why, and ends without a full stop.</summary>
/// <param name="problem">What is wrong with it.</param>
/// <param name="inner">The cause, or null.</param>
internal sealed class ArrivalException(string problem, Exception? inner = null) : Exception(problem, inner);

/// <summary>Paths of files that arrive: each stands once, and none is the folder of another.</summary>
internal sealed class ArrivalPaths
{
    private const int MaxFiles = 100_000;

    private readonly HashSet<string> _paths = new(StringComparer.Ordinal);

    /// <summary>How many there are.</summary>
    public int Count => _paths.Count;

    /// <summary>Whether there is this one.</summary>
    public bool Contains(string path) => _paths.Contains(path);

    /// <exception cref="ArrivalException">It cannot be one, is there already, or they are too many.</exception>
    public void Add(string path)
    {
        if (!EntryPath.IsSafe(path))
        {
            throw new ArrivalException($"'{path}' is no path below a folder");
        }

        if (!_paths.Add(path))
        {
            throw new ArrivalException($"'{path}' is in it twice");
        }

        if (_paths.Count > MaxFiles)
        {
            throw new ArrivalException($"it has more than {MaxFiles} files");
        }

        ShouldBeNoFolder(path);
    }

    /// <summary>Looks at all of them once they are known: a file may have come after one that stands behind it.</summary>
    /// <exception cref="ArrivalException">One is the folder of another.</exception>
    public void Check()
    {
        foreach (string path in _paths)
        {
            ShouldBeNoFolder(path);
        }
    }

    private void ShouldBeNoFolder(string path)
    {
        for (int slash = path.IndexOf('/'); slash > 0; slash = path.IndexOf('/', slash + 1))
        {
            if (_paths.Contains(path[..slash]))
            {
                throw new ArrivalException($"'{path}' stands behind '{path[..slash]}', which is a file or link");
            }
        }
    }
}
