using System.Formats.Tar;
using ActorTrainer.Checkpoints.Bundles;
using ActorTrainer.Core.Checkpoints;
using ActorTrainer.Training;

namespace ActorTrainer.Runtime.Api;

/// <summary>
/// A tar archive of a checkpoint's files that somebody sends, on its way into a folder. Links are made last, so that nothing is written
/// through one.
/// </summary>
/// <param name="body">What is sent.</param>
/// <param name="folder">An empty folder.</param>
internal sealed class ArchiveArrival(Stream body, string folder)
{
    private const int BufferSize = 1 << 20;
    private const UnixFileMode Permissions = (UnixFileMode)0b111_111_111;

    private readonly ArrivalPaths _paths = new();
    private readonly List<(string Path, string Target)> _links = [];

    /// <summary>Takes all of its files and links.</summary>
    /// <param name="isState">Whether it has to be a C# trainer's state.</param>
    /// <param name="cancellationToken">Gives it up.</param>
    /// <exception cref="ArrivalException">It is damaged, or holds what no checkpoint does.</exception>
    public async Task TakeAsync(bool isState, CancellationToken cancellationToken)
    {
        try
        {
            await using TarGuard guarded = new(body, long.MaxValue, large: true);
            await using TarReader tar = new(guarded, leaveOpen: true);
            while (await tar.GetNextEntryAsync(copyData: false, cancellationToken) is { } entry)
            {
                await TakeAsync(entry, cancellationToken);
            }
        }
        catch (BundleException e)
        {
            throw new ArrivalException(e.Message.TrimEnd('.'), e);
        }
        catch (Exception e)
            when (e is InvalidDataException or EndOfStreamException or FormatException or ArgumentException or OverflowException)
        {
            throw new ArrivalException($"the archive is damaged: {e.Message.TrimEnd('.')}", e);
        }

        _paths.Check();
        foreach ((string path, string target) in _links)
        {
            string full = Path.Combine(folder, path);
            _ = Directory.CreateDirectory(Path.GetDirectoryName(full)!);
            _ = File.CreateSymbolicLink(full, target);
        }

        if (_paths.Count == 0)
        {
            throw new ArrivalException("there are no files in it");
        }

        if (isState)
        {
            await ShouldBeStateAsync(cancellationToken);
        }
    }

    private async Task TakeAsync(TarEntry entry, CancellationToken cancellationToken)
    {
        // As 'tar c .' writes it.
        string path = entry.Name.StartsWith("./", StringComparison.Ordinal) ? entry.Name[2..] : entry.Name;
        switch (entry.EntryType)
        {
            case TarEntryType.Directory:
                break;
            case TarEntryType.RegularFile or TarEntryType.V7RegularFile:
                _paths.Add(path);
                await WriteAsync(path, entry, cancellationToken);
                break;
            case TarEntryType.SymbolicLink when EntryPath.LeadsInside(path, entry.LinkName):
                _paths.Add(path);
                _links.Add((path, entry.LinkName));
                break;
            case TarEntryType.SymbolicLink:
                throw new ArrivalException($"'{path}' is a link to '{entry.LinkName}', out of the folder");
            default:
                throw new ArrivalException($"'{path}' is a {entry.EntryType}; a checkpoint has files, and links among them");
        }
    }

    private async Task WriteAsync(string path, TarEntry entry, CancellationToken cancellationToken)
    {
        string full = Path.Combine(folder, path);
        _ = Directory.CreateDirectory(Path.GetDirectoryName(full)!);
        await using FileStream file = new(full, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 0, useAsync: true);
        if (entry.DataStream is { } data)
        {
            await data.CopyToAsync(file, BufferSize, cancellationToken);
        }

        if (file.Length != entry.Length)
        {
            throw new ArrivalException($"'{path}' ends after {file.Length} of {entry.Length} bytes");
        }

        File.SetLastWriteTimeUtc(file.SafeFileHandle, entry.ModificationTime.UtcDateTime);
        if (!OperatingSystem.IsWindows())
        {
            // Readable by the node in any case, which is to store it.
            File.SetUnixFileMode(file.SafeFileHandle, (entry.Mode & Permissions) | UnixFileMode.UserRead);
        }
    }

    private async Task ShouldBeStateAsync(CancellationToken cancellationToken)
    {
        string tensors = Path.Combine(folder, CheckpointEntryNames.TensorFile);
        if (!_paths.Contains(CheckpointEntryNames.TensorFile))
        {
            bool hasEntries = Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).Any(IsEntry);
            if (!hasEntries)
            {
                throw new ArrivalException(
                    $"there are none of the files of a C# trainer's state in it: {CheckpointEntryNames.TensorFile}, NAME.json, NAME.bin"
                );
            }

            return;
        }

        await using FileStream file = new(tensors, FileMode.Open, FileAccess.Read);
        byte[] prefix = new byte[Math.Min(file.Length, SafetensorsHeader.PrefixBytes)];
        await file.ReadExactlyAsync(prefix, cancellationToken);
        try
        {
            byte[] header = new byte[SafetensorsHeader.LengthOf(prefix, file.Length)];
            await file.ReadExactlyAsync(header, cancellationToken);
            _ = SafetensorsHeader.Parse(header, file.Length - prefix.Length - header.Length);
        }
        catch (SafetensorsException e)
        {
            throw new ArrivalException($"{CheckpointEntryNames.TensorFile}: {e.Message.TrimEnd('.')}", e);
        }
    }

    private static bool IsEntry(string path) =>
        path.EndsWith(CheckpointEntryNames.JsonSuffix, StringComparison.Ordinal)
        || path.EndsWith(CheckpointEntryNames.BytesSuffix, StringComparison.Ordinal);
}
