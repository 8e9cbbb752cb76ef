using ActorTrainer.Core.Checkpoints;
using ActorTrainer.Core.Configuration;
using ActorTrainer.Core.Tasks;

namespace ActorTrainer.Checkpoints;

/// <summary>
/// One save: pack, sync, folder sync, manifest, sync, rename, folder sync. Until the rename nothing is visible; a save that fails takes
/// its own files away again, which nobody can have named yet.
/// </summary>
internal sealed class FolderSave(
    FolderLayout layout,
    BufferPool pool,
    CheckpointStoreModel model,
    TimeProvider time,
    Action<SaveStep>? probe,
    SaveRequest request
)
{
    private readonly KnownChunks _known = new();
    private readonly string _packFile = CheckpointNames.PackFile(request.Name);
    private readonly string _packPath = layout.FilePath(request.Task, CheckpointNames.PackFile(request.Name));
    private readonly string _manifestPath = layout.FilePath(request.Task, CheckpointNames.ManifestFile(request.Name));
    private IReadOnlyList<StateFile> _files = [];
    private IReadOnlyList<string[]> _keys = [];
    private string? _temporary;
    private bool _renamed;

    public CheckpointRef Execute(CancellationToken cancellationToken)
    {
        using PackWriter pack = new(_packPath);
        bool done = false;
        try
        {
            _files = request.Source.List();
            layout.Prepare(request.Task, mayCreateStore: request.Listed.Count == 0);
            if (File.Exists(_manifestPath) || File.Exists(_packPath))
            {
                throw new CheckpointStoreException(
                    $"A checkpoint named {request.Name} of {request.Task} is in the store already; names are never used again. "
                        + "Save under a new name."
                );
            }

            _known.AddFrom(layout, request.Task, request.Listed, cancellationToken);
            WritePack(pack, cancellationToken);
            CheckpointRef checkpoint = WriteManifest(pack.Length);
            done = true;
            return checkpoint;
        }
        catch (Exception e) when (StoreErrors.IsFromSystem(e))
        {
            throw StoreErrors.Describe(
                $"Checkpoint {request.Name} of {request.Task} could not be saved",
                layout.TaskFolder(request.Task),
                e
            );
        }
        finally
        {
            if (!done)
            {
                RemoveRemains(pack);
            }
        }
    }

    private void WritePack(PackWriter pack, CancellationToken cancellationToken)
    {
        using (ChunkPipeline pipeline = new(_files, pool, model.ChunkSizeBytes, model.Compression, _known, _packFile, pack, probe))
        {
            pipeline.Run(cancellationToken);
            _keys = pipeline.Keys;
        }

        probe?.Invoke(SaveStep.ChunksWritten);
        pack.Finish();
        probe?.Invoke(SaveStep.PackSynced);
        DirectorySync.Sync(layout.PackFolder(request.Task));
        probe?.Invoke(SaveStep.PackFolderSynced);
        cancellationToken.ThrowIfCancellationRequested();
    }

    private CheckpointRef WriteManifest(long packLength)
    {
        Manifest manifest = BuildManifest();
        byte[] bytes = ManifestFormat.Write(manifest);
        string temporary = _manifestPath + FolderLayout.TemporarySuffix;
        DurableFile.Write(temporary, bytes);
        _temporary = temporary;
        probe?.Invoke(SaveStep.ManifestWritten);
        File.Move(temporary, _manifestPath);
        _renamed = true;
        probe?.Invoke(SaveStep.ManifestRenamed);
        DirectorySync.Sync(layout.ManifestFolder(request.Task));
        probe?.Invoke(SaveStep.ManifestFolderSynced);
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
        List<ManifestEntry> entries = new(_files.Count);
        foreach ((StateFile file, string[] keys) in _files.Zip(_keys))
        {
            List<ManifestChunk> chunks = new(keys.Length);
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

            entries.Add(new ManifestEntry(file.Path, file.Length, EntryMode.Format(file.Mode), chunks, file.Modified, file.Link));
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
        // The manifest first: as long as it stands its pack has to.
        pack.Dispose();
        Remove(_renamed ? _manifestPath : _temporary);
        Remove(pack.Length > 0 ? _packPath : null);
    }

    private static void Remove(string? path)
    {
        try
        {
            if (path is not null)
            {
                File.Delete(path);
            }
        }
        catch (Exception e) when (StoreErrors.IsFromSystem(e))
        {
            // What stays is garbage without a name; the next activation condemns it. The error that brought us here matters more.
        }
    }
}
