using ActorTrainer.Core.Checkpoints;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Tasks;

namespace ActorTrainer.Checkpoints.Tiered;

/// <summary>Copies checkpoints between the folder and what stands behind it, as the very same files under the same names.</summary>
internal sealed class TierCopy(FolderFiles local, IStoreFiles remote, BufferPool pool)
{
    private const int PieceBytes = 4 << 20;

    private readonly Lock _fetching = new();

    /// <summary>Copies a checkpoint there: the packs that are missing, then the manifest.</summary>
    /// <param name="task">The task.</param>
    /// <param name="name">The checkpoint's name.</param>
    /// <param name="mayCreateStore">Whether nothing was ever copied there.</param>
    /// <param name="justSaved">A pack that was written this moment, and so is not read through before it is copied; null: none.</param>
    /// <param name="cancellationToken">Gives it up.</param>
    /// <returns>Whether it is there now; false: it is not in the folder.</returns>
    /// <exception cref="CheckpointDamagedException">It is not what was saved, and so is not copied.</exception>
    /// <exception cref="CheckpointStoreException">One of the two is away.</exception>
    public bool Push(TaskId task, string name, bool mayCreateStore, string? justSaved, CancellationToken cancellationToken)
    {
        string file = CheckpointNames.ManifestFile(name);
        local.RequireStore(cancellationToken);
        if (local.ReadManifest(task, file, cancellationToken) is not { } bytes)
        {
            // The save failed, or it was removed again before its turn came.
            return false;
        }

        IStoreFiles target = remote.ForCopying(task, cancellationToken);
        target.Prepare(task, mayCreateStore, cancellationToken);
        if (target.LengthOf(task, file, cancellationToken) == bytes.Length)
        {
            // An attempt that was cut off may have come just so far.
            target.SyncManifests(task);
            return true;
        }

        CheckpointRef checkpoint = Reference(name, bytes);
        using FolderReader reader = new(local, pool, task, checkpoint, cancellationToken, cancellationToken);
        for (int i = 0; i < reader.Manifest.Packs.Count; i++)
        {
            string pack = reader.Manifest.Packs[i];
            long length = local.LengthOf(task, pack, cancellationToken) ?? 0;
            if (target.LengthOf(task, pack, cancellationToken) != length)
            {
                if (pack != justSaved)
                {
                    Verify(reader, i, cancellationToken);
                }

                PushPack(target, task, pack, length, cancellationToken);
            }
        }

        target.SyncPacks(task);
        target.PutManifest(task, file, bytes, cancellationToken);
        return true;
    }

    /// <summary>Fetches what the folder has lost of a checkpoint, or has with other bytes.</summary>
    /// <exception cref="CheckpointDamagedException">The other one has not got it whole either.</exception>
    /// <exception cref="CheckpointStoreException">One of the two is away.</exception>
    public void Fetch(TaskId task, CheckpointRef checkpoint, CancellationToken cancellationToken)
    {
        // Two of them would write the same file.
        using Lock.Scope one = _fetching.EnterScope();
        string file = CheckpointNames.ManifestFile(checkpoint.Name);
        using FolderReader reader = new(remote, pool, task, checkpoint, cancellationToken, cancellationToken);
        byte[] bytes =
            remote.ReadManifest(task, file, cancellationToken)
            ?? throw new CheckpointDamagedException($"Checkpoint {checkpoint.Name} of {task}: {file} is missing.");
        local.Prepare(task, mayCreateStore: false, cancellationToken);
        foreach (int i in reader.Manifest.PacksInOrder())
        {
            if (!IsWhole(task, checkpoint, reader.Manifest, i, from: null, cancellationToken))
            {
                FetchPack(task, checkpoint, reader.Manifest, i, cancellationToken);
            }
        }

        if (local.ReadManifest(task, file, cancellationToken) is not { } own || !own.AsSpan().SequenceEqual(bytes))
        {
            local.PutManifest(task, file, bytes, cancellationToken);
        }
    }

    /// <summary>Whether the folder has a checkpoint's manifest, whatever else it may have lost.</summary>
    /// <exception cref="CheckpointStoreException">The folder is away.</exception>
    public bool IsListedHere(TaskId task, CheckpointRef checkpoint, CancellationToken cancellationToken) =>
        local.LengthOf(task, CheckpointNames.ManifestFile(checkpoint.Name), cancellationToken) is not null;

    /// <summary>
    /// Whether a checkpoint is to be copied, once the folder has it: when it does not, what is behind it is fetched. One that neither has
    /// whole is left to the restore that finds it so.
    /// </summary>
    /// <exception cref="CheckpointStoreException">One of the two is away.</exception>
    public bool Lacks(TaskId task, CheckpointRef checkpoint, CancellationToken cancellationToken)
    {
        string file = CheckpointNames.ManifestFile(checkpoint.Name);
        local.RequireStore(cancellationToken);
        if (!IsListedHere(task, checkpoint, cancellationToken))
        {
            try
            {
                Fetch(task, checkpoint, cancellationToken);
            }
            catch (CheckpointDamagedException)
            {
                return false;
            }
        }

        return remote.ForCopying(task, cancellationToken).LengthOf(task, file, cancellationToken)
            != local.LengthOf(task, file, cancellationToken);
    }

    private static CheckpointRef Reference(string name, byte[] manifest) =>
        new(name, 0, 0, CheckpointReasons.Copied, 0, 0, [], ManifestFormat.HashOf(manifest), new Dictionary<string, double>());

    private void PushPack(IStoreFiles target, TaskId task, string pack, long length, CancellationToken cancellationToken)
    {
        using IPackSource source = Open(local, task, pack, cancellationToken);
        target.PutPack(task, pack, length, sink => CopyPack(source, sink, cancellationToken), cancellationToken);
    }

    /// <summary>
    /// Fetches a pack from the first place that has it whole. What the folder has is replaced by nothing else: other checkpoints may find
    /// in it what they need.
    /// </summary>
    /// <exception cref="CheckpointDamagedException">No place has it whole.</exception>
    /// <exception cref="CheckpointStoreException">None of those that answer has it whole.</exception>
    private void FetchPack(TaskId task, CheckpointRef checkpoint, Manifest manifest, int index, CancellationToken cancellationToken)
    {
        string pack = manifest.Packs[index];
        long length = remote.LengthOf(task, pack, cancellationToken) ?? 0;
        bool isHere = local.LengthOf(task, pack, cancellationToken) is not null;
        using IPackSource first = Open(remote, task, pack, cancellationToken);
        if (!isHere)
        {
            // Read once: in most cases a new disk, and the pack is whole.
            Put(first);
            if (IsWhole(task, checkpoint, manifest, index, from: null, cancellationToken))
            {
                return;
            }
        }

        CheckpointStoreException? silent = null;
        foreach (IPackSource source in isHere ? first.Others().Prepend(first) : first.Others())
        {
            try
            {
                if (IsWhole(task, checkpoint, manifest, index, source, cancellationToken))
                {
                    Put(source);
                    return;
                }
            }
            catch (CheckpointStoreException e)
            {
                silent ??= e;
            }
            finally
            {
                if (source != first)
                {
                    source.Dispose();
                }
            }
        }

        throw silent is null
            ? new CheckpointDamagedException($"Checkpoint {checkpoint.Name} of {task}: {pack} is whole at no place.")
            : silent;

        void Put(IPackSource source) =>
            local.PutPack(task, pack, length, sink => CopyPack(source, sink, cancellationToken), cancellationToken);
    }

    private static IPackSource Open(IStoreFiles files, TaskId task, string pack, CancellationToken cancellationToken) =>
        files.OpenPack(task, pack, cancellationToken) ?? throw new CheckpointDamagedException($"{files.PlaceOf(task)}/{pack} is missing.");

    private static long CopyPack(IPackSource source, IPackSink sink, CancellationToken cancellationToken)
    {
        byte[] piece = GC.AllocateUninitializedArray<byte>(PieceBytes);
        long length = 0;
        while (source.Read(length, piece, cancellationToken) is > 0 and int read)
        {
            cancellationToken.ThrowIfCancellationRequested();
            sink.Append(piece.AsSpan(0, read));
            length += read;
        }

        return length;
    }

    private void Verify(FolderReader reader, int pack, CancellationToken cancellationToken)
    {
        IReadOnlyList<(ManifestChunk Chunk, int Length)> records = reader.Manifest.RecordsIn(pack);
        FolderSave.Concurrently(
            records.Count,
            at =>
            {
                byte[] raw = pool.Rent(records[at].Length);
                try
                {
                    reader.ReadChunk(records[at].Chunk, raw.AsSpan(0, records[at].Length));
                }
                finally
                {
                    pool.Return(raw);
                }
            },
            reader.Files,
            cancellationToken
        );
    }

    /// <summary>Whether a pack has all the bytes that the checkpoint takes from it: the folder's, or one from elsewhere.</summary>
    private bool IsWhole(
        TaskId task,
        CheckpointRef checkpoint,
        Manifest manifest,
        int pack,
        IPackSource? from,
        CancellationToken cancellationToken
    )
    {
        try
        {
            using FolderReader reader = FolderReader.OfPack(local, pool, task, checkpoint, manifest, pack, from, cancellationToken);
            Verify(reader, pack, cancellationToken);
            return true;
        }
        catch (CheckpointDamagedException)
        {
            return false;
        }
    }
}
