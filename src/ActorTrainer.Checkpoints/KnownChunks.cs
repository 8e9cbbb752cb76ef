using System.Collections.Concurrent;
using ActorTrainer.Checkpoints.Codecs;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Tasks;

namespace ActorTrainer.Checkpoints;

/// <summary>
/// Chunks that need not be written again. Those of earlier checkpoints count only while their pack is there and long enough: referencing
/// a pack that is gone would make a new checkpoint that was never whole.
/// </summary>
internal sealed class KnownChunks
{
    private readonly ConcurrentDictionary<string, ChunkPlace> _places = new(StringComparer.Ordinal);

    public bool Contains(string sha256) => _places.ContainsKey(sha256);

    public ChunkPlace this[string sha256] => _places[sha256];

    /// <summary>Where a chunk stands; null: it would have to be written.</summary>
    public ChunkPlace? Find(string sha256) => _places.GetValueOrDefault(sha256);

    public void Add(string sha256, ChunkPlace place) => _ = _places.TryAdd(sha256, place);

    /// <summary>Reads the manifests of earlier checkpoints. One that cannot be used is passed over: it only saves space.</summary>
    public void AddFrom(IStoreFiles files, TaskId task, IReadOnlyList<CheckpointRef> listed, CancellationToken cancellationToken)
    {
        Dictionary<string, long> packLengths = new(StringComparer.Ordinal);
        foreach (CheckpointRef checkpoint in listed)
        {
            cancellationToken.ThrowIfCancellationRequested();
            Manifest manifest;
            try
            {
                manifest = FolderReader.ReadManifest(files, task, checkpoint, cancellationToken, out _);
            }
            catch (Exception e) when (e is CheckpointDamagedException or CheckpointStoreException)
            {
                continue;
            }

            Add(files, task, manifest, packLengths, cancellationToken);
        }
    }

    private void Add(
        IStoreFiles files,
        TaskId task,
        Manifest manifest,
        Dictionary<string, long> packLengths,
        CancellationToken cancellationToken
    )
    {
        foreach (ManifestEntry entry in manifest.Entries)
        {
            foreach (ManifestChunk chunk in entry.Chunks)
            {
                if (PlaceOf(chunk) is { } place)
                {
                    _places.TryAdd(chunk.Sha256, place);
                }
            }
        }

        ChunkPlace? PlaceOf(ManifestChunk chunk)
        {
            string pack = manifest.Packs[chunk.Pack];
            if (!packLengths.TryGetValue(pack, out long length))
            {
                length = files.LengthOf(task, pack, cancellationToken) ?? 0;
                packLengths.Add(pack, length);
            }

            ChunkPlace? below = chunk.Base is null ? null : PlaceOf(chunk.Base);
            return
                chunk.Offset + PackFormat.RecordHeaderSize + chunk.Stored <= length
                && ChunkCodecNames.TryParse(chunk.Codec, out ChunkCodec codec)
                && (chunk.Base is null || below is not null)
                ? new ChunkPlace(pack, chunk.Offset, chunk.Stored, codec, below is null ? null : new ChunkBase(chunk.Base!.Sha256, below))
                : null;
        }
    }
}
