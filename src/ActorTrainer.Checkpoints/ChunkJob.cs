using System.IO.Hashing;
using System.Security.Cryptography;
using ActorTrainer.Checkpoints.Codecs;
using ActorTrainer.Core.Configuration;

namespace ActorTrainer.Checkpoints;

/// <summary>
/// A chunk on its way into a pack, with buffers of its own. A record's header goes right before the bytes, so one write does.
/// </summary>
internal sealed class ChunkJob(BufferPool pool, int chunkSize) : IDisposable
{
    /// <summary>How small a difference has to be beside the chunk itself: a restore reads both.</summary>
    private const double Worthwhile = 0.5;

    /// <summary>The same where size matters more than time.</summary>
    private const double WorthwhileAtMost = 0.9;

    private readonly byte[] _encoded = pool.Rent(chunkSize + PackFormat.RecordHeaderSize);
    private readonly byte[] _scratch = pool.Rent(chunkSize + PackFormat.RecordHeaderSize);
    private readonly byte[] _sha256 = new byte[32];
    private readonly ZstdCoder _coder = ZstdCoder.Rent();
    private byte[]? _difference;
    private int _storedLength;
    private ChunkCodec _codec;

    /// <summary>The raw bytes stand at <see cref="PackFormat.RecordHeaderSize"/>.</summary>
    public byte[] Raw { get; } = pool.Rent(chunkSize + PackFormat.RecordHeaderSize);

    public Span<byte> RawBytes => Raw.AsSpan(PackFormat.RecordHeaderSize, Length);

    public int Length { get; set; }

    /// <summary>Its place in the order of the pack.</summary>
    public long Sequence { get; set; }

    /// <summary>Which of the state's files it is of.</summary>
    public int File { get; set; }

    /// <summary>Which of the file's chunks it is.</summary>
    public int Index { get; set; }

    /// <summary>Whether it has a record: false when it was known before and need not be written.</summary>
    public bool IsEncoded { get; set; }

    /// <summary>SHA-256 of the raw bytes, lower-case hexadecimal.</summary>
    public string Key { get; private set; } = "";

    public int StoredLength => _storedLength;

    public ChunkCodec Codec => _codec;

    /// <summary>What the stored bytes are the difference to; null: they are the chunk itself.</summary>
    public ChunkBase? Base { get; private set; }

    public ReadOnlyMemory<byte> Record =>
        (_codec == ChunkCodec.None ? Raw : _encoded).AsMemory(0, PackFormat.RecordHeaderSize + _storedLength);

    /// <summary>Names the chunk by its bytes.</summary>
    public void Hash()
    {
        SHA256.HashData(RawBytes, _sha256);
        Key = Convert.ToHexStringLower(_sha256);
    }

    /// <summary>Gives it the name that the same bytes had before.</summary>
    public void Recognise(string key)
    {
        Key = key;
        _ = Convert.FromHexString(key, _sha256, out _, out _);
    }

    /// <summary>Makes the record.</summary>
    /// <param name="mode">How much time it is worth.</param>
    /// <param name="pace">Tells whether a codec pays.</param>
    /// <param name="former">What stood at its place before; null: it is not to be had.</param>
    public void Encode(CheckpointCompression mode, CompressionPace pace, FormerChunk? former)
    {
        const int header = PackFormat.RecordHeaderSize;
        ChunkPlan? plan = ChunkEncoder.PlanOf(RawBytes, _scratch, mode, pace, _coder);
        if (mode == CheckpointCompression.Off || former is null || !TryEncodeDifference(former, plan?.Share ?? 1, mode, pace))
        {
            Span<byte> target = _encoded.AsSpan(header, ChunkSampler.Worthwhile(Length));
            int? stored = plan is { } how ? ChunkEncoder.EncodeAs(how, RawBytes, target, _scratch, mode, pace, _coder) : null;
            (_storedLength, _codec) = stored is { } length ? (length, plan!.Value.Codec) : (Length, ChunkCodec.None);
            Base = null;
        }

        byte[] record = _codec == ChunkCodec.None ? Raw : _encoded;
        PackFormat.WriteRecordHeader(record, _codec, Base is not null, Length, _storedLength, _sha256);
        IsEncoded = true;
    }

    /// <summary>Encodes the difference to what stood here before, if that is so much smaller that reading both later is worth it.</summary>
    private bool TryEncodeDifference(FormerChunk former, double share, CheckpointCompression mode, CompressionPace pace)
    {
        double atMost = share * (mode == CheckpointCompression.Max ? WorthwhileAtMost : Worthwhile);
        ChunkPlan sampled = ChunkSampler.Plan(RawBytes, former.Read, _coder, _scratch);
        if (sampled.Share > atMost || ChunkEncoder.IfItPays(sampled, mode, pace) is not { } plan)
        {
            return false;
        }

        _difference ??= pool.Rent(chunkSize + PackFormat.RecordHeaderSize);
        Span<byte> difference = _difference.AsSpan(0, Length);
        if (!former.Read(difference, 0) || XxHash128.HashToUInt128(difference) != former.Sum)
        {
            // The memory that it stood in was written again.
            return false;
        }

        Difference.Apply(difference, RawBytes);
        Span<byte> target = _encoded.AsSpan(PackFormat.RecordHeaderSize, (int)(atMost * Length));
        if (ChunkEncoder.EncodeAs(plan, difference, target, _scratch, mode, pace, _coder) is not { } stored)
        {
            return false;
        }

        (_storedLength, _codec, Base) = (stored, plan.Codec, former.Base);
        return true;
    }

    public void Dispose()
    {
        pool.Return(Raw);
        pool.Return(_encoded);
        pool.Return(_scratch);
        if (_difference is not null)
        {
            pool.Return(_difference);
        }

        ZstdCoder.Return(_coder);
    }
}

/// <summary>The chunk that stood at a chunk's place in the state that was saved before.</summary>
/// <param name="Base">Where it is stored.</param>
/// <param name="Sum">XXH3 of 128 bits of its bytes.</param>
/// <param name="Read">Reads them from memory, which may be written again at any time.</param>
internal sealed record FormerChunk(ChunkBase Base, UInt128 Sum, FormerReader Read);
