using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using ActorTrainer.Checkpoints;
using ActorTrainer.Core.Checkpoints;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Queries;
using ActorTrainer.Core.Tasks;
using ActorTrainer.Runtime.Workers.Files;
using ActorTrainer.Training;

namespace ActorTrainer.Runtime.Api;

/// <summary>
/// A C# trainer's state as one safetensors file. Its tensors are put in order of the size of their numbers, so that each stands at a
/// multiple of it: torch does not look at bytes as numbers anywhere else. Entries of bytes are tensors of U8 behind them, JSON is metadata.
/// </summary>
internal sealed class TensorExport
{
    private const int BufferSize = 1 << 20;

    /// <summary>JSON of entries is a part of the header, which readers take into memory whole.</summary>
    private const long MaxJsonBytes = 16 << 20;

    private readonly ICheckpointContent _content;
    private readonly List<(int File, long From, TensorEntry Tensor)> _parts = [];
    private readonly SortedDictionary<string, string> _metadata = new(StringComparer.Ordinal);
    private byte[] _header = [];

    private TensorExport(ICheckpointContent content) => _content = content;

    /// <summary>The file's length.</summary>
    public long Length => _header.Length + _parts.Sum(part => part.Tensor.Length);

    /// <summary>Looks at a checkpoint.</summary>
    /// <exception cref="SafetensorsException">It is not one of tensors; says why.</exception>
    /// <exception cref="CheckpointDamagedException">It cannot be read back.</exception>
    public static async Task<TensorExport> PlanAsync(
        TaskId task,
        CheckpointRef checkpoint,
        ICheckpointContent content,
        CancellationToken cancellationToken
    )
    {
        TensorExport export = new(content);
        export._metadata[TensorMetadata.Layout] = TensorMetadata.RowByRow;
        export._metadata[TensorMetadata.Task] = task.Value;
        export._metadata[TensorMetadata.Checkpoint] = checkpoint.Name;
        export._metadata[TensorMetadata.Step] = checkpoint.Step.ToString(CultureInfo.InvariantCulture);
        export._metadata[TensorMetadata.Epoch] = checkpoint.Epoch.ToString("R", CultureInfo.InvariantCulture);
        await export.LookAsync(cancellationToken);
        return export;
    }

    /// <summary>
    /// Writes the file. Nothing is written before its first part was read: what is wrong with a small one is told as it is.
    /// </summary>
    public async Task WriteAsync(Stream target, CancellationToken cancellationToken)
    {
        bool begun = false;
        byte[] buffer = ArrayPool<byte>.Shared.Rent(BufferSize);
        int open = -1;
        Stream? source = null;
        try
        {
            foreach ((int file, long from, TensorEntry tensor) in _parts.Where(part => part.Tensor.Length > 0))
            {
                if (file != open)
                {
                    source?.Dispose();
                    source = _content.OpenFile(file);
                    open = file;
                }

                source!.Position = from;
                for (long left = tensor.Length; left > 0; )
                {
                    Memory<byte> part = buffer.AsMemory(0, (int)Math.Min(buffer.Length, left));
                    await source.ReadExactlyAsync(part, cancellationToken);
                    if (!begun)
                    {
                        await target.WriteAsync(_header, cancellationToken);
                        begun = true;
                    }

                    await target.WriteAsync(part, cancellationToken);
                    left -= part.Length;
                }
            }

            if (!begun)
            {
                await target.WriteAsync(_header, cancellationToken);
            }
        }
        finally
        {
            source?.Dispose();
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private async Task LookAsync(CancellationToken cancellationToken)
    {
        List<string> bytes = [];
        List<(int File, long From, TensorEntry Tensor)> tensors = [];
        long json = 0;
        for (int i = 0; i < _content.Files.Count; i++)
        {
            CheckpointFile file = _content.Files[i];
            if (file.Path == FolderCapture.OrderFile)
            {
                continue;
            }

            if (file.Link is not null || Entry(file.Path) is not { } entry)
            {
                throw new SafetensorsException(
                    $"the checkpoint is not made of tensors: '{file.Path}' is no file of a C# trainer's state "
                        + $"({CheckpointEntryNames.TensorFile}, NAME.json, NAME.bin)"
                );
            }

            if (file.Path == CheckpointEntryNames.TensorFile)
            {
                tensors = await ReadTensorsAsync(i, cancellationToken);
            }
            else if (file.Path.EndsWith(CheckpointEntryNames.JsonSuffix, StringComparison.Ordinal))
            {
                json += file.Length;
                _metadata[TensorMetadata.JsonPrefix + entry] =
                    json <= MaxJsonBytes
                        ? await ReadTextAsync(i, cancellationToken)
                        : throw new SafetensorsException("the checkpoint has more than 16 MiB of JSON, for which a header has no room");
            }
            else
            {
                bytes.Add(entry);
                _parts.Add((i, 0, new TensorEntry(entry, TensorKind.U8, [file.Length], 0, file.Length)));
            }
        }

        if (!_content.Files.Any(file => file.Path == CheckpointEntryNames.TensorFile))
        {
            throw new SafetensorsException($"the checkpoint has no tensors: there is no {CheckpointEntryNames.TensorFile} in it");
        }

        Arrange(tensors, bytes);
    }

    private void Arrange(List<(int File, long From, TensorEntry Tensor)> tensors, List<string> bytes)
    {
        if (bytes.Intersect(tensors.Select(part => part.Tensor.Name), StringComparer.Ordinal).FirstOrDefault() is { } twice)
        {
            throw new SafetensorsException($"the checkpoint has a tensor and an entry of bytes of the name '{twice}'");
        }

        if (bytes.Count > 0)
        {
            _metadata[TensorMetadata.Bytes] = JsonSerializer.Serialize(bytes, Core.CoreJsonContext.Default.ListString);
        }

        _parts.InsertRange(0, tensors.OrderByDescending(part => TensorKinds.SizeOf(part.Tensor.Kind)).ThenBy(part => part.From));
        long offset = 0;
        for (int i = 0; i < _parts.Count; i++)
        {
            _parts[i] = _parts[i] with { Tensor = _parts[i].Tensor with { Offset = offset } };
            offset += _parts[i].Tensor.Length;
        }

        _header = SafetensorsHeader.Format(_parts.Select(part => part.Tensor), _metadata);
    }

    /// <summary>The entry that a file is; null: it is none.</summary>
    private static string? Entry(string path)
    {
        if (path == CheckpointEntryNames.TensorFile)
        {
            return path;
        }

        string[] suffixes = [CheckpointEntryNames.JsonSuffix, CheckpointEntryNames.BytesSuffix];
        return
            suffixes.FirstOrDefault(suffix => path.EndsWith(suffix, StringComparison.Ordinal)) is { } suffix
            && CheckpointEntryNames.IsValid(path[..^suffix.Length])
            ? path[..^suffix.Length]
            : null;
    }

    private async Task<List<(int File, long From, TensorEntry Tensor)>> ReadTensorsAsync(int file, CancellationToken cancellationToken)
    {
        await using Stream stream = _content.OpenFile(file);
        byte[] prefix = new byte[Math.Min(stream.Length, SafetensorsHeader.PrefixBytes)];
        await stream.ReadExactlyAsync(prefix, cancellationToken);
        byte[] header = new byte[SafetensorsHeader.LengthOf(prefix, stream.Length)];
        await stream.ReadExactlyAsync(header, cancellationToken);
        long start = prefix.Length + header.Length;
        SafetensorsHeader read = SafetensorsHeader.Parse(header, stream.Length - start);
        return [.. read.Tensors.Select(tensor => (file, start + tensor.Offset, tensor))];
    }

    private async Task<string> ReadTextAsync(int file, CancellationToken cancellationToken)
    {
        await using Stream stream = _content.OpenFile(file);
        byte[] text = new byte[stream.Length];
        await stream.ReadExactlyAsync(text, cancellationToken);
        try
        {
            return new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(text);
        }
        catch (DecoderFallbackException e)
        {
            throw new SafetensorsException($"'{_content.Files[file].Path}' is no text, and so no JSON of a C# trainer's state", e);
        }
    }
}
