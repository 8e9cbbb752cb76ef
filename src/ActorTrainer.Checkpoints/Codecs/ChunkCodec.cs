namespace ActorTrainer.Checkpoints.Codecs;

/// <summary>How a chunk's bytes stand in a pack. The numbers are part of the format.</summary>
internal enum ChunkCodec : byte
{
    /// <summary>As they are.</summary>
    None = 0,

    /// <summary>One raw deflate stream (RFC 1951). Written up to 0.2.</summary>
    Deflate = 1,

    /// <summary>Split into four planes, each deflated by itself where that pays. Written up to 0.2.</summary>
    Planes4Deflate = 2,

    /// <summary>One zstd frame (RFC 8878).</summary>
    Zstd = 3,

    /// <summary>
    /// Split into two planes (first bytes of all 2-byte words, then second bytes), each coded by itself where that pays: 16-bit floats.
    /// </summary>
    Planes2 = 4,

    /// <summary>
    /// The same with four planes. Trained 32-bit floats share exponents and hardly anything else, so mostly one plane of four shrinks.
    /// </summary>
    Planes4 = 5,
}

/// <summary>The codecs' names in manifests, and how many planes each has.</summary>
internal static class ChunkCodecNames
{
    public static string NameOf(ChunkCodec codec) =>
        codec switch
        {
            ChunkCodec.None => "none",
            ChunkCodec.Deflate => "deflate",
            ChunkCodec.Planes4Deflate => "planes4-deflate",
            ChunkCodec.Zstd => "zstd",
            ChunkCodec.Planes2 => "planes2",
            ChunkCodec.Planes4 => "planes4",
            _ => throw new ArgumentOutOfRangeException(nameof(codec), codec, "not a codec"),
        };

    public static bool TryParse(string? name, out ChunkCodec codec)
    {
        (bool known, codec) = name switch
        {
            "none" => (true, ChunkCodec.None),
            "deflate" => (true, ChunkCodec.Deflate),
            "planes4-deflate" => (true, ChunkCodec.Planes4Deflate),
            "zstd" => (true, ChunkCodec.Zstd),
            "planes2" => (true, ChunkCodec.Planes2),
            "planes4" => (true, ChunkCodec.Planes4),
            _ => (false, ChunkCodec.None),
        };
        return known;
    }

    /// <summary>Bytes of a word that is split; 1: none is.</summary>
    public static int PlanesOf(ChunkCodec codec) =>
        codec switch
        {
            ChunkCodec.Planes2 => 2,
            ChunkCodec.Planes4 or ChunkCodec.Planes4Deflate => 4,
            _ => 1,
        };
}
