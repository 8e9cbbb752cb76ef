namespace ActorTrainer.Bench.Failover;

/// <summary>A span of time split by marks.</summary>
internal static class TimeParts
{
    /// <summary>
    /// The lengths of the parts between a beginning and marks, the last of which is the end, so that they add up to the whole. A mark that
    /// lies before the one before it, or was never seen (0), makes a part of no length.
    /// </summary>
    /// <param name="from">The beginning.</param>
    /// <param name="marks">Marks on the same clock.</param>
    public static long[] Between(long from, params ReadOnlySpan<long> marks)
    {
        long[] parts = new long[marks.Length];
        long before = from;
        long last = Math.Max(from, marks[^1]);
        for (int i = 0; i < marks.Length; i++)
        {
            long mark = Math.Clamp(marks[i], before, last);
            parts[i] = mark - before;
            before = mark;
        }

        return parts;
    }
}
