namespace ActorTrainer.Checkpoints;

/// <summary>How a chunk's bytes stand in a pack. The numbers are part of the format.</summary>
internal enum ChunkCodec : byte
{
    /// <summary>As they are.</summary>
    None = 0,

    /// <summary>One raw deflate stream (RFC 1951).</summary>
    Deflate = 1,

    /// <summary>
    /// Split into four planes (first bytes of all 4-byte words, second bytes, …), each deflated by itself where that pays. Trained
    /// 32-bit floats share exponents and hardly anything else, so mostly one plane of four shrinks.
    /// </summary>
    Planes4 = 2,
}

/// <summary>The codecs' names in manifests.</summary>
internal static class ChunkCodecNames
{
    public static string NameOf(ChunkCodec codec) =>
        codec switch
        {
            ChunkCodec.None => "none",
            ChunkCodec.Deflate => "deflate",
            ChunkCodec.Planes4 => "planes4-deflate",
            _ => throw new ArgumentOutOfRangeException(nameof(codec), codec, "not a codec"),
        };

    public static bool TryParse(string? name, out ChunkCodec codec)
    {
        (bool known, codec) = name switch
        {
            "none" => (true, ChunkCodec.None),
            "deflate" => (true, ChunkCodec.Deflate),
            "planes4-deflate" => (true, ChunkCodec.Planes4),
            _ => (false, ChunkCodec.None),
        };
        return known;
    }
}
