using System.Buffers.Binary;
using ActorTrainer.Checkpoints.Codecs;

namespace ActorTrainer.Checkpoints;

/// <summary>
/// A pack: eight bytes <c>ATPACK1\n</c>, then records. A record is a header of 48 bytes (<c>CHNK</c>, codec, three zeros, raw length u32,
/// stored length u32, SHA-256 of the raw bytes; little endian) and the stored bytes. A pack can be read without its manifests.
/// </summary>
internal static class PackFormat
{
    public const int FileHeaderSize = 8;
    public const int RecordHeaderSize = 48;

    public static ReadOnlySpan<byte> FileHeader => "ATPACK1\n"u8;

    private static ReadOnlySpan<byte> RecordMark => "CHNK"u8;

    public static void WriteRecordHeader(Span<byte> header, ChunkCodec codec, int rawLength, int storedLength, ReadOnlySpan<byte> sha256)
    {
        RecordMark.CopyTo(header);
        header[4] = (byte)codec;
        header[5..8].Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(header[8..], (uint)rawLength);
        BinaryPrimitives.WriteUInt32LittleEndian(header[12..], (uint)storedLength);
        sha256.CopyTo(header[16..]);
    }

    /// <summary>Whether a header says exactly what the manifest says of the chunk.</summary>
    public static bool Matches(ReadOnlySpan<byte> header, ChunkCodec codec, int rawLength, int storedLength, ReadOnlySpan<byte> sha256) =>
        header[..4].SequenceEqual(RecordMark)
        && header[4] == (byte)codec
        && !header[5..8].ContainsAnyExcept((byte)0)
        && BinaryPrimitives.ReadUInt32LittleEndian(header[8..]) == (uint)rawLength
        && BinaryPrimitives.ReadUInt32LittleEndian(header[12..]) == (uint)storedLength
        && header[16..RecordHeaderSize].SequenceEqual(sha256);
}
