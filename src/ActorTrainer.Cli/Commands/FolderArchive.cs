using System.Formats.Tar;
using ActorTrainer.Checkpoints;
using ActorTrainer.Core.Checkpoints;

namespace ActorTrainer.Cli.Commands;

/// <summary>
/// The files and links below a folder as a tar archive. Bytes of names that are no UTF-8 stand as characters, as in the store.
/// </summary>
internal sealed class FolderArchive
{
    private readonly string _root;
    private readonly List<(string Path, FileStatus Status)> _files = [];

    /// <summary>Looks at a folder.</summary>
    /// <exception cref="CommandFailedException">It has no files, or something that no checkpoint has.</exception>
    public FolderArchive(string root)
    {
        _root = root;
        Collect(root, "");
        if (_files.Count == 0)
        {
            throw new CommandFailedException($"there are no files in {root}; name the folder that 'actortrainer checkpoints export' wrote");
        }

        _files.Sort((a, b) => string.CompareOrdinal(a.Path, b.Path));
    }

    /// <summary>Bytes of all files.</summary>
    public long Bytes => _files.Where(file => file.Status.Kind == FileKind.File).Sum(file => file.Status.Length);

    /// <summary>Writes the archive.</summary>
    /// <exception cref="IOException">A file cannot be read, or the target cannot be written.</exception>
    public async Task WriteAsync(Stream target, IProgress<long> progress, CancellationToken cancellationToken)
    {
        long written = 0;
        await using TarWriter tar = new(target, TarEntryFormat.Pax, leaveOpen: true);
        foreach ((string path, FileStatus status) in _files)
        {
            string full = Path.Combine(_root, path);
            bool isLink = status.Kind == FileKind.Link;
            PaxTarEntry entry = new(isLink ? TarEntryType.SymbolicLink : TarEntryType.RegularFile, path)
            {
                ModificationTime = status.Modified,
            };
            if (isLink)
            {
                entry.LinkName = NativeFiles.LinkTarget(full)!;
                await tar.WriteEntryAsync(entry, cancellationToken);
                continue;
            }

            await using FileStream file = NativeFiles.OpenRead(full);
            entry.Mode = EntryMode.TryParse(EntryMode.Format(status.Mode), out int mode) ? (UnixFileMode)mode : entry.Mode;
            entry.DataStream = file;
            await tar.WriteEntryAsync(entry, cancellationToken);
            written += status.Length;
            progress.Report(written);
        }
    }

    private void Collect(string folder, string prefix)
    {
        foreach (string name in NativeFiles.In(folder))
        {
            string path = prefix + name;
            string full = Path.Combine(folder, name);
            FileStatus status = FileStatus.ReadNative(full);
            switch (status.Kind)
            {
                case FileKind.Directory:
                    Collect(full, $"{path}/");
                    break;
                case FileKind.File:
                    _files.Add((path, status));
                    break;
                case FileKind.Link when NativeFiles.LinkTarget(full) is { } target && EntryPath.LeadsInside(path, target):
                    _files.Add((path, status));
                    break;
                default:
                    throw new CommandFailedException(
                        $"{NativeNames.Shown(full)} is no file, and no link to one below the folder: a checkpoint has nothing else"
                    );
            }
        }
    }
}
