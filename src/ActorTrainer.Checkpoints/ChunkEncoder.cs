namespace ActorTrainer.Checkpoints;

/// <summary>Chooses a codec by a sample and encodes; decodes what a pack holds.</summary>
internal static class ChunkEncoder
{
    private const int SmallestTried = 128;
    private const int SampleSlice = 4096;
    private const int SampleSlices = 4;

    // A chunk has to lose a sixteenth of its bytes, else reading it back costs more time than its bytes did.
    private static int Worthwhile(int length) => length - (length / 16);

    /// <summary>
    /// Encodes a chunk. Returns the stored length; with <see cref="ChunkCodec.None"/> nothing is written to the target, the raw bytes
    /// are what is stored. Target (from the offset) and scratch hold at least the chunk's length.
    /// </summary>
    public static int Encode(ReadOnlySpan<byte> raw, byte[] target, int offset, byte[] scratch, out ChunkCodec codec)
    {
        codec = raw.Length < SmallestTried ? ChunkCodec.None : Choose(raw, target, offset, scratch);
        int stored = codec switch
        {
            ChunkCodec.Deflate => Deflater.Compress(raw, target, offset, Worthwhile(raw.Length)),
            ChunkCodec.Planes4 => BytePlanes.Encode(raw, target, offset, Worthwhile(raw.Length), scratch),
            _ => -1,
        };
        if (stored >= 0)
        {
            return stored;
        }

        codec = ChunkCodec.None;
        return raw.Length;
    }

    /// <summary>
    /// Decodes to exactly the target's length; false when the stored bytes are not what the codec writes. With
    /// <see cref="ChunkCodec.None"/> the bytes are copied.
    /// </summary>
    public static bool TryDecode(ChunkCodec codec, byte[] stored, int offset, int length, Span<byte> raw, byte[] scratch)
    {
        switch (codec)
        {
            case ChunkCodec.None when length == raw.Length:
                stored.AsSpan(offset, length).CopyTo(raw);
                return true;
            case ChunkCodec.Deflate:
                return Deflater.TryExpand(stored, offset, length, raw);
            case ChunkCodec.Planes4:
                return BytePlanes.TryDecode(stored, offset, length, raw, scratch);
            default:
                return false;
        }
    }

    private static ChunkCodec Choose(ReadOnlySpan<byte> raw, byte[] target, int offset, byte[] scratch)
    {
        if (raw.Length <= SampleSlice)
        {
            return ChunkCodec.Deflate;
        }

        Span<byte> sample = stackalloc byte[SampleSlice * SampleSlices];
        if (raw.Length > sample.Length)
        {
            // Slices from all over the chunk, on word boundaries so that planes stay planes.
            int stride = (raw.Length - SampleSlice) / (SampleSlices - 1) & ~3;
            for (int i = 0; i < SampleSlices; i++)
            {
                raw.Slice(i * stride, SampleSlice).CopyTo(sample[(i * SampleSlice)..]);
            }
        }
        else
        {
            sample = sample[..(raw.Length & ~3)];
            raw[..sample.Length].CopyTo(sample);
        }

        // Planes have to be better by a sixteenth, since plain deflate is what other tools read at once.
        int limit = Worthwhile(sample.Length);
        int plain = Deflater.Compress(sample, target, offset, limit);
        int planes = BytePlanes.Estimate(sample, scratch);
        return planes < (plain < 0 ? limit : Worthwhile(plain)) ? ChunkCodec.Planes4
            : plain >= 0 ? ChunkCodec.Deflate
            : ChunkCodec.None;
    }
}
