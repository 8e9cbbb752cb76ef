using System.Runtime.ExceptionServices;
using ActorTrainer.Core.Checkpoints;
using ActorTrainer.Core.Configuration;
using ActorTrainer.Core.Tasks;
using Microsoft.Win32.SafeHandles;

namespace ActorTrainer.Checkpoints;

/// <summary>
/// One save: the pack, made durable, then the manifest. Until the manifest is there nothing is visible; a save that fails takes its own
/// files away again, which nobody can have named yet.
/// </summary>
internal sealed class FolderSave(
    IStoreFiles files,
    BufferPool pool,
    CheckpointStoreModel model,
    TimeProvider time,
    Action<SaveStep>? probe,
    SaveRequest request
)
{
    private readonly List<ChunkJob> _jobs = [];
    private readonly List<(SourceFile File, List<string> Chunks)> _entries = [];
    private readonly KnownChunks _known = new();
    private readonly string _packFile = CheckpointNames.PackFile(request.Name);
    private readonly string _manifestFile = CheckpointNames.ManifestFile(request.Name);
    private int _filled;

    public CheckpointRef Execute(CancellationToken cancellationToken)
    {
        using PackWriter pack = new(files, request.Task, _packFile, cancellationToken);
        bool done = false;
        try
        {
            List<SourceFile> sources = ListSource();
            pack.AtMost = PackWriter.MostFor(sources.Sum(source => source.Length), sources.Count);
            files.Prepare(request.Task, mayCreateStore: request.Listed.Count == 0, cancellationToken);
            if (IsThere(_manifestFile, cancellationToken) || IsThere(_packFile, cancellationToken))
            {
                throw new CheckpointStoreException(
                    $"A checkpoint named {request.Name} of {request.Task} is in the store already; names are never used again. "
                        + "Save under a new name."
                );
            }

            _known.AddFrom(files, request.Task, request.Listed, cancellationToken);
            WritePack(sources, pack, cancellationToken);
            CheckpointRef checkpoint = WriteManifest(pack.Length, cancellationToken);
            done = true;
            return checkpoint;
        }
        catch (Exception e) when (StoreErrors.IsFromSystem(e))
        {
            throw StoreErrors.Describe($"Checkpoint {request.Name} of {request.Task} could not be saved", files.PlaceOf(request.Task), e);
        }
        finally
        {
            _jobs.ForEach(job => job.Dispose());
            if (!done)
            {
                RemoveRemains(pack);
            }
        }
    }

    private bool IsThere(string file, CancellationToken cancellationToken) =>
        files.LengthOf(request.Task, file, cancellationToken) is not null;

    private List<SourceFile> ListSource()
    {
        try
        {
            return SourceTree.List(request.SourceDirectory);
        }
        catch (Exception e) when (StoreErrors.IsFromSystem(e))
        {
            throw SourceUnreadable(request.SourceDirectory, e);
        }
    }

    private void WritePack(List<SourceFile> sources, PackWriter pack, CancellationToken cancellationToken)
    {
        foreach (SourceFile file in sources)
        {
            ReadFile(file, pack, cancellationToken);
        }

        Drain(pack, cancellationToken);
        probe?.Invoke(SaveStep.ChunksWritten);
        pack.Finish();
        probe?.Invoke(SaveStep.PackSynced);
        files.SyncPacks(request.Task);
        probe?.Invoke(SaveStep.PackFolderSynced);
        cancellationToken.ThrowIfCancellationRequested();
    }

    private void ReadFile(SourceFile file, PackWriter pack, CancellationToken cancellationToken)
    {
        List<string> chunks = [];
        _entries.Add((file, chunks));
        if (file.Length > 0)
        {
            using SafeFileHandle handle = OpenSource(file);
            for (long at = 0; at < file.Length; )
            {
                if (_filled == FolderStore.Parallelism * 2)
                {
                    Drain(pack, cancellationToken);
                }

                ChunkJob job = NextJob();
                job.Entry = chunks;
                job.Length = (int)Math.Min(model.ChunkSizeBytes, file.Length - at);
                ReadFully(handle, file, job.Raw.AsSpan(PackFormat.RecordHeaderSize, job.Length), at);
                at += job.Length;
                _filled++;
            }
        }

        RequireUnchanged(file);
    }

    private ChunkJob NextJob()
    {
        if (_filled == _jobs.Count)
        {
            _jobs.Add(new ChunkJob(pool, model.ChunkSizeBytes));
        }

        return _jobs[_filled];
    }

    private static SafeFileHandle OpenSource(SourceFile file)
    {
        try
        {
            return File.OpenHandle(
                file.FullPath,
                FileMode.Open,
                FileAccess.Read,
                FileShare.ReadWrite | FileShare.Delete,
                FileOptions.SequentialScan
            );
        }
        catch (Exception e) when (StoreErrors.IsFromSystem(e))
        {
            throw SourceUnreadable(file.FullPath, e);
        }
    }

    private static void ReadFully(SafeFileHandle handle, SourceFile file, Span<byte> target, long offset)
    {
        while (target.Length > 0)
        {
            int read;
            try
            {
                read = RandomAccess.Read(handle, target, offset);
            }
            catch (Exception e) when (StoreErrors.IsFromSystem(e))
            {
                throw SourceUnreadable(file.FullPath, e);
            }

            if (read == 0)
            {
                throw SourceChanged(file);
            }

            target = target[read..];
            offset += read;
        }
    }

    private static void RequireUnchanged(SourceFile file)
    {
        FileStatus now;
        try
        {
            now = FileStatus.Read(file.FullPath);
        }
        catch (Exception e) when (StoreErrors.IsFromSystem(e))
        {
            throw SourceUnreadable(file.FullPath, e);
        }

        if (now != file.Status)
        {
            throw SourceChanged(file);
        }
    }

    private static CheckpointStoreException SourceChanged(SourceFile file) =>
        new(
            $"'{file.FullPath}' was changed while it was being saved. "
                + "Write a checkpoint's files elsewhere and rename them into place when they are complete."
        )
        {
            IsOfTheState = true,
        };

    private static CheckpointStoreException SourceUnreadable(string path, Exception e) =>
        new(
            $"The state to be saved could not be read: {path}: {e.Message.TrimEnd('.')}. "
                + "The trainer has to leave it alone until it is released.",
            e
        )
        {
            IsOfTheState = true,
        };

    // Hashing and encoding go in parallel, looking up and writing in order: packs are the same whatever the timing.
    private void Drain(PackWriter pack, CancellationToken cancellationToken)
    {
        probe?.Invoke(SaveStep.WritingChunks);
        Concurrently(
            _filled,
            index =>
            {
                ChunkJob job = _jobs[index];
                job.Hash();
                if (!_known.Contains(job.Key))
                {
                    job.Encode(model.Compression);
                }
            },
            files,
            cancellationToken
        );
        for (int i = 0; i < _filled; i++)
        {
            ChunkJob job = _jobs[i];
            if (!_known.Contains(job.Key))
            {
                _known.Add(job.Key, new ChunkPlace(_packFile, pack.Append(job.Record), job.StoredLength, job.Codec));
            }

            job.Entry.Add(job.Key);
        }

        _filled = 0;
    }

    /// <summary>Runs few pieces at once and throws the first error itself, not a bundle.</summary>
    internal static void Concurrently(int count, Action<int> work, IStoreFiles files, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (count <= 1)
        {
            for (int i = 0; i < count; i++)
            {
                work(i);
            }

            return;
        }

        try
        {
            Parallel.For(
                0,
                count,
                new ParallelOptions
                {
                    MaxDegreeOfParallelism = files.AtOnce,
                    TaskScheduler = files.Threads,
                    CancellationToken = cancellationToken,
                },
                work
            );
        }
        catch (AggregateException e)
        {
            ExceptionDispatchInfo.Throw(e.InnerExceptions[0]);
        }
    }

    private CheckpointRef WriteManifest(long packLength, CancellationToken cancellationToken)
    {
        Manifest manifest = BuildManifest();
        byte[] bytes = ManifestFormat.Write(manifest);
        files.WriteManifest(request.Task, _manifestFile, bytes, probe, cancellationToken);
        return new CheckpointRef(
            request.Name,
            request.State.Step,
            request.State.Epoch,
            request.State.Reason,
            manifest.BytesOfTheTask,
            packLength + bytes.Length,
            manifest.Packs,
            ManifestFormat.HashOf(bytes),
            request.State.Metrics
        )
        {
            Output = request.State.Output,
        };
    }

    private Manifest BuildManifest()
    {
        List<string> packs = [];
        Dictionary<string, int> packIndex = new(StringComparer.Ordinal);
        List<ManifestEntry> entries = new(_entries.Count);
        foreach ((SourceFile file, List<string> keys) in _entries)
        {
            List<ManifestChunk> chunks = new(keys.Count);
            foreach (string key in keys)
            {
                ChunkPlace place = _known[key];
                if (!packIndex.TryGetValue(place.Pack, out int index))
                {
                    index = packs.Count;
                    packs.Add(place.Pack);
                    packIndex.Add(place.Pack, index);
                }

                chunks.Add(new ManifestChunk(key, index, place.Offset, place.Stored, ChunkCodecNames.NameOf(place.Codec)));
            }

            FileStatus status = file.Status;
            entries.Add(new ManifestEntry(file.Path, file.Length, EntryMode.Format(status.Mode), chunks, status.Modified, file.Link));
        }

        return new Manifest
        {
            Version = entries.Any(entry => entry.Link is not null) ? Manifest.CurrentVersion : Manifest.VersionWithoutLinks,
            Name = request.Name,
            Task = request.Task.Value,
            Term = request.Term,
            Created = time.GetUtcNow(),
            Step = request.State.Step,
            Epoch = request.State.Epoch,
            Reason = request.State.Reason,
            Metrics = request.State.Metrics,
            ChunkSize = model.ChunkSizeBytes,
            Bytes = entries.Sum(entry => entry.Length),
            Packs = packs,
            Entries = entries,
        };
    }

    private void RemoveRemains(PackWriter pack)
    {
        pack.Dispose();
        if (pack.Length == 0)
        {
            return;
        }

        try
        {
            files.Delete(request.Task, _packFile, CancellationToken.None);
        }
        catch (CheckpointStoreException)
        {
            // What stays is garbage without a name; the next activation condemns it. The error that brought us here matters more.
        }
    }
}
