using System.IO.Compression;

namespace ActorTrainer.Checkpoints.Codecs;

/// <summary>Reads the raw deflate streams of checkpoints of 0.2.</summary>
internal static class Deflater
{
    /// <summary>
    /// Expands to exactly the target's length; false when the bytes are not such a stream. A stream that lacks only its end mark is
    /// let through: whoever calls compares a hash.
    /// </summary>
    public static bool TryExpand(byte[] source, int offset, int length, Span<byte> target)
    {
        try
        {
            using MemoryStream stored = new(source, offset, length, writable: false);
            using DeflateStream inflate = new(stored, CompressionMode.Decompress);
            Span<byte> beyond = stackalloc byte[1];
            return inflate.ReadAtLeast(target, target.Length, throwOnEndOfStream: false) == target.Length && inflate.Read(beyond) == 0;
        }
        catch (InvalidDataException)
        {
            return false;
        }
    }
}
