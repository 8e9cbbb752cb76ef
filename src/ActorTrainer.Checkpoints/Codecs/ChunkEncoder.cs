using ActorTrainer.Core.Configuration;

namespace ActorTrainer.Checkpoints.Codecs;

/// <summary>Encodes chunks as a sample says, and decodes what a pack holds.</summary>
internal static class ChunkEncoder
{
    /// <summary>
    /// Encodes a chunk. Returns the stored length; with <see cref="ChunkCodec.None"/> nothing is written to the target, the raw bytes
    /// are what is stored.
    /// </summary>
    /// <param name="raw">The chunk.</param>
    /// <param name="target">Holds at least the chunk's length.</param>
    /// <param name="scratch">As the target.</param>
    /// <param name="mode">How much time it is worth.</param>
    /// <param name="pace">Tells whether a codec pays, and is told how long it took.</param>
    /// <param name="coder">Compresses.</param>
    /// <param name="codec">What was done.</param>
    public static int Encode(
        ReadOnlySpan<byte> raw,
        Span<byte> target,
        Span<byte> scratch,
        CheckpointCompression mode,
        CompressionPace pace,
        ZstdCoder coder,
        out ChunkCodec codec
    )
    {
        ChunkPlan? plan = PlanOf(raw, scratch, mode, pace, coder);
        int? stored = plan is null
            ? null
            : EncodeAs(plan.Value, raw, target[..ChunkSampler.Worthwhile(raw.Length)], scratch, mode, pace, coder);
        codec = stored is null ? ChunkCodec.None : plan!.Value.Codec;
        return stored ?? raw.Length;
    }

    /// <summary>How a chunk is best encoded; null: not at all.</summary>
    public static ChunkPlan? PlanOf(
        ReadOnlySpan<byte> raw,
        Span<byte> scratch,
        CheckpointCompression mode,
        CompressionPace pace,
        ZstdCoder coder
    ) => mode == CheckpointCompression.Off ? null : IfItPays(ChunkSampler.Plan(raw, coder, scratch), mode, pace);

    /// <summary>A plan, unless it has no codec or takes longer than writing the bytes as they are; null then.</summary>
    public static ChunkPlan? IfItPays(ChunkPlan plan, CheckpointCompression mode, CompressionPace pace) =>
        plan.Codec != ChunkCodec.None && (mode == CheckpointCompression.Max || pace.Pays(plan.Codec, plan.Share)) ? plan : null;

    /// <summary>Encodes by a plan.</summary>
    /// <returns>The stored length; null: the target is too short for it.</returns>
    public static int? EncodeAs(
        ChunkPlan plan,
        ReadOnlySpan<byte> raw,
        Span<byte> target,
        Span<byte> scratch,
        CheckpointCompression mode,
        CompressionPace pace,
        ZstdCoder coder
    )
    {
        bool isMax = mode == CheckpointCompression.Max;
        long began = pace.Now;
        int stored =
            plan.Codec == ChunkCodec.Zstd
                ? coder.Compress(raw, target, isMax ? ZstdEffort.Thorough : ZstdEffort.Matching)
                : BytePlanes.Encode(raw, target, isMax ? Thoroughly(plan) : plan, scratch, coder);
        pace.Encoded(plan.Codec, raw.Length, began);
        return stored < 0 ? null : stored;
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
            case ChunkCodec.None:
                return false;
            case ChunkCodec.Deflate:
                return Deflater.TryExpand(stored, offset, length, raw);
            default:
                ZstdCoder coder = ZstdCoder.Rent();
                try
                {
                    return codec == ChunkCodec.Zstd
                        ? coder.TryExpand(stored.AsSpan(offset, length), raw)
                        : BytePlanes.TryDecode(codec, stored, offset, length, raw, scratch, coder);
                }
                finally
                {
                    ZstdCoder.Return(coder);
                }
        }
    }

    // Whatever can be coded at all is searched, since repetitions are worth their time here.
    private static ChunkPlan Thoroughly(ChunkPlan plan)
    {
        PlaneEfforts efforts = plan.Efforts;
        for (int plane = 0; plane < ChunkCodecNames.PlanesOf(plan.Codec); plane++)
        {
            efforts[plane] = efforts[plane] is null ? null : ZstdEffort.Thorough;
        }

        return plan with
        {
            Efforts = efforts,
        };
    }
}
