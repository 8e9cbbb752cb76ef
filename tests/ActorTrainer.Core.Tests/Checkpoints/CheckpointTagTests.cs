using ActorTrainer.Core.Checkpoints;

namespace ActorTrainer.Core.Tests.Checkpoints;

public sealed class CheckpointTagTests
{
    [Theory]
    [InlineData("best", true)]
    [InlineData("v1.2-rc_3", true)]
    [InlineData("7", true)]
    [InlineData("", false)]
    [InlineData(null, false)]
    [InlineData("-best", false)]
    [InlineData(".", false)]
    [InlineData("a b", false)]
    [InlineData("a:b", false)]
    [InlineData("a/b", false)]
    [InlineData("größte", false)]
    [InlineData("c-3-1200-k3f9a2bc", false)]
    public void IsValid_OfAText_IsWhetherItCanBeATag(string? text, bool valid) => CheckpointTag.IsValid(text).ShouldBe(valid);

    [Fact]
    public void IsValid_OfALongText_EndsAtItsLimit()
    {
        CheckpointTag.IsValid(new string('a', CheckpointTag.MaxLength)).ShouldBeTrue();
        CheckpointTag.IsValid(new string('a', CheckpointTag.MaxLength + 1)).ShouldBeFalse();
    }
}
