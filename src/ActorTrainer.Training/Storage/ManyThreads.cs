using System.Runtime.ExceptionServices;

namespace ActorTrainer.Training.Storage;

/// <summary>Copies that one thread does not do at the speed of the memory.</summary>
internal static unsafe class ManyThreads
{
    /// <summary>Of more than this at once several threads copy: to get them to work takes as long as a copy of this size.</summary>
    private const int ByOneThread = 64 << 20;
    private static readonly int Most = Math.Clamp(Environment.ProcessorCount, 1, 4);

    /// <summary>What is done with a part of a piece of memory.</summary>
    /// <param name="part">The part.</param>
    /// <param name="offset">Where it begins in the whole.</param>
    public delegate void Part(Span<byte> part, int offset);

    /// <summary>Divides a piece of memory between threads; has it done as a whole when it is small.</summary>
    /// <remarks>Throws the first error itself, not a bundle.</remarks>
    public static void Do(Span<byte> whole, Part work)
    {
        if (whole.Length <= ByOneThread || Most == 1)
        {
            work(whole, 0);
            return;
        }

        int part = (whole.Length + Most - 1) / Most;
        fixed (byte* start = whole)
        {
            // A lambda takes no pointer of a fixed statement itself.
            byte* to = start;
            int length = whole.Length;
            try
            {
                _ = Parallel.For(0, Most, i => work(new Span<byte>(to + ((long)i * part), Math.Min(part, length - (i * part))), i * part));
            }
            catch (AggregateException problems)
            {
                ExceptionDispatchInfo.Throw(problems.InnerExceptions[0]);
            }
        }
    }
}
