namespace ActorTrainer.Bench.Common;

/// <summary>The monotonic clock that all processes of a machine share, in milliseconds, and its relation to the wall clock.</summary>
internal static class BenchClock
{
    public static long Now => (long)(TimeProvider.System.GetTimestamp() * 1000.0 / TimeProvider.System.TimestampFrequency);

    /// <summary>When a time of this machine's wall clock was; right as long as that clock was not set since.</summary>
    public static long At(DateTimeOffset wall) => Now - (long)(TimeProvider.System.GetUtcNow() - wall).TotalMilliseconds;
}
