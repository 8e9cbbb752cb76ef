using ActorTrainer.Checkpoints.Codecs;

namespace ActorTrainer.Checkpoints;

/// <summary>Where a chunk's stored form stands.</summary>
internal sealed record ChunkPlace(string Pack, long Offset, int Stored, ChunkCodec Codec);
