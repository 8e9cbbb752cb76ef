using System.Collections.Concurrent;
using ZstdSharp;
using ZstdSharp.Unsafe;

namespace ActorTrainer.Checkpoints.Codecs;

/// <summary>How hard is looked for what can be left out.</summary>
internal enum ZstdEffort
{
    /// <summary>
    /// Huffman coding alone: bytes without order, as the exponents of weights are, have no repetitions worth a search, and come out
    /// smaller and several times faster without one.
    /// </summary>
    Coding,

    /// <summary>Repetitions are found by the fastest search.</summary>
    Matching,

    /// <summary>Repetitions are looked for thoroughly.</summary>
    Thorough,
}

/// <summary>
/// zstd frames (RFC 8878) between spans, for one thread at a time. Its tables cost more to touch for the first time than to fill, so coders
/// are used again.
/// </summary>
internal sealed class ZstdCoder
{
    private const int ThoroughLevel = 9;

    /// <summary>A level so negative that no match is looked for.</summary>
    private const int NoSearchLevel = -1000;

    private static readonly ConcurrentBag<ZstdCoder> Idle = [];

    private readonly Lazy<Compressor> _coding = new(CreateCoding);
    private readonly Lazy<Compressor> _matching = new(() => new Compressor(1));
    private readonly Lazy<Compressor> _thorough = new(() => new Compressor(ThoroughLevel));
    private readonly Lazy<Decompressor> _decompressor = new(() => new Decompressor());

    private ZstdCoder() { }

    /// <summary>One that nobody else uses until it is given back.</summary>
    public static ZstdCoder Rent() => Idle.TryTake(out ZstdCoder? coder) ? coder : new ZstdCoder();

    public static void Return(ZstdCoder coder) => Idle.Add(coder);

    /// <summary>Makes a frame; -1 when it would not fit into the target.</summary>
    public int Compress(ReadOnlySpan<byte> source, Span<byte> target, ZstdEffort effort)
    {
        Compressor compressor = effort switch
        {
            ZstdEffort.Coding => _coding.Value,
            ZstdEffort.Matching => _matching.Value,
            _ => _thorough.Value,
        };
        return compressor.TryWrap(source, target, out int written) ? written : -1;
    }

    /// <summary>Expands a frame to exactly the target's length; false when the bytes are not such a frame.</summary>
    public bool TryExpand(ReadOnlySpan<byte> source, Span<byte> target)
    {
        try
        {
            return _decompressor.Value.TryUnwrap(source, target, out int written) && written == target.Length;
        }
        catch (ZstdException)
        {
            return false;
        }
    }

    private static Compressor CreateCoding()
    {
        Compressor compressor = new(NoSearchLevel);
        // Negative levels leave literals as they are unless they are told to code them.
        compressor.SetParameter(ZSTD_cParameter.ZSTD_c_experimentalParam5, (int)ZSTD_paramSwitch_e.ZSTD_ps_enable);
        return compressor;
    }
}
