using ActorTrainer.Checkpoints.S3;

namespace ActorTrainer.Checkpoints.Tests.S3;

public sealed class S3PartsTests
{
    [Theory]
    [InlineData(8 << 20, 1L << 30, 8 << 20)]
    [InlineData(8 << 20, 80L << 30, 8_589_935)]
    [InlineData(8 << 20, 1L << 40, 109_951_163)]
    public void PartSizeFor_AnyPack_NeedsNoMoreThanTheMostParts(int asked, long atMost, int expected)
    {
        int size = S3Upload.PartSizeFor(asked, atMost);
        size.ShouldBe(expected);
        ((atMost + size - 1) / size).ShouldBeLessThanOrEqualTo(10_000);
    }

    [Fact]
    public void MostFor_IncompressibleSmallChunks_CountsTheirHeaders() =>
        PackWriter.MostFor(10 * 4096, 3).ShouldBe(8 + (10 * 4096) + (13 * 48));

    [Fact]
    public void PauseAfter_ManyFailures_DoublesAndStaysBounded()
    {
        for (int failed = 0; failed < 40; failed++)
        {
            double most = 100 * Math.Pow(2, Math.Min(failed, 6));
            S3Retry.PauseAfter(failed).TotalMilliseconds.ShouldBeInRange(most / 2, most);
        }
    }

    [Theory]
    [InlineData("bytes 8-15/100", 8, true, 100)]
    [InlineData("bytes 0-15/100", 8, false, 0)]
    [InlineData("bytes 8-15/*", 8, false, 0)]
    [InlineData("bytes 8-15/4", 8, false, 4)]
    [InlineData(null, 8, false, 0)]
    public void TryParseRange_HeaderOfAnAnswer_IsMistrusted(string? text, long offset, bool expected, long length)
    {
        S3Bucket.TryParseRange(text, offset, out long actual).ShouldBe(expected);
        actual.ShouldBe(length);
    }
}
