using ActorTrainer.Checkpoints.Codecs;
using Microsoft.Extensions.Time.Testing;

namespace ActorTrainer.Checkpoints.Tests;

/// <summary>When it is faster to encode than to write more.</summary>
public sealed class CompressionPaceTests
{
    private const long Bytes = 100 << 20;

    private readonly FakeTimeProvider _time = new();

    [Fact]
    public void Pays_NothingIsMeasured_IsTried() => new CompressionPace(_time, threads: 2).Pays(ChunkCodec.Planes4, 0.9).ShouldBeTrue();

    /// <summary>Milliseconds for 100 MiB: of one thread to read and hash, of one thread to encode, of the disk.</summary>
    [Theory]
    // The disk is what a save waits for.
    [InlineData(100, 100, 1000, 0.8, true)]
    // It is fast, and the threads have nothing to spare.
    [InlineData(100, 100, 20, 0.8, false)]
    // It is a little slower than the threads, which would be slower than it with more to do.
    [InlineData(100, 100, 60, 0.9, false)]
    [InlineData(100, 10, 60, 0.9, true)]
    public void Pays_SpeedsAreMeasured_NoSaveIsSlower(int read, int encode, int write, double share, bool pays)
    {
        CompressionPace pace = Measured(read, encode, write);

        pace.Pays(ChunkCodec.Planes4, share).ShouldBe(pays);
    }

    /// <summary>Else one slow moment would decide for the life of a node.</summary>
    [Fact]
    public void Pays_ItDoesNot_IsTriedNowAndThen()
    {
        CompressionPace pace = Measured(read: 100, encode: 100, write: 20);

        Enumerable.Range(0, 640).Count(_ => pace.Pays(ChunkCodec.Planes4, 0.8)).ShouldBe(10);
    }

    /// <summary>The first write of a small state ends in memory.</summary>
    [Fact]
    public void Written_FewBytes_TellsNothing()
    {
        CompressionPace pace = Measured(read: 100, encode: 100, write: 1000);
        for (int i = 0; i < 100; i++)
        {
            pace.Written(1 << 20, TimeSpan.FromMicroseconds(1));
        }

        pace.Pays(ChunkCodec.Planes4, 0.8).ShouldBeTrue();
    }

    private CompressionPace Measured(int read, int encode, int write)
    {
        CompressionPace pace = new(_time, threads: 2);
        pace.Read((int)Bytes, Began(read));
        pace.Encoded(ChunkCodec.Planes4, (int)Bytes, Began(encode));
        pace.Written(Bytes, TimeSpan.FromMilliseconds(write));
        return pace;
    }

    private long Began(int milliseconds)
    {
        long began = _time.GetTimestamp();
        _time.Advance(TimeSpan.FromMilliseconds(milliseconds));
        return began;
    }
}
