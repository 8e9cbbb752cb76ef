using System.Buffers.Binary;

namespace ActorTrainer.Checkpoints;

/// <summary>
/// The body of a <see cref="ChunkCodec.Planes4"/> chunk: for each plane one method byte (0 as it is, 1 deflate) and a length (u32,
/// little endian), then the four planes, then the 0 to 3 bytes left over at the chunk's end.
/// </summary>
internal static class BytePlanes
{
    private const int Planes = 4;
    private const int HeaderSize = Planes * 5;

    // Bits a byte, from which a plane is left as it is, and below which runs and repetitions may beat a code of at least one bit a byte.
    private const double Incompressible = 7.75;
    private const double Repetitive = 1.3;

    /// <summary>Puts byte i of every 4-byte word into plane i.</summary>
    public static void Split(ReadOnlySpan<byte> source, Span<byte> planes)
    {
        int words = source.Length / Planes;
        Span<byte> p0 = planes[..words];
        Span<byte> p1 = planes.Slice(words, words);
        Span<byte> p2 = planes.Slice(words * 2, words);
        Span<byte> p3 = planes.Slice(words * 3, words);
        for (int i = 0; i < words; i++)
        {
            uint word = BinaryPrimitives.ReadUInt32LittleEndian(source[(i * Planes)..]);
            p0[i] = (byte)word;
            p1[i] = (byte)(word >> 8);
            p2[i] = (byte)(word >> 16);
            p3[i] = (byte)(word >> 24);
        }
    }

    /// <summary>
    /// How many bytes <see cref="Encode"/> would need for this, judged by the frequencies of bytes. Scratch holds the split planes.
    /// </summary>
    public static int Estimate(ReadOnlySpan<byte> raw, byte[] scratch)
    {
        int words = raw.Length / Planes;
        Split(raw, scratch);
        double bits = 0;
        for (int plane = 0; plane < Planes; plane++)
        {
            double entropy = Entropy(scratch.AsSpan(plane * words, words));
            bits += words * (entropy < Incompressible ? entropy : 8);
        }

        return HeaderSize + (int)(bits / 8);
    }

    /// <summary>Encodes; -1 when it would not fit into the limit. The scratch array holds the split planes.</summary>
    public static int Encode(ReadOnlySpan<byte> raw, byte[] target, int offset, int limit, byte[] scratch)
    {
        int words = raw.Length / Planes;
        Split(raw, scratch);
        int at = HeaderSize;
        for (int plane = 0; plane < Planes; plane++)
        {
            ReadOnlySpan<byte> bytes = scratch.AsSpan(plane * words, words);
            double entropy = Entropy(bytes);
            int room = Math.Min(limit - at, words - 1);
            int stored =
                entropy < Incompressible && room > 0
                    ? Deflater.Compress(bytes, target, offset + at, room, huffmanOnly: entropy > Repetitive)
                    : -1;
            bool compressed = stored >= 0;
            if (!compressed)
            {
                if (words > limit - at)
                {
                    return -1;
                }

                bytes.CopyTo(target.AsSpan(offset + at));
                stored = words;
            }

            Span<byte> header = target.AsSpan(offset + (plane * 5), 5);
            header[0] = compressed ? (byte)1 : (byte)0;
            BinaryPrimitives.WriteUInt32LittleEndian(header[1..], (uint)stored);
            at += stored;
        }

        ReadOnlySpan<byte> rest = raw[(words * Planes)..];
        if (rest.Length > limit - at)
        {
            return -1;
        }

        rest.CopyTo(target.AsSpan(offset + at));
        return at + rest.Length;
    }

    /// <summary>Decodes to exactly the target's length; false when the bytes are not such a body.</summary>
    public static bool TryDecode(byte[] source, int offset, int length, Span<byte> raw, byte[] scratch)
    {
        int words = raw.Length / Planes;
        int rest = raw.Length % Planes;
        if (length < HeaderSize + rest)
        {
            return false;
        }

        int at = HeaderSize;
        for (int plane = 0; plane < Planes; plane++)
        {
            ReadOnlySpan<byte> header = source.AsSpan(offset + (plane * 5), 5);
            uint stored = BinaryPrimitives.ReadUInt32LittleEndian(header[1..]);
            if (stored > length - at - rest)
            {
                return false;
            }

            Span<byte> target = scratch.AsSpan(plane * words, words);
            switch (header[0])
            {
                case 0 when stored == words:
                    source.AsSpan(offset + at, words).CopyTo(target);
                    break;
                case 1 when Deflater.TryExpand(source, offset + at, (int)stored, target):
                    break;
                default:
                    return false;
            }

            at += (int)stored;
        }

        if (at + rest != length)
        {
            return false;
        }

        Join(scratch, raw[..(words * Planes)]);
        source.AsSpan(offset + at, rest).CopyTo(raw[(words * Planes)..]);
        return true;
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

        double bits = 0;
        foreach (int count in counts)
        {
            bits += count == 0 ? 0 : count * Math.Log2((double)bytes.Length / count);
        }

        return bytes.Length == 0 ? 0 : bits / bytes.Length;
    }

    private static void Join(ReadOnlySpan<byte> planes, Span<byte> raw)
    {
        int words = raw.Length / Planes;
        ReadOnlySpan<byte> p0 = planes[..words];
        ReadOnlySpan<byte> p1 = planes.Slice(words, words);
        ReadOnlySpan<byte> p2 = planes.Slice(words * 2, words);
        ReadOnlySpan<byte> p3 = planes.Slice(words * 3, words);
        for (int i = 0; i < words; i++)
        {
            uint word = p0[i] | ((uint)p1[i] << 8) | ((uint)p2[i] << 16) | ((uint)p3[i] << 24);
            BinaryPrimitives.WriteUInt32LittleEndian(raw[(i * Planes)..], word);
        }
    }
}
