namespace ActorTrainer.Checkpoints.Codecs;

/// <summary>
/// Says whether it is faster to encode a chunk than to write it as it is, by what was measured of the saves of this store. A save goes as
/// fast as the slower of the two: its threads, which read, hash and encode, and its one writer. Safe for several threads.
/// </summary>
/// <param name="time">The clock.</param>
/// <param name="threads">How many read, hash and encode at once.</param>
internal sealed class CompressionPace(TimeProvider time, int threads)
{
    /// <summary>How much a new measurement weighs against those before.</summary>
    private const double Newest = 0.25;

    /// <summary>Less than this tells nothing of the speed of a disk.</summary>
    private const long FewestBytes = 8 << 20;

    /// <summary>One chunk in so many is encoded where that does not pay: it may have become faster, or the disk slower.</summary>
    private const int LooksAgain = 64;

    private readonly Lock _state = new();
    private readonly int[] _passedOver = new int[(int)ChunkCodec.Planes4 + 1];
    private readonly double?[] _encode = new double?[(int)ChunkCodec.Planes4 + 1];
    private double? _read;
    private double? _write;

    /// <summary>To measure from.</summary>
    public long Now => time.GetTimestamp();

    /// <summary>Whether a save is no slower with this codec than without any. What was not measured yet is tried.</summary>
    /// <param name="codec">The codec.</param>
    /// <param name="share">How much of the bytes it is expected to leave, from 0 to 1.</param>
    public bool Pays(ChunkCodec codec, double share)
    {
        lock (_state)
        {
            return (_read, _write, _encode[(int)codec]) is not ({ } read, { } write, { } encode)
                || Math.Max((read + encode) / threads, write * share) <= Math.Max(read / threads, write)
                || ++_passedOver[(int)codec] % LooksAgain == 0;
        }
    }

    /// <summary>A chunk was encoded.</summary>
    /// <param name="codec">How.</param>
    /// <param name="bytes">Its length.</param>
    /// <param name="since">When that began.</param>
    public void Encoded(ChunkCodec codec, int bytes, long since) => Measured(ref _encode[(int)codec], bytes, time.GetElapsedTime(since));

    /// <summary>A chunk was read and hashed.</summary>
    /// <param name="bytes">Its length.</param>
    /// <param name="since">When that began.</param>
    public void Read(int bytes, long since) => Measured(ref _read, bytes, time.GetElapsedTime(since));

    /// <summary>A pack was written and made durable.</summary>
    /// <param name="bytes">Its length.</param>
    /// <param name="took">How long its writer was at it.</param>
    public void Written(long bytes, TimeSpan took)
    {
        if (bytes >= FewestBytes)
        {
            Measured(ref _write, bytes, took);
        }
    }

    private void Measured(ref double? secondsPerByte, long bytes, TimeSpan took)
    {
        if (bytes == 0 || took <= TimeSpan.Zero)
        {
            return;
        }

        double now = took.TotalSeconds / bytes;
        lock (_state)
        {
            secondsPerByte = secondsPerByte is { } before ? before + (Newest * (now - before)) : now;
        }
    }
}
