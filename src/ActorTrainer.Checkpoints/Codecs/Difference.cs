using System.Numerics;

namespace ActorTrainer.Checkpoints.Codecs;

/// <summary>
/// The difference of two chunks: their exclusive or. What is equal becomes zero, and of numbers that moved a little the high bits do.
/// </summary>
internal static class Difference
{
    /// <summary>Makes of one chunk its difference to another one, and of that the chunk again.</summary>
    /// <param name="chunk">Is changed.</param>
    /// <param name="other">As long.</param>
    public static void Apply(Span<byte> chunk, ReadOnlySpan<byte> other)
    {
        int at = 0;
        for (; at <= chunk.Length - Vector<byte>.Count; at += Vector<byte>.Count)
        {
            (new Vector<byte>(chunk[at..]) ^ new Vector<byte>(other[at..])).CopyTo(chunk[at..]);
        }

        for (; at < chunk.Length; at++)
        {
            chunk[at] ^= other[at];
        }
    }
}
