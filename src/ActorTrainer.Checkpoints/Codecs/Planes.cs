using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace ActorTrainer.Checkpoints.Codecs;

/// <summary>Puts byte i of every word of 2 or 4 bytes into plane i, and back. The planes follow each other.</summary>
internal static class Planes
{
    /// <param name="source">Whole words.</param>
    /// <param name="planes">As long as the source.</param>
    /// <param name="width">Bytes of a word: 2 or 4.</param>
    public static void Split(ReadOnlySpan<byte> source, Span<byte> planes, int width)
    {
        int words = source.Length / width;
        if (width == 2)
        {
            Split2(MemoryMarshal.Cast<byte, ushort>(source), planes[..words], planes.Slice(words, words));
        }
        else
        {
            Split4(MemoryMarshal.Cast<byte, uint>(source), planes, words);
        }
    }

    /// <param name="planes">As long as the target.</param>
    /// <param name="target">Whole words.</param>
    /// <param name="width">Bytes of a word: 2 or 4.</param>
    public static void Join(ReadOnlySpan<byte> planes, Span<byte> target, int width)
    {
        int words = target.Length / width;
        if (width == 2)
        {
            Join2(planes[..words], planes.Slice(words, words), MemoryMarshal.Cast<byte, ushort>(target));
        }
        else
        {
            Join4(planes, MemoryMarshal.Cast<byte, uint>(target), words);
        }
    }

    private static void Split2(ReadOnlySpan<ushort> source, Span<byte> p0, Span<byte> p1)
    {
        int at = 0;
        Vector256<ushort> low = Vector256.Create((ushort)0xFF);
        if (BitConverter.IsLittleEndian && Vector256.IsHardwareAccelerated)
        {
            for (; at <= source.Length - 32; at += 32)
            {
                Vector256<ushort> a = Vector256.Create(source[at..]);
                Vector256<ushort> b = Vector256.Create(source[(at + 16)..]);
                Vector256.Narrow(a & low, b & low).CopyTo(p0[at..]);
                Vector256.Narrow(a >>> 8, b >>> 8).CopyTo(p1[at..]);
            }
        }

        ReadOnlySpan<byte> bytes = MemoryMarshal.AsBytes(source);
        for (; at < source.Length; at++)
        {
            (p0[at], p1[at]) = (bytes[at * 2], bytes[(at * 2) + 1]);
        }
    }

    private static void Split4(ReadOnlySpan<uint> source, Span<byte> planes, int words)
    {
        int at = 0;
        if (BitConverter.IsLittleEndian && Vector256.IsHardwareAccelerated)
        {
            Vector256<uint> low = Vector256.Create(0xFFu);
            for (; at <= words - 32; at += 32)
            {
                Vector256<uint> a = Vector256.Create(source[at..]);
                Vector256<uint> b = Vector256.Create(source[(at + 8)..]);
                Vector256<uint> c = Vector256.Create(source[(at + 16)..]);
                Vector256<uint> d = Vector256.Create(source[(at + 24)..]);
                for (int plane = 0; plane < 4; plane++)
                {
                    Vector256<ushort> first = Vector256.Narrow((a >>> (plane * 8)) & low, (b >>> (plane * 8)) & low);
                    Vector256<ushort> second = Vector256.Narrow((c >>> (plane * 8)) & low, (d >>> (plane * 8)) & low);
                    Vector256.Narrow(first, second).CopyTo(planes[((plane * words) + at)..]);
                }
            }
        }

        ReadOnlySpan<byte> bytes = MemoryMarshal.AsBytes(source);
        for (; at < words; at++)
        {
            for (int plane = 0; plane < 4; plane++)
            {
                planes[(plane * words) + at] = bytes[(at * 4) + plane];
            }
        }
    }

    private static void Join2(ReadOnlySpan<byte> p0, ReadOnlySpan<byte> p1, Span<ushort> target)
    {
        int at = 0;
        if (BitConverter.IsLittleEndian && Vector256.IsHardwareAccelerated)
        {
            for (; at <= target.Length - 32; at += 32)
            {
                (Vector256<ushort> lowA, Vector256<ushort> lowB) = Vector256.Widen(Vector256.Create(p0[at..]));
                (Vector256<ushort> highA, Vector256<ushort> highB) = Vector256.Widen(Vector256.Create(p1[at..]));
                (lowA | (highA << 8)).CopyTo(target[at..]);
                (lowB | (highB << 8)).CopyTo(target[(at + 16)..]);
            }
        }

        Span<byte> bytes = MemoryMarshal.AsBytes(target);
        for (; at < target.Length; at++)
        {
            (bytes[at * 2], bytes[(at * 2) + 1]) = (p0[at], p1[at]);
        }
    }

    private static void Join4(ReadOnlySpan<byte> planes, Span<uint> target, int words)
    {
        int at = 0;
        if (BitConverter.IsLittleEndian && Vector256.IsHardwareAccelerated)
        {
            for (; at <= words - 32; at += 32)
            {
                Vector256<uint> a = default;
                Vector256<uint> b = default;
                Vector256<uint> c = default;
                Vector256<uint> d = default;
                for (int plane = 0; plane < 4; plane++)
                {
                    (Vector256<ushort> first, Vector256<ushort> second) = Vector256.Widen(
                        Vector256.Create(planes[((plane * words) + at)..])
                    );
                    (Vector256<uint> wordsA, Vector256<uint> wordsB) = Vector256.Widen(first);
                    (Vector256<uint> wordsC, Vector256<uint> wordsD) = Vector256.Widen(second);
                    a |= wordsA << (plane * 8);
                    b |= wordsB << (plane * 8);
                    c |= wordsC << (plane * 8);
                    d |= wordsD << (plane * 8);
                }

                a.CopyTo(target[at..]);
                b.CopyTo(target[(at + 8)..]);
                c.CopyTo(target[(at + 16)..]);
                d.CopyTo(target[(at + 24)..]);
            }
        }

        Span<byte> bytes = MemoryMarshal.AsBytes(target);
        for (; at < words; at++)
        {
            for (int plane = 0; plane < 4; plane++)
            {
                bytes[(at * 4) + plane] = planes[(plane * words) + at];
            }
        }
    }
}
