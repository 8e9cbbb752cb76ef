using System.Buffers.Binary;
using ActorTrainer.Checkpoints.Codecs;

namespace ActorTrainer.Checkpoints;

/// <summary>
/// A pack: eight bytes <c>ATPACK1\n</c>, then records. A record is a header of 48 bytes (<c>CHNK</c>, codec, three zeros, raw length u32,
/// stored length u32, SHA-256 of the raw bytes; little endian) and the stored bytes. Which chunk a difference is to, the manifest says.
/// </summary>
internal static class PackFormat
{
    public const int FileHeaderSize = 8;
    public const int RecordHeaderSize = 48;

    public static ReadOnlySpan<byte> FileHeader => "ATPACK1\n"u8;

    /// <summary>Added to the codec where what is stored is the difference to another chunk.</summary>
    private const byte DifferenceFlag = 0x80;

    private static ReadOnlySpan<byte> RecordMark => "CHNK"u8;

    /// <param name="header">Takes it.</param>
    /// <param name="codec">How the bytes are encoded.</param>
    /// <param name="isDifference">Whether they are the difference to another chunk.</param>
    /// <param name="rawLength">Of the chunk.</param>
    /// <param name="storedLength">Of what follows.</param>
    /// <param name="sha256">Of the chunk's own raw bytes, also where a difference is stored.</param>
    public static void WriteRecordHeader(
        Span<byte> header,
        ChunkCodec codec,
        bool isDifference,
        int rawLength,
        int storedLength,
        ReadOnlySpan<byte> sha256
    )
    {
        RecordMark.CopyTo(header);
        header[4] = CodecByte(codec, isDifference);
        header[5..8].Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(header[8..], (uint)rawLength);
        BinaryPrimitives.WriteUInt32LittleEndian(header[12..], (uint)storedLength);
        sha256.CopyTo(header[16..]);
    }

    /// <summary>Whether a header says exactly what the manifest says of the chunk.</summary>
    public static bool Matches(
        ReadOnlySpan<byte> header,
        ChunkCodec codec,
        bool isDifference,
        int rawLength,
        int storedLength,
        ReadOnlySpan<byte> sha256
    ) =>
        header[..4].SequenceEqual(RecordMark)
        && header[4] == CodecByte(codec, isDifference)
        && !header[5..8].ContainsAnyExcept((byte)0)
        && BinaryPrimitives.ReadUInt32LittleEndian(header[8..]) == (uint)rawLength
        && BinaryPrimitives.ReadUInt32LittleEndian(header[12..]) == (uint)storedLength
        && header[16..RecordHeaderSize].SequenceEqual(sha256);

    private static byte CodecByte(ChunkCodec codec, bool isDifference) => (byte)((byte)codec | (isDifference ? DifferenceFlag : 0));
}
