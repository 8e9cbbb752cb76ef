using System.Security.Cryptography;
using ActorTrainer.Checkpoints.Codecs;
using ActorTrainer.Core.Configuration;

namespace ActorTrainer.Checkpoints;

/// <summary>
/// A chunk on its way into a pack, with buffers of its own. A record's header goes right before the bytes, so one write does.
/// </summary>
internal sealed class ChunkJob(BufferPool pool, int chunkSize) : IDisposable
{
    private readonly byte[] _encoded = pool.Rent(chunkSize + PackFormat.RecordHeaderSize);
    private readonly byte[] _scratch = pool.Rent(chunkSize + PackFormat.RecordHeaderSize);
    private readonly byte[] _sha256 = new byte[32];
    private readonly ZstdCoder _coder = ZstdCoder.Rent();
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
    public void Encode(CheckpointCompression mode, CompressionPace pace)
    {
        const int header = PackFormat.RecordHeaderSize;
        _storedLength = ChunkEncoder.Encode(RawBytes, _encoded.AsSpan(header), _scratch, mode, pace, _coder, out _codec);
        byte[] record = _codec == ChunkCodec.None ? Raw : _encoded;
        PackFormat.WriteRecordHeader(record, _codec, Length, _storedLength, _sha256);
        IsEncoded = true;
    }

    public void Dispose()
    {
        pool.Return(Raw);
        pool.Return(_encoded);
        pool.Return(_scratch);
        ZstdCoder.Return(_coder);
    }
}
