using ActorTrainer.Core.Tasks;

namespace ActorTrainer.Core.Tests.Tasks;

public sealed class ExponentialBackoffTests
{
    [Theory]
    [InlineData(-1, 100)]
    [InlineData(0, 100)]
    [InlineData(1, 200)]
    [InlineData(3, 800)]
    [InlineData(4, 1000)]
    [InlineData(int.MaxValue, 1000)]
    public void After_SoManyRepetitions_DoublesUpToTheLongest(int repetitions, int milliseconds) =>
        ExponentialBackoff
            .After(TimeSpan.FromMilliseconds(100), repetitions, TimeSpan.FromSeconds(1))
            .ShouldBe(TimeSpan.FromMilliseconds(milliseconds));

    [Fact]
    public void After_LongWaitsOftenRepeated_DoesNotOverflow() =>
        ExponentialBackoff.After(TimeSpan.FromDays(1), int.MaxValue, TimeSpan.FromDays(1)).ShouldBe(TimeSpan.FromDays(1));
}
