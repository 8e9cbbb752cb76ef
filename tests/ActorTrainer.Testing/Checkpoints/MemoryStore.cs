using System.Security.Cryptography;
using ActorTrainer.Checkpoints;
using ActorTrainer.Checkpoints.Codecs;
using ActorTrainer.Core.Checkpoints;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Queries;
using ActorTrainer.Core.Tasks;

namespace ActorTrainer.Testing.Checkpoints;

/// <summary>
/// A checkpoint store in memory for simulations: every call is complete when it returns, nothing depends on time or threads, and files
/// can be damaged. Folders are read and written through two functions, so that a simulated disk can stand behind them.
/// </summary>
/// <param name="readFolder">Gives a folder's files by relative path; default: the real disk.</param>
/// <param name="writeFolder">Replaces a folder's files; default: the real disk.</param>
/// <param name="chunkSize">In bytes.</param>
public sealed class MemoryStore(
    Func<string, IReadOnlyDictionary<string, byte[]>>? readFolder = null,
    Action<string, IReadOnlyDictionary<string, byte[]>>? writeFolder = null,
    int chunkSize = 4096
) : ICheckpointStore
{
    private readonly Func<string, IReadOnlyDictionary<string, byte[]>> _readFolder = readFolder ?? DiskFolder.Read;
    private readonly Action<string, IReadOnlyDictionary<string, byte[]>> _writeFolder = writeFolder ?? DiskFolder.Write;
    private readonly Dictionary<TaskId, SortedDictionary<string, byte[]>> _tasks = [];
    private readonly Lock _lock = new();
    private Exception? _failure;

    /// <summary>Lets the next call fail with this.</summary>
    public void FailNext(Exception failure) => _failure = failure;

    /// <summary>Changes a file's bytes, or removes it (null).</summary>
    public void Damage(TaskId task, string file, Func<byte[], byte[]?> change)
    {
        lock (_lock)
        {
            SortedDictionary<string, byte[]> files = FilesOf(task);
            if (change([.. files[file]]) is { } bytes)
            {
                files[file] = bytes;
            }
            else
            {
                files.Remove(file);
            }
        }
    }

    /// <inheritdoc />
    public Task<CheckpointRef> SaveAsync(SaveRequest request, CancellationToken cancellationToken) =>
        Run(() => Save(request), cancellationToken);

    /// <inheritdoc />
    public Task RestoreAsync(TaskId task, CheckpointRef checkpoint, string targetDirectory, CancellationToken cancellationToken) =>
        Run(
            () =>
            {
                _writeFolder(targetDirectory, Load(task, checkpoint, out long bytes));
                return bytes;
            },
            cancellationToken
        );

    /// <inheritdoc />
    public Task<long> VerifyAsync(TaskId task, CheckpointRef checkpoint, CancellationToken cancellationToken) =>
        Run(
            () =>
            {
                Load(task, checkpoint, out long bytes);
                return bytes;
            },
            cancellationToken
        );

    /// <inheritdoc />
    public Task<ICheckpointContent> OpenAsync(TaskId task, CheckpointRef checkpoint, CancellationToken cancellationToken) =>
        Run<ICheckpointContent>(() => new Content(Load(task, checkpoint, out _)), cancellationToken);

    /// <inheritdoc />
    public Task<CheckpointRef> CopyAsync(
        TaskId from,
        CheckpointRef checkpoint,
        TaskId to,
        string name,
        CancellationToken cancellationToken
    ) => Run(() => Copy(from, checkpoint, to, name), cancellationToken);

    /// <inheritdoc />
    public Task<IReadOnlyList<string>> ListFilesAsync(TaskId task, CancellationToken cancellationToken) =>
        Run<IReadOnlyList<string>>(() => [.. FilesOf(task).Keys], cancellationToken);

    /// <inheritdoc />
    public Task<IReadOnlyDictionary<string, long>> MeasureAsync(
        TaskId task,
        IReadOnlyList<string> files,
        CancellationToken cancellationToken
    ) =>
        Run<IReadOnlyDictionary<string, long>>(
            () => FilesOf(task).Where(file => files.Contains(file.Key)).ToDictionary(file => file.Key, file => (long)file.Value.Length),
            cancellationToken
        );

    /// <inheritdoc />
    public Task UnlinkAsync(TaskId task, IReadOnlyList<string> files, CancellationToken cancellationToken) =>
        Run(
            () =>
            {
                foreach (string file in files)
                {
                    if (!CheckpointNames.TryParseFile(file, out _))
                    {
                        throw new CheckpointStoreException($"'{file}' is not the name of a checkpoint's file; nothing was done to it.");
                    }
                }

                return files.Count(FilesOf(task).Remove);
            },
            cancellationToken
        );

    private Task<T> Run<T>(Func<T> work, CancellationToken cancellationToken)
    {
        if (cancellationToken.IsCancellationRequested)
        {
            return Task.FromCanceled<T>(cancellationToken);
        }

        lock (_lock)
        {
            try
            {
                if (Interlocked.Exchange(ref _failure, null) is { } failure)
                {
                    throw failure;
                }

                return Task.FromResult(work());
            }
            catch (Exception e)
            {
                return Task.FromException<T>(e);
            }
        }
    }

    private SortedDictionary<string, byte[]> FilesOf(TaskId task)
    {
        if (!_tasks.TryGetValue(task, out SortedDictionary<string, byte[]>? files))
        {
            files = new SortedDictionary<string, byte[]>(StringComparer.Ordinal);
            _tasks.Add(task, files);
        }

        return files;
    }

    private CheckpointRef Save(SaveRequest request)
    {
        SortedDictionary<string, byte[]> files = FilesOf(request.Task);
        string manifestFile = CheckpointNames.ManifestFile(request.Name);
        if (!CheckpointNames.TryParse(request.Name, out long term) || term != request.Term || files.ContainsKey(manifestFile))
        {
            throw new CheckpointStoreException($"'{request.Name}' cannot name a new checkpoint of term {request.Term}.");
        }

        Dictionary<string, (string Pack, long Offset, int Stored)> known = KnownChunks(request, files);
        string packFile = CheckpointNames.PackFile(request.Name);
        MemoryStream pack = new();
        pack.Write(PackFormat.FileHeader);
        List<string> packs = [];
        List<ManifestEntry> entries = [];
        foreach ((string path, byte[] bytes) in Read(request.Source).OrderBy(file => file.Key, StringComparer.Ordinal))
        {
            List<ManifestChunk> chunks = [];
            foreach (byte[] chunk in bytes.Chunk(chunkSize))
            {
                byte[] sha256 = SHA256.HashData(chunk);
                string key = Convert.ToHexStringLower(sha256);
                if (!known.TryGetValue(key, out (string Pack, long Offset, int Stored) place))
                {
                    place = (packFile, pack.Length, chunk.Length);
                    known.Add(key, place);
                    byte[] header = new byte[PackFormat.RecordHeaderSize];
                    PackFormat.WriteRecordHeader(header, ChunkCodec.None, false, chunk.Length, chunk.Length, sha256);
                    pack.Write(header);
                    pack.Write(chunk);
                }

                if (!packs.Contains(place.Pack))
                {
                    packs.Add(place.Pack);
                }

                chunks.Add(new ManifestChunk(key, packs.IndexOf(place.Pack), place.Offset, place.Stored, "none"));
            }

            entries.Add(new ManifestEntry(path, bytes.Length, "644", chunks));
        }

        byte[] manifest = ManifestFormat.Write(ManifestOf(request, packs, entries));
        long stored = manifest.Length;
        if (pack.Length > PackFormat.FileHeaderSize)
        {
            files[packFile] = pack.ToArray();
            stored += pack.Length;
        }

        files[manifestFile] = manifest;
        StagedState state = request.State;
        return new CheckpointRef(
            request.Name,
            state.Step,
            state.Epoch,
            state.Reason,
            entries.Sum(entry => entry.Length),
            stored,
            packs,
            ManifestFormat.HashOf(manifest),
            state.Metrics
        )
        {
            Output = state.Output,
        };
    }

    private IReadOnlyDictionary<string, byte[]> Read(StateSource source)
    {
        if (source is FolderSource folder)
        {
            return _readFolder(folder.Directory);
        }

        Dictionary<string, byte[]> files = new(StringComparer.Ordinal);
        foreach (StateFile file in source.List())
        {
            byte[] bytes = new byte[file.Length];
            using IStateReader reader = file.Open();
            reader.Read(bytes, 0);
            files.Add(file.Path, bytes);
        }

        return files;
    }

    private CheckpointRef Copy(TaskId from, CheckpointRef checkpoint, TaskId to, string name)
    {
        if (!CheckpointNames.TryParse(name, out long term) || term != 0 || FilesOf(to).ContainsKey(CheckpointNames.ManifestFile(name)))
        {
            throw new CheckpointStoreException($"'{name}' cannot name a new copy.");
        }

        Load(from, checkpoint, out _);
        string file = CheckpointNames.ManifestFile(checkpoint.Name);
        Manifest manifest = ManifestFormat.Read(FilesOf(from)[file], from, checkpoint, file);
        Manifest copy = FolderCopy.Renamed(manifest, to, name);
        foreach ((string old, string own) in manifest.Packs.Zip(copy.Packs))
        {
            FilesOf(to)[own] = FilesOf(from)[old];
        }

        byte[] bytes = ManifestFormat.Write(copy);
        FilesOf(to)[CheckpointNames.ManifestFile(name)] = bytes;
        return FolderCopy.Reference(checkpoint, copy, bytes.Length, ManifestFormat.HashOf(bytes));
    }

    private Manifest ManifestOf(SaveRequest request, List<string> packs, List<ManifestEntry> entries) =>
        new()
        {
            Name = request.Name,
            Task = request.Task.Value,
            Term = request.Term,
            Created = DateTimeOffset.UnixEpoch,
            Step = request.State.Step,
            Epoch = request.State.Epoch,
            Reason = request.State.Reason,
            Metrics = request.State.Metrics,
            ChunkSize = chunkSize,
            Bytes = entries.Sum(entry => entry.Length),
            Packs = packs,
            Entries = entries,
        };

    private static Dictionary<string, (string Pack, long Offset, int Stored)> KnownChunks(
        SaveRequest request,
        SortedDictionary<string, byte[]> files
    )
    {
        Dictionary<string, (string Pack, long Offset, int Stored)> known = new(StringComparer.Ordinal);
        foreach (CheckpointRef checkpoint in request.IsFull ? [] : request.Listed)
        {
            string file = CheckpointNames.ManifestFile(checkpoint.Name);
            if (!files.TryGetValue(file, out byte[]? bytes) || ManifestFormat.HashOf(bytes) != checkpoint.ManifestSha256)
            {
                continue;
            }

            Manifest manifest = ManifestFormat.Read(bytes, request.Task, checkpoint, file);
            foreach (ManifestChunk chunk in manifest.Entries.SelectMany(entry => entry.Chunks))
            {
                string pack = manifest.Packs[chunk.Pack];
                if (
                    files.TryGetValue(pack, out byte[]? stored)
                    && chunk.Offset + PackFormat.RecordHeaderSize + chunk.Stored <= stored.Length
                )
                {
                    known.TryAdd(chunk.Sha256, (pack, chunk.Offset, chunk.Stored));
                }
            }
        }

        return known;
    }

    private Dictionary<string, byte[]> Load(TaskId task, CheckpointRef checkpoint, out long read)
    {
        SortedDictionary<string, byte[]> files = FilesOf(task);
        string manifestFile = CheckpointNames.ManifestFile(checkpoint.Name);
        byte[] Find(string file) =>
            files.TryGetValue(file, out byte[]? found)
                ? found
                : throw new CheckpointDamagedException($"Checkpoint {checkpoint.Name} of {task}: {file} is missing.");

        byte[] bytes = Find(manifestFile);
        Manifest manifest = ManifestFormat.Read(bytes, task, checkpoint, manifestFile);
        read = bytes.Length;
        Dictionary<string, byte[]> loaded = new(StringComparer.Ordinal);
        foreach (ManifestEntry entry in manifest.Entries)
        {
            MemoryStream content = new();
            foreach (ManifestChunk chunk in entry.Chunks)
            {
                string packFile = manifest.Packs[chunk.Pack];
                byte[] pack = Find(packFile);
                long start = chunk.Offset + PackFormat.RecordHeaderSize;
                if (!pack.AsSpan().StartsWith(PackFormat.FileHeader))
                {
                    throw new CheckpointDamagedException(
                        $"Checkpoint {checkpoint.Name} of {task}: {packFile} has other bytes than were written (header at offset 0)."
                    );
                }

                if (start + chunk.Stored > pack.Length)
                {
                    throw new CheckpointDamagedException(
                        $"Checkpoint {checkpoint.Name} of {task}: {packFile} is truncated (chunk at offset {chunk.Offset})."
                    );
                }

                ReadOnlySpan<byte> record = pack.AsSpan((int)chunk.Offset, PackFormat.RecordHeaderSize + chunk.Stored);
                ReadOnlySpan<byte> raw = record[PackFormat.RecordHeaderSize..];
                byte[] sha256 = SHA256.HashData(raw);
                if (
                    !PackFormat.Matches(record, ChunkCodec.None, false, chunk.Stored, chunk.Stored, sha256)
                    || Convert.ToHexStringLower(sha256) != chunk.Sha256
                )
                {
                    throw new CheckpointDamagedException(
                        $"Checkpoint {checkpoint.Name} of {task}: "
                            + $"{packFile} has other bytes than were written (chunk at offset {chunk.Offset})."
                    );
                }

                content.Write(raw);
                read += record.Length;
            }

            loaded.Add(entry.Path, content.ToArray());
        }

        return loaded;
    }

    /// <summary>What was loaded when it was opened.</summary>
    private sealed class Content(Dictionary<string, byte[]> files) : ICheckpointContent
    {
        public IReadOnlyList<CheckpointFile> Files { get; } =
        [.. files.Select(file => new CheckpointFile(file.Key, file.Value.Length, "644"))];

        public Stream OpenFile(int index) => new MemoryStream(files[Files[index].Path], writable: false);

        public void Dispose() { }
    }
}
