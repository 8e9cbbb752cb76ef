using ActorTrainer.Checkpoints.Codecs;

namespace ActorTrainer.Checkpoints;

/// <summary>Where a chunk's stored form stands.</summary>
/// <param name="Pack">The pack, by the name that the store lists.</param>
/// <param name="Offset">Where its record begins.</param>
/// <param name="Stored">Length of its stored bytes, without the record's header.</param>
/// <param name="Codec">How they are encoded.</param>
/// <param name="Base">What they are the difference to; null: they are the chunk itself.</param>
internal sealed record ChunkPlace(string Pack, long Offset, int Stored, ChunkCodec Codec, ChunkBase? Base = null)
{
    /// <summary>How many differences may stand on each other: each of them has to be read when the chunk is.</summary>
    public const int MostBases = 4;

    /// <summary>How many do.</summary>
    public int Bases => Base is null ? 0 : Base.Place.Bases + 1;
}

/// <summary>A chunk that another one is the difference to.</summary>
/// <param name="Sha256">Of its raw bytes, lower-case hexadecimal.</param>
/// <param name="Place">Where it stands.</param>
internal sealed record ChunkBase(string Sha256, ChunkPlace Place);
