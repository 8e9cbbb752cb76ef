using System.Globalization;
using ActorTrainer.Core.Configuration;
using FsCheck;
using FsCheck.Fluent;

namespace ActorTrainer.Core.Tests.Configuration;

public sealed class QuantitiesTests
{
    [Theory]
    [InlineData("200ms", 200)]
    [InlineData("200 ms", 200)]
    [InlineData(" 1 s ", 1_000)]
    [InlineData("1.5s", 1_500)]
    [InlineData("2 minutes", 120_000)]
    [InlineData("1 hour", 3_600_000)]
    [InlineData("0.5 d", 43_200_000)]
    [InlineData("1w", 604_800_000)]
    [InlineData("3000000 ns", 3)]
    [InlineData("4000us", 4)]
    [InlineData("0", 0)]
    [InlineData("-1 s", -1_000)]
    public void TryParseDuration_Duration_IsParsed(string text, double milliseconds)
    {
        Quantities.TryParseDuration(text, out TimeSpan duration, out _).ShouldBeTrue();

        duration.TotalMilliseconds.ShouldBe(milliseconds);
    }

    [Theory]
    [InlineData("200", "the unit is missing")]
    [InlineData("5 apples", "'apples' is not a unit of time")]
    [InlineData("5 MS", "'MS' is not a unit of time")]
    [InlineData("soon", "that is not a duration")]
    [InlineData("", "that is not a duration")]
    [InlineData("1.2.3 s", "that is not a duration")]
    [InlineData("1e3 s", "'e3 s' is not a unit of time")]
    [InlineData("9999999999999 d", "that is too long")]
    [InlineData("79228162514264337593543950335 d", "that is too long")]
    [InlineData("99999999999999999999999999999999999 s", "that is not a duration")]
    public void TryParseDuration_Other_SaysWhatIsWrong(string text, string problem)
    {
        Quantities.TryParseDuration(text, out _, out string said).ShouldBeFalse();

        said.ShouldStartWith(problem);
    }

    [Theory]
    [InlineData("10", 10)]
    [InlineData("64 MiB", 64L << 20)]
    [InlineData("10M", 10L << 20)]
    [InlineData("512k", 512L << 10)]
    [InlineData("1.5 KiB", 1536)]
    [InlineData("5 kB", 5_000)]
    [InlineData("2 GB", 2_000_000_000)]
    [InlineData("3g", 3L << 30)]
    [InlineData("1 T", 1L << 40)]
    [InlineData("7 bytes", 7)]
    public void TryParseSize_Size_IsParsed(string text, long bytes)
    {
        Quantities.TryParseSize(text, out long parsed, out _).ShouldBeTrue();

        parsed.ShouldBe(bytes);
    }

    [Theory]
    [InlineData("1 mb", "'mb' is not a unit of size")]
    [InlineData("lots", "that is not a size")]
    [InlineData("99999999999 P", "that is too large")]
    public void TryParseSize_Other_SaysWhatIsWrong(string text, string problem)
    {
        Quantities.TryParseSize(text, out _, out string said).ShouldBeFalse();

        said.ShouldStartWith(problem);
    }

    [Fact]
    public void Format_AnyDuration_ParsesBack() =>
        Prop.ForAll<long>(ticks =>
            {
                TimeSpan duration = TimeSpan.FromTicks(ticks);
                Quantities.TryParseDuration(Quantities.Format(duration), out TimeSpan parsed, out string problem).ShouldBeTrue(problem);
                parsed.ShouldBe(duration);
            })
            .Check(Config.QuickThrowOnFailure);

    [Theory]
    [InlineData(0, "0 B")]
    [InlineData(4096, "4 KiB")]
    [InlineData(1 << 20, "1 MiB")]
    [InlineData(1500, "1500 B")]
    public void FormatSize_Size_HasTheLargestWholeUnit(long bytes, string text) =>
        Quantities.FormatSize(bytes).ShouldBe(text, bytes.ToString(CultureInfo.InvariantCulture));
}
