using System.IO.Compression;

namespace ActorTrainer.Checkpoints;

/// <summary>Raw deflate between arrays.</summary>
internal static class Deflater
{
    private static readonly ZLibCompressionOptions Matching = new() { CompressionLevel = 1 };

    // Bytes without order, as the exponents of weights are, have no matches to be found: Huffman coding alone comes out smaller than
    // level 1, which uses fixed codes, and several times faster than the levels that do not.
    private static readonly ZLibCompressionOptions Coding = new()
    {
        CompressionLevel = 1,
        CompressionStrategy = ZLibCompressionStrategy.HuffmanOnly,
    };

    /// <summary>Compresses into an array; -1 when more than <paramref name="limit"/> bytes would come out.</summary>
    /// <param name="source">What is compressed.</param>
    /// <param name="target">Where it goes, from the offset.</param>
    /// <param name="offset">Where in the target.</param>
    /// <param name="limit">The most that may come out.</param>
    /// <param name="huffmanOnly">Whether repeated strings are left alone.</param>
    public static int Compress(ReadOnlySpan<byte> source, byte[] target, int offset, int limit, bool huffmanOnly = false)
    {
        using BoundedSink sink = new(target, offset, limit);
        using (DeflateStream deflate = new(sink, huffmanOnly ? Coding : Matching, leaveOpen: true))
        {
            const int slice = 64 * 1024;
            for (int at = 0; at < source.Length && !sink.Overflowed; at += slice)
            {
                deflate.Write(source.Slice(at, Math.Min(slice, source.Length - at)));
            }
        }

        return sink.Overflowed ? -1 : sink.Written;
    }

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

    // Drops what does not fit instead of throwing: that a chunk does not shrink is the common case, not an error.
    private sealed class BoundedSink(byte[] target, int offset, int limit) : Stream
    {
        public int Written { get; private set; }

        public bool Overflowed { get; private set; }

        public override bool CanRead => false;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override void Write(ReadOnlySpan<byte> buffer)
        {
            if (Overflowed || buffer.Length > limit - Written)
            {
                Overflowed = true;
                return;
            }

            buffer.CopyTo(target.AsSpan(offset + Written));
            Written += buffer.Length;
        }

        public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

        public override void Flush() { }

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();
    }
}
