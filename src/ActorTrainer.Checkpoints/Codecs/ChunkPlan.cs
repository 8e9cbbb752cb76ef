namespace ActorTrainer.Checkpoints.Codecs;

/// <summary>How a chunk is to be encoded, by a sample of it.</summary>
/// <param name="Codec">What is to be tried; <see cref="ChunkCodec.None"/>: nothing.</param>
/// <param name="Share">How much of the chunk is expected to be stored, from 0 to 1.</param>
/// <param name="Efforts">For each plane what is done with it.</param>
internal readonly record struct ChunkPlan(ChunkCodec Codec, double Share, PlaneEfforts Efforts);

/// <summary>What is done with each of up to four planes.</summary>
internal struct PlaneEfforts
{
    private uint _bits;

    /// <summary>Null: it is left as it is.</summary>
    public ZstdEffort? this[int plane]
    {
        readonly get => ((_bits >> (plane * 8)) & 0xFF) is uint effort and > 0 ? (ZstdEffort)(effort - 1) : null;
        set => _bits = (_bits & ~(0xFFu << (plane * 8))) | ((value is { } effort ? (uint)effort + 1 : 0) << (plane * 8));
    }
}

/// <summary>Reads the chunk that stood at a chunk's place before.</summary>
/// <param name="target">Takes its bytes.</param>
/// <param name="offset">From its beginning.</param>
/// <returns>False: they are not to be had.</returns>
internal delegate bool FormerReader(Span<byte> target, int offset);

/// <summary>Looks at a sample of a chunk.</summary>
internal static class ChunkSampler
{
    private const int SmallestTried = 128;
    private const int SampleSlice = 4096;
    private const int SampleSlices = 4;

    // Bits a byte, from which a plane is left as it is, and below which runs and repetitions may beat a code of at least one bit a byte.
    private const double Incompressible = 7.75;
    private const double Repetitive = 1.3;

    /// <summary>n log2 n, for as often as a byte can be in a sample: to compute them took a quarter of the time of a save.</summary>
    private static readonly double[] WeightedLogarithms = MakeWeightedLogarithms();

    /// <summary>A chunk has to lose a sixteenth of its bytes, else reading it back costs more time than its bytes did.</summary>
    public static int Worthwhile(int length) => length - (length / 16);

    /// <summary>Decides by the frequencies of bytes in the planes, and by how small the sample becomes as a whole.</summary>
    /// <param name="raw">The chunk.</param>
    /// <param name="coder">Compresses the sample.</param>
    /// <param name="scratch">At least as long as the chunk.</param>
    public static ChunkPlan Plan(ReadOnlySpan<byte> raw, ZstdCoder coder, Span<byte> scratch)
    {
        Span<byte> sample = stackalloc byte[SampleSlice * SampleSlices];
        return PlanFor(Take(raw, sample), coder, scratch);
    }

    /// <summary>Decides the same for the difference of a chunk to another one.</summary>
    /// <param name="raw">The chunk.</param>
    /// <param name="readOther">Reads the other one, from an offset on.</param>
    /// <param name="coder">Compresses the sample.</param>
    /// <param name="scratch">At least as long as the chunk.</param>
    /// <returns>A plan without a codec also where the other one cannot be read.</returns>
    public static ChunkPlan Plan(ReadOnlySpan<byte> raw, FormerReader readOther, ZstdCoder coder, Span<byte> scratch)
    {
        Span<byte> sample = stackalloc byte[SampleSlice * SampleSlices];
        sample = Take(raw, sample);
        Span<byte> other = stackalloc byte[sample.Length];
        for (int at = 0; at < sample.Length; at += SampleSlice)
        {
            if (!readOther(other[at..Math.Min(sample.Length, at + SampleSlice)], at / SampleSlice * StrideOf(raw)))
            {
                return new ChunkPlan(ChunkCodec.None, 1, default);
            }
        }

        Difference.Apply(sample, other);
        return PlanFor(sample, coder, scratch);
    }

    private static ChunkPlan PlanFor(ReadOnlySpan<byte> sample, ZstdCoder coder, Span<byte> scratch)
    {
        if (sample.Length < SmallestTried)
        {
            return new ChunkPlan(ChunkCodec.None, 1, default);
        }

        int whole = coder.Compress(sample, scratch[..Worthwhile(sample.Length)], ZstdEffort.Matching);
        ChunkPlan best = new(ChunkCodec.None, 1, default);
        if (whole >= 0)
        {
            best = new ChunkPlan(ChunkCodec.Zstd, (double)whole / sample.Length, default);
        }

        // Planes have to be better by a sixteenth, since one frame is what other tools read at once; and four by more than chance than two.
        double limit = best.Share * 15 / 16;
        foreach (ChunkCodec codec in (ReadOnlySpan<ChunkCodec>)[ChunkCodec.Planes2, ChunkCodec.Planes4])
        {
            ChunkPlan planes = InPlanes(sample[..(sample.Length & ~3)], codec, scratch);
            if (planes.Share < limit)
            {
                (best, limit) = (planes, planes.Share * 0.98);
            }
        }

        return best;
    }

    private static Span<byte> Take(ReadOnlySpan<byte> raw, Span<byte> sample)
    {
        if (raw.Length <= sample.Length)
        {
            raw.CopyTo(sample);
            return sample[..raw.Length];
        }

        for (int i = 0; i < SampleSlices; i++)
        {
            raw.Slice(i * StrideOf(raw), SampleSlice).CopyTo(sample[(i * SampleSlice)..]);
        }

        return sample;
    }

    // Slices from all over the chunk, on word boundaries so that planes stay planes; one after the other of a chunk that is no longer.
    private static int StrideOf(ReadOnlySpan<byte> raw) =>
        raw.Length <= SampleSlice * SampleSlices ? SampleSlice : (raw.Length - SampleSlice) / (SampleSlices - 1) & ~3;

    private static ChunkPlan InPlanes(ReadOnlySpan<byte> sample, ChunkCodec codec, Span<byte> scratch)
    {
        int width = ChunkCodecNames.PlanesOf(codec);
        int words = sample.Length / width;
        Planes.Split(sample, scratch, width);
        PlaneEfforts efforts = default;
        double bits = 0;
        for (int plane = 0; plane < width; plane++)
        {
            double entropy = Entropy(scratch.Slice(plane * words, words));
            efforts[plane] =
                entropy >= Incompressible ? null
                : entropy > Repetitive ? ZstdEffort.Coding
                : ZstdEffort.Matching;
            bits += entropy >= Incompressible ? 8 : entropy;
        }

        return new ChunkPlan(codec, bits / 8 / width, efforts);
    }

    // Shannon's entropy of the bytes taken one by one, in bits a byte: what Huffman coding comes close to.
    private static double Entropy(ReadOnlySpan<byte> bytes)
    {
        Span<int> counts = stackalloc int[256];
        counts.Clear();
        foreach (byte b in bytes)
        {
            counts[b]++;
        }

        double sum = 0;
        foreach (int count in counts)
        {
            sum += WeightedLogarithms[count];
        }

        return bytes.Length == 0 ? 0 : Math.Log2(bytes.Length) - (sum / bytes.Length);
    }

    private static double[] MakeWeightedLogarithms()
    {
        double[] values = new double[(SampleSlice * SampleSlices) + 1];
        for (int n = 1; n < values.Length; n++)
        {
            values[n] = n * Math.Log2(n);
        }

        return values;
    }
}
