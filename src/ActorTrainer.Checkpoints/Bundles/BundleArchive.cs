using System.Buffers;
using System.Formats.Tar;
using System.IO.Compression;
using System.Security.Cryptography;
using ActorTrainer.Core.Checkpoints;
using ActorTrainer.Core.Tasks;

namespace ActorTrainer.Checkpoints.Bundles;

/// <summary>How much of a stranger's archive is read.</summary>
/// <param name="Bytes">Of all files together, unpacked.</param>
/// <param name="Files">Files and links.</param>
internal readonly record struct BundleLimits(long Bytes, int Files)
{
    public static readonly BundleLimits Default = new(BundleSpec.MaxBytes, BundleSpec.MaxFiles);

    /// <summary>Headers and padding: two blocks of a file, four of one with a long name.</summary>
    public long UnpackedBytes => Bytes + (Files * 8192L) + 65536;

    /// <summary>What does not shrink grows a little.</summary>
    public long PackedBytes => UnpackedBytes + (UnpackedBytes / 1000);
}

/// <summary>A bundle as one file: a gzipped tar in pax form with files and symbolic links in the order of the bundle's hash.</summary>
internal static class BundleArchive
{
    private const int BufferSize = 128 * 1024;
    private const UnixFileMode Readable = (UnixFileMode)0b110_100_100;
    private const UnixFileMode Executable = (UnixFileMode)0b111_101_101;

    /// <exception cref="BundleException">A file is not there any more.</exception>
    /// <exception cref="IOException">The target cannot be written.</exception>
    public static async Task WriteAsync(string root, IReadOnlyList<BundleEntry> entries, Stream target, CancellationToken cancellationToken)
    {
        await using GZipStream packed = new(target, CompressionLevel.Optimal, leaveOpen: true);
        await using TarWriter tar = new(packed, TarEntryFormat.Pax, leaveOpen: true);
        foreach (BundleEntry entry in entries)
        {
            PaxTarEntry written = new(entry.Link is null ? TarEntryType.RegularFile : TarEntryType.SymbolicLink, entry.Path)
            {
                Mode = entry.Executable ? Executable : Readable,
                ModificationTime = DateTimeOffset.UnixEpoch,
            };
            if (entry.Link is { } link)
            {
                written.LinkName = link;
                await tar.WriteEntryAsync(written, cancellationToken);
                continue;
            }

            await using FileStream file = Open(Path.Combine(root, entry.Path));
            written.DataStream = file;
            await tar.WriteEntryAsync(written, cancellationToken);
        }
    }

    private static FileStream Open(string path)
    {
        try
        {
            return new FileStream(
                path,
                FileMode.Open,
                FileAccess.Read,
                FileShare.ReadWrite | FileShare.Delete,
                BufferSize,
                FileOptions.SequentialScan | FileOptions.Asynchronous
            );
        }
        catch (Exception e) when (StoreErrors.IsFromSystem(e))
        {
            throw new BundleException($"'{path}' cannot be read any more: {e.Message.TrimEnd('.')}. Submit the task once more.", e);
        }
    }

    /// <summary>Reads an archive that anybody may have written, and writes its files below a folder when one is given.</summary>
    /// <param name="packed">The archive.</param>
    /// <param name="folder">An empty folder, or null: only looked at.</param>
    /// <param name="limits">How much of it.</param>
    /// <param name="cancellationToken">Ends it early.</param>
    /// <returns>What the archive is.</returns>
    /// <exception cref="BundleException">It is damaged, or holds what no bundle does.</exception>
    /// <exception cref="IOException">It cannot be read, or a file not be written.</exception>
    public static async Task<BundleSpec> ReadAsync(Stream packed, string? folder, BundleLimits limits, CancellationToken cancellationToken)
    {
        byte[] buffer = ArrayPool<byte>.Shared.Rent(BufferSize);
        try
        {
            await using GZipStream plain = new(packed, CompressionMode.Decompress, leaveOpen: true);
            await using TarGuard guarded = new(plain, limits.UnpackedBytes);
            await using TarReader tar = new(guarded, leaveOpen: true);
            using BundleHash hash = new();
            BundleCheck check = new(limits);
            while (await tar.GetNextEntryAsync(copyData: false, cancellationToken) is { } entry)
            {
                check.Next(entry);
                hash.Add(await ReadEntryAsync(entry, folder, check, buffer, cancellationToken));
            }

            return new BundleSpec(hash.Finish(), check.Bytes, check.Files);
        }
        catch (Exception e)
            when (e is InvalidDataException or EndOfStreamException or FormatException or ArgumentException or OverflowException)
        {
            throw new BundleException($"The archive is damaged: {e.Message.TrimEnd('.')}.", e);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static async Task<BundleEntry> ReadEntryAsync(
        TarEntry entry,
        string? folder,
        BundleCheck check,
        byte[] buffer,
        CancellationToken cancellationToken
    )
    {
        string? path = folder is null ? null : Path.Combine(folder, entry.Name);
        if (path is not null)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        }

        if (entry.EntryType == TarEntryType.SymbolicLink)
        {
            if (path is not null)
            {
                File.CreateSymbolicLink(path, entry.LinkName);
            }

            return new BundleEntry(entry.Name, entry.LinkName, false, "");
        }

        bool executable = (entry.Mode & UnixFileMode.UserExecute) != 0;
        await using FileStream? file = path is null ? null : Create(path, executable);
        using IncrementalHash content = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        int read;
        while (entry.DataStream is { } data && (read = await data.ReadAsync(buffer, cancellationToken)) > 0)
        {
            check.Add(read);
            content.AppendData(buffer, 0, read);
            if (file is not null)
            {
                await file.WriteAsync(buffer.AsMemory(0, read), cancellationToken);
            }
        }

        return new BundleEntry(entry.Name, null, executable, Convert.ToHexStringLower(content.GetHashAndReset()));
    }

    private static FileStream Create(string path, bool executable)
    {
        FileStreamOptions options = new()
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.Write,
            BufferSize = 0,
        };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = executable ? Executable : Readable;
        }

        return new FileStream(path, options);
    }

    /// <summary>What an archive may hold: each path once, in order, none behind a file or link, no link out.</summary>
    private sealed class BundleCheck(BundleLimits limits)
    {
        private readonly HashSet<string> _paths = new(StringComparer.Ordinal);
        private string _last = "";

        public long Bytes { get; private set; }

        public int Files => _paths.Count;

        public void Add(int bytes)
        {
            Bytes += bytes;
            if (Bytes > limits.Bytes)
            {
                throw TarGuard.TooLarge(limits.Bytes);
            }
        }

        public void Next(TarEntry entry)
        {
            string path = entry.Name;
            if (entry.EntryType is not (TarEntryType.RegularFile or TarEntryType.V7RegularFile or TarEntryType.SymbolicLink))
            {
                throw Refused(path, $"is a {entry.EntryType}; a bundle holds files and symbolic links");
            }

            if (!EntryPath.IsSafe(path))
            {
                throw Refused(path, "is no path below a folder");
            }

            if (_paths.Count > 0 && PathOrder.Instance.Compare(_last, path) >= 0)
            {
                throw Refused(path, $"comes after '{_last}'; a bundle has each path once, sorted");
            }

            for (int slash = path.IndexOf('/'); slash > 0; slash = path.IndexOf('/', slash + 1))
            {
                if (_paths.Contains(path[..slash]))
                {
                    throw Refused(path, $"stands behind '{path[..slash]}', which is a file or link");
                }
            }

            if (entry.EntryType == TarEntryType.SymbolicLink && !EntryPath.LeadsInside(path, entry.LinkName))
            {
                throw Refused(path, $"is a link to '{entry.LinkName}', out of the bundle");
            }

            _ = _paths.Add(path);
            _last = path;
            if (_paths.Count > limits.Files)
            {
                throw new BundleException(FormattableString.Invariant($"The archive has more than {limits.Files} files."))
                {
                    TooLarge = true,
                };
            }
        }

        private static BundleException Refused(string path, string why) => new($"The archive's entry '{path}' {why}.");
    }
}
