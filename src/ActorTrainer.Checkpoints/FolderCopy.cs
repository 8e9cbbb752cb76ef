using ActorTrainer.Core.Checkpoints;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Tasks;

namespace ActorTrainer.Checkpoints;

/// <summary>
/// Gives another task a checkpoint: its packs under names of its own, shared where the store can, then a manifest of its own. As with a
/// save nothing is visible before the manifest, and what is left of a copy that was cut off is garbage of term 0, which the task's next
/// owner condemns.
/// </summary>
internal sealed class FolderCopy(IStoreFiles files, TaskId from, CheckpointRef checkpoint, TaskId to, string name)
{
    private readonly string _manifestFile = CheckpointNames.ManifestFile(name);
    private readonly List<string> _made = [];

    /// <summary>The same manifest for the other task; its packs in the same order under its own names.</summary>
    public static Manifest Renamed(Manifest manifest, TaskId to, string name) =>
        manifest with
        {
            Name = name,
            Task = to.Value,
            Term = 0,
            Reason = CheckpointReasons.Copied,
            Packs = [.. manifest.Packs.Select((_, index) => CheckpointNames.PackFile(FormattableString.Invariant($"{name}{index}")))],
        };

    public static CheckpointRef Reference(CheckpointRef checkpoint, Manifest copy, long storedBytes, string sha256) =>
        checkpoint with
        {
            Name = copy.Name,
            Reason = copy.Reason,
            Packs = copy.Packs,
            StoredBytes = storedBytes,
            ManifestSha256 = sha256,
        };

    public CheckpointRef Execute(CancellationToken cancellationToken)
    {
        files.RequireStore(cancellationToken);
        Manifest manifest = FolderReader.ReadManifest(files, from, checkpoint, cancellationToken, out _);
        Manifest copy = Renamed(manifest, to, name);
        bool done = false;
        try
        {
            files.Prepare(to, mayCreateStore: false, cancellationToken);
            if (files.LengthOf(to, _manifestFile, cancellationToken) is not null)
            {
                throw new CheckpointStoreException($"A checkpoint named {name} of {to} is in the store already; copy it under a new name.");
            }

            long stored = 0;
            for (int i = 0; i < copy.Packs.Count; i++)
            {
                cancellationToken.ThrowIfCancellationRequested();
                _made.Add(copy.Packs[i]);
                stored +=
                    files.Share(from, manifest.Packs[i], to, copy.Packs[i], cancellationToken)
                    ?? throw new CheckpointDamagedException($"Checkpoint {checkpoint.Name} of {from}: {manifest.Packs[i]} is missing.");
            }

            files.SyncPacks(to);
            byte[] bytes = ManifestFormat.Write(copy);
            files.WriteManifest(to, _manifestFile, bytes, cancellationToken);
            done = true;
            return Reference(checkpoint, copy, stored + bytes.Length, ManifestFormat.HashOf(bytes));
        }
        catch (Exception e) when (StoreErrors.IsFromSystem(e))
        {
            throw StoreErrors.Describe($"Checkpoint {checkpoint.Name} of {from} could not be copied", files.PlaceOf(to), e);
        }
        finally
        {
            if (!done)
            {
                RemoveRemains();
            }
        }
    }

    private void RemoveRemains()
    {
        try
        {
            _made.ForEach(pack => files.Delete(to, pack, CancellationToken.None));
        }
        catch (CheckpointStoreException)
        {
            // Garbage without a name; the error that brought us here matters more.
        }
    }
}
