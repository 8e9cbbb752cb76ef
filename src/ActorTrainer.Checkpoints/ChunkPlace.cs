namespace ActorTrainer.Checkpoints;

/// <summary>Where a chunk's stored form stands.</summary>
internal sealed record ChunkPlace(string Pack, long Offset, int Stored, ChunkCodec Codec);

/// <summary>
/// A chunk on its way into a pack, with buffers of its own. A record's header goes right before the bytes, so one write does.
/// </summary>
internal sealed class ChunkJob(BufferPool pool, int chunkSize) : IDisposable
{
    private readonly byte[] _encoded = pool.Rent(chunkSize + PackFormat.RecordHeaderSize);
    private readonly byte[] _scratch = pool.Rent(chunkSize + PackFormat.RecordHeaderSize);
    private readonly byte[] _sha256 = new byte[32];
    private int _storedLength;
    private ChunkCodec _codec;

    /// <summary>The raw bytes stand at <see cref="PackFormat.RecordHeaderSize"/>.</summary>
    public byte[] Raw { get; } = pool.Rent(chunkSize + PackFormat.RecordHeaderSize);

    public int Length { get; set; }

    /// <summary>The entry that it is the next chunk of.</summary>
    public List<string> Entry { get; set; } = [];

    /// <summary>SHA-256 of the raw bytes, lower-case hexadecimal.</summary>
    public string Key { get; private set; } = "";

    public int StoredLength => _storedLength;

    public ChunkCodec Codec => _codec;

    public ReadOnlyMemory<byte> Record =>
        (_codec == ChunkCodec.None ? Raw : _encoded).AsMemory(0, PackFormat.RecordHeaderSize + _storedLength);

    /// <summary>Names the chunk by its bytes.</summary>
    public void Hash()
    {
        System.Security.Cryptography.SHA256.HashData(Raw.AsSpan(PackFormat.RecordHeaderSize, Length), _sha256);
        Key = Convert.ToHexStringLower(_sha256);
    }

    /// <summary>Makes the record.</summary>
    public void Encode(bool compress)
    {
        ReadOnlySpan<byte> raw = Raw.AsSpan(PackFormat.RecordHeaderSize, Length);
        _codec = ChunkCodec.None;
        _storedLength = compress ? ChunkEncoder.Encode(raw, _encoded, PackFormat.RecordHeaderSize, _scratch, out _codec) : Length;
        byte[] record = _codec == ChunkCodec.None ? Raw : _encoded;
        PackFormat.WriteRecordHeader(record, _codec, Length, _storedLength, _sha256);
    }

    public void Dispose()
    {
        pool.Return(Raw);
        pool.Return(_encoded);
        pool.Return(_scratch);
    }
}
