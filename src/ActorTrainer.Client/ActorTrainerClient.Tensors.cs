using System.Buffers;
using System.Globalization;
using System.Net.Http.Headers;
using ActorTrainer.Core.Checkpoints;
using ActorTrainer.Core.Tasks;

namespace ActorTrainer.Client;

/// <content>Checkpoints as safetensors files, and from outside.</content>
public sealed partial class ActorTrainerClient
{
    private const int TensorBufferSize = 1 << 20;
    private const string ArchiveType = "application/x-tar";

    /// <summary>
    /// Writes the state of a C# trainer as one safetensors file, with what it knows beside its tensors as metadata. The file appears whole
    /// or not at all.
    /// </summary>
    /// <param name="task">The task's name or id.</param>
    /// <param name="checkpoint">The checkpoint's name.</param>
    /// <param name="file">The file, which is not there yet; its folder is made when it is missing.</param>
    /// <param name="progress">Told how many bytes are written.</param>
    /// <param name="cancellationToken">Gives it up.</param>
    /// <returns>What was written.</returns>
    /// <exception cref="IOException">The file is there, could not be written, or not all of it came.</exception>
    /// <exception cref="ActorTrainerApiException">Among others: the checkpoint is not one of tensors.</exception>
    public async Task<ExportedTensors> ExportTensorsAsync(
        string task,
        string checkpoint,
        string file,
        IProgress<long>? progress = null,
        CancellationToken cancellationToken = default
    )
    {
        ArgumentException.ThrowIfNullOrEmpty(file);
        string full = Path.GetFullPath(file);
        if (Path.Exists(full))
        {
            throw new IOException($"{file} is there already; name another file");
        }

        using HttpResponseMessage response = await _caller.SendAsync(
            new Call(HttpMethod.Get, $"{CheckpointPath(task, checkpoint)}/safetensors", Timeout: CommandTimeout, Streamed: true),
            cancellationToken
        );
        _ = Directory.CreateDirectory(Path.GetDirectoryName(full)!);
        string part = Path.Combine(Path.GetDirectoryName(full)!, $".{Path.GetFileName(full)}.{Path.GetRandomFileName()}.part");
        try
        {
            await using Stream content = await response.Content.ReadAsStreamAsync(cancellationToken);
            await using (FileStream target = new(part, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 0, useAsync: true))
            {
                await CopyAsync(content, target, progress, cancellationToken);
            }

            (SafetensorsHeader header, long bytes) = ReadHeader(part);
            File.Move(part, full);
            return new ExportedTensors(checkpoint, full, bytes, header.Tensors.Count);
        }
        catch (Exception e) when (e is EndOfStreamException or SafetensorsException)
        {
            throw new IOException(
                $"not all of checkpoint {checkpoint} came, and nothing of it was left ({e.Message}); "
                    + $"'actortrainer checkpoints verify {task} {checkpoint}' tells whether it is damaged",
                e
            );
        }
        finally
        {
            File.Delete(part);
        }
    }

    /// <summary>
    /// Makes a checkpoint of a task from a safetensors file; the next start of the task begins from it. Not while the task runs.
    /// </summary>
    /// <param name="task">The task's name or id.</param>
    /// <param name="file">The file.</param>
    /// <param name="step">The step that it is of; null: what it says itself, as an exported one does, else 0.</param>
    /// <param name="progress">Told how many bytes are sent.</param>
    /// <param name="cancellationToken">Gives it up.</param>
    /// <exception cref="IOException">The file cannot be read, or is no safetensors file.</exception>
    public Task<CommandAccepted> ImportTensorsAsync(
        string task,
        string file,
        long? step = null,
        IProgress<long>? progress = null,
        CancellationToken cancellationToken = default
    )
    {
        ArgumentException.ThrowIfNullOrEmpty(file);
        long bytes;
        try
        {
            // What is wrong is said without sending it.
            (_, bytes) = ReadHeader(file);
        }
        catch (SafetensorsException e)
        {
            throw new IOException($"{file} cannot be imported: {e.Message.TrimEnd('.')}", e);
        }

        return ImportAsync(
            task,
            step,
            $"&name={Uri.EscapeDataString(Path.GetFileName(file))}",
            () => new WrittenContent((target, cancellation) => SendAsync(file, target, progress, cancellation), bytes),
            cancellationToken
        );
    }

    /// <summary>
    /// Makes a checkpoint of a task from files, such as those of an exported one; the next start of the task begins from it. Not while the
    /// task runs.
    /// </summary>
    /// <param name="task">The task's name or id.</param>
    /// <param name="write">Writes a tar archive of them; called once more when another node has to be asked.</param>
    /// <param name="step">The step that they are of, or the save of a command.</param>
    /// <param name="cancellationToken">Gives it up.</param>
    public Task<CommandAccepted> ImportFilesAsync(
        string task,
        Func<Stream, CancellationToken, Task> write,
        long step = 0,
        CancellationToken cancellationToken = default
    )
    {
        ArgumentNullException.ThrowIfNull(write);
        return ImportAsync(
            task,
            step,
            "",
            () =>
            {
                WrittenContent content = new(write);
                content.Headers.ContentType = new MediaTypeHeaderValue(ArchiveType);
                return content;
            },
            cancellationToken
        );
    }

    private async Task<CommandAccepted> ImportAsync(
        string task,
        long? step,
        string query,
        Func<HttpContent> content,
        CancellationToken cancellationToken
    )
    {
        string path = string.Create(
            CultureInfo.InvariantCulture,
            $"/v1/checkpoints/{Uri.EscapeDataString(task)}/import?step={step}{query}"
        );
        CommandReply reply = await _caller.CallAsync(
            new Call(HttpMethod.Post, path, Repeatable: false, Timeout: LongTimeout) { Content = content },
            ApiJson.Default.CommandReply,
            cancellationToken
        );
        return reply as CommandAccepted ?? throw new ActorTrainerApiException(502, "the node answered a command with something else", "");
    }

    private static (SafetensorsHeader Header, long Bytes) ReadHeader(string file)
    {
        using FileStream source = new(file, FileMode.Open, FileAccess.Read, FileShare.Read);
        byte[] prefix = new byte[Math.Min(source.Length, SafetensorsHeader.PrefixBytes)];
        source.ReadExactly(prefix);
        byte[] header = new byte[SafetensorsHeader.LengthOf(prefix, source.Length)];
        source.ReadExactly(header);
        return (SafetensorsHeader.Parse(header, source.Length - prefix.Length - header.Length), source.Length);
    }

    private static async Task SendAsync(string file, Stream target, IProgress<long>? progress, CancellationToken cancellationToken)
    {
        await using FileStream source = new(file, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0, useAsync: true);
        await CopyAsync(source, target, progress, cancellationToken);
    }

    private static async Task CopyAsync(Stream source, Stream target, IProgress<long>? progress, CancellationToken cancellationToken)
    {
        byte[] buffer = ArrayPool<byte>.Shared.Rent(TensorBufferSize);
        try
        {
            long copied = 0;
            int read;
            while ((read = await ComeAsync(source.ReadAsync(buffer, cancellationToken))) > 0)
            {
                await target.WriteAsync(buffer.AsMemory(0, read), cancellationToken);
                copied += read;
                progress?.Report(copied);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>Tells a source that breaks off, as a node does at a damaged chunk, from a target that fails.</summary>
    private static async Task<int> ComeAsync(ValueTask<int> read)
    {
        try
        {
            return await read;
        }
        catch (Exception e) when (e is IOException or HttpRequestException)
        {
            throw new EndOfStreamException("it was broken off", e);
        }
    }
}
