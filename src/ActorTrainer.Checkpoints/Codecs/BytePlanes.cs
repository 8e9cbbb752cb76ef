using System.Buffers.Binary;

namespace ActorTrainer.Checkpoints.Codecs;

/// <summary>
/// The body of a chunk in planes: for each plane a byte that says how it stands (<see cref="PlaneForm"/>) and a length (u32, little
/// endian), then the planes, then the bytes left over at the chunk's end, which make no word.
/// </summary>
internal static class BytePlanes
{
    private const int HeaderOfEach = 5;

    /// <summary>Encodes; -1 when it would not fit into the target.</summary>
    /// <param name="raw">The chunk.</param>
    /// <param name="target">As long as may come out.</param>
    /// <param name="plan">Into how many planes, and what is done with each.</param>
    /// <param name="scratch">At least as long as the chunk.</param>
    /// <param name="coder">Codes planes.</param>
    public static int Encode(ReadOnlySpan<byte> raw, Span<byte> target, ChunkPlan plan, Span<byte> scratch, ZstdCoder coder)
    {
        int width = ChunkCodecNames.PlanesOf(plan.Codec);
        int words = raw.Length / width;
        ReadOnlySpan<byte> rest = raw[(words * width)..];
        int at = width * HeaderOfEach;
        if (target.Length < at + rest.Length)
        {
            return -1;
        }

        Planes.Split(raw[..(words * width)], scratch, width);
        for (int plane = 0; plane < width; plane++)
        {
            (PlaneForm form, int stored) = EncodePlane(
                scratch.Slice(plane * words, words),
                target[at..^rest.Length],
                plan.Efforts[plane],
                coder
            );
            if (stored < 0)
            {
                return -1;
            }

            Span<byte> header = target.Slice(plane * HeaderOfEach, HeaderOfEach);
            header[0] = (byte)form;
            BinaryPrimitives.WriteUInt32LittleEndian(header[1..], (uint)stored);
            at += stored;
        }

        rest.CopyTo(target[at..]);
        return at + rest.Length;
    }

    /// <summary>Decodes to exactly the target's length; false when the bytes are not such a body.</summary>
    public static bool TryDecode(
        ChunkCodec codec,
        byte[] source,
        int offset,
        int length,
        Span<byte> raw,
        Span<byte> scratch,
        ZstdCoder coder
    )
    {
        int width = ChunkCodecNames.PlanesOf(codec);
        int words = raw.Length / width;
        int rest = raw.Length % width;
        if (length < (width * HeaderOfEach) + rest)
        {
            return false;
        }

        int at = width * HeaderOfEach;
        for (int plane = 0; plane < width; plane++)
        {
            ReadOnlySpan<byte> header = source.AsSpan(offset + (plane * HeaderOfEach), HeaderOfEach);
            uint stored = BinaryPrimitives.ReadUInt32LittleEndian(header[1..]);
            if (stored > length - at - rest)
            {
                return false;
            }

            Span<byte> target = scratch.Slice(plane * words, words);
            bool isOld = codec == ChunkCodec.Planes4Deflate;
            ReadOnlySpan<byte> body = source.AsSpan(offset + at, (int)stored);
            switch ((PlaneForm)header[0])
            {
                case PlaneForm.AsItIs when stored == words:
                    body.CopyTo(target);
                    break;
                case PlaneForm.Deflate when isOld && Deflater.TryExpand(source, offset + at, (int)stored, target):
                    break;
                case PlaneForm.Zstd when !isOld && coder.TryExpand(body, target):
                    break;
                case PlaneForm.Constant when !isOld && stored == 1:
                    target.Fill(body[0]);
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

        Planes.Join(scratch, raw[..(words * width)], width);
        source.AsSpan(offset + at, rest).CopyTo(raw[(words * width)..]);
        return true;
    }

    private static (PlaneForm Form, int Stored) EncodePlane(
        ReadOnlySpan<byte> plane,
        Span<byte> target,
        ZstdEffort? effort,
        ZstdCoder coder
    )
    {
        if (effort is { } tried)
        {
            if (plane.Length > 1 && target.Length > 0 && !plane.ContainsAnyExcept(plane[0]))
            {
                target[0] = plane[0];
                return (PlaneForm.Constant, 1);
            }

            Span<byte> room = target[..Math.Min(target.Length, Math.Max(0, plane.Length - 1))];
            int stored = coder.Compress(plane, room, tried == ZstdEffort.Thorough ? ZstdEffort.Coding : tried);
            if (tried == ZstdEffort.Thorough)
            {
                // A search finds repetitions, but mostly costs more than it brings where there are none.
                int searched = coder.Compress(plane, stored < 0 ? room : room[..stored], tried);
                stored = searched >= 0 || stored < 0 ? searched : coder.Compress(plane, room, ZstdEffort.Coding);
            }

            if (stored >= 0)
            {
                return (PlaneForm.Zstd, stored);
            }
        }

        return plane.TryCopyTo(target) ? (PlaneForm.AsItIs, plane.Length) : (PlaneForm.AsItIs, -1);
    }

    /// <summary>How a plane stands. The numbers are part of the format.</summary>
    private enum PlaneForm : byte
    {
        AsItIs = 0,
        Deflate = 1,
        Zstd = 2,

        /// <summary>All of its bytes are this one.</summary>
        Constant = 3,
    }
}
