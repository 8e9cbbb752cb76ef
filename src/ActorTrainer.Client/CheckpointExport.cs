using System.Formats.Tar;
using ActorTrainer.Core.Checkpoints;
using ActorTrainer.Core.Queries;

namespace ActorTrainer.Client;

/// <summary>
/// Writes a checkpoint's files, as a node sends them, into a folder that is new or empty. What was written is taken away again when not all
/// of it comes.
/// </summary>
internal sealed class CheckpointExport(IReadOnlyList<CheckpointFile> files, string directory, IProgress<long>? progress)
{
    private const int BufferSize = 1 << 20;

    private readonly string _directory = Path.TrimEndingDirectorySeparator(Path.GetFullPath(directory));
    private readonly List<string> _folders = [];
    private readonly List<string> _written = [];
    private long _bytes;

    /// <exception cref="IOException">There is something already.</exception>
    public static void RequireRoom(string directory)
    {
        if (File.Exists(directory))
        {
            throw new IOException($"{directory} is a file; name a folder that is new or empty");
        }

        if (Directory.Exists(directory) && Directory.EnumerateFileSystemEntries(directory).Any())
        {
            throw new IOException($"{directory} is not empty; name a folder that is new or empty");
        }
    }

    /// <summary>Writes what the archive holds; it has to be what the list says.</summary>
    /// <exception cref="IOException">It could not be written.</exception>
    /// <exception cref="EndOfStreamException">The archive ends too early.</exception>
    /// <exception cref="InvalidDataException">The archive is another one.</exception>
    public async Task WriteAsync(Stream archive, CancellationToken cancellationToken)
    {
        RequireRoom(_directory);
        RequireInside();
        bool done = false;
        try
        {
            MakeFolder(_directory);
            await WriteFilesAsync(archive, cancellationToken);

            // Last, so that nothing is written through one.
            foreach (CheckpointFile link in files.Where(file => file.Link is not null))
            {
                string path = PathOf(link);
                File.CreateSymbolicLink(path, link.Link!);
                _written.Add(path);
            }

            done = true;
        }
        finally
        {
            if (!done)
            {
                RemoveWritten();
            }
        }
    }

    private void RequireInside()
    {
        CheckpointFile? outside = files.FirstOrDefault(file =>
            !EntryPath.IsSafe(file.Path) || (file.Link is { } link && !EntryPath.LeadsInside(file.Path, link))
        );
        if (outside is not null)
        {
            throw new InvalidDataException($"'{outside.Path}' would lead out of the folder; nothing was written");
        }
    }

    private async Task WriteFilesAsync(Stream archive, CancellationToken cancellationToken)
    {
        Dictionary<string, CheckpointFile> missing = files.Where(file => file.Link is null).ToDictionary(file => file.Path);
        await using TarReader tar = new(archive, leaveOpen: true);
        while (await ComeAsync(tar.GetNextEntryAsync(copyData: false, cancellationToken)) is { } entry)
        {
            if (entry.EntryType == TarEntryType.SymbolicLink)
            {
                continue;
            }

            if (!missing.Remove(entry.Name, out CheckpointFile? file) || entry.Length != file.Length)
            {
                throw new InvalidDataException($"the archive has '{entry.Name}' with {entry.Length} bytes, which is not in the list");
            }

            await WriteFileAsync(file, entry.DataStream ?? Stream.Null, cancellationToken);
        }

        if (missing.Count > 0)
        {
            throw new EndOfStreamException($"'{missing.Keys.First()}' is missing in the archive");
        }
    }

    private async Task WriteFileAsync(CheckpointFile file, Stream content, CancellationToken cancellationToken)
    {
        string path = PathOf(file);
        await using FileStream target = new(path, FileMode.CreateNew, FileAccess.Write, FileShare.Read, bufferSize: 0, useAsync: true);
        _written.Add(path);
        byte[] buffer = new byte[(int)Math.Min(BufferSize, Math.Max(1, file.Length))];
        int read;
        while ((read = await ComeAsync(content.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, cancellationToken))) > 0)
        {
            await target.WriteAsync(buffer.AsMemory(0, read), cancellationToken);
            _bytes += read;
            progress?.Report(_bytes);
        }

        if (target.Length != file.Length)
        {
            throw new EndOfStreamException($"'{file.Path}' ends after {target.Length} of {file.Length} bytes");
        }

        if (file.Modified is { } modified)
        {
            File.SetLastWriteTimeUtc(target.SafeFileHandle, modified.UtcDateTime);
        }

        if (!OperatingSystem.IsWindows() && EntryMode.TryParse(file.Mode, out int mode))
        {
            File.SetUnixFileMode(target.SafeFileHandle, (UnixFileMode)mode);
        }
    }

    /// <summary>Tells a node that breaks off, which it does at a damaged chunk, from a disk that fails here.</summary>
    private static async Task<T> ComeAsync<T>(ValueTask<T> read)
    {
        try
        {
            return await read;
        }
        catch (IOException e)
        {
            throw new EndOfStreamException("the node broke off", e);
        }
    }

    private string PathOf(CheckpointFile file)
    {
        string path = Path.Combine(_directory, file.Path);
        MakeFolder(Path.GetDirectoryName(path)!);
        return path;
    }

    private void MakeFolder(string folder)
    {
        if (!Directory.Exists(folder))
        {
            MakeFolder(Path.GetDirectoryName(folder)!);
            Directory.CreateDirectory(folder);
            _folders.Add(folder);
        }
    }

    private void RemoveWritten()
    {
        try
        {
            _written.ForEach(File.Delete);
            foreach (string folder in Enumerable.Reverse(_folders))
            {
                Directory.Delete(folder);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // What brought us here is told; it says that the folder is not whole.
        }
    }
}
