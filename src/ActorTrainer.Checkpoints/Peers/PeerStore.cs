using ActorTrainer.Core.Configuration;

namespace ActorTrainer.Checkpoints.Peers;

/// <summary>Checkpoints at other nodes, as they have them in their folders.</summary>
internal sealed class PeerStore(PeerFiles files, CheckpointStoreModel model, TimeProvider time)
    : ChunkedStore(files, model, time, PoolFor(model));
