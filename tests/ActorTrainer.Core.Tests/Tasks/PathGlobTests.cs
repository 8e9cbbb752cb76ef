using ActorTrainer.Core.Tasks;

namespace ActorTrainer.Core.Tests.Tasks;

public sealed class PathGlobTests
{
    [Theory]
    [InlineData("snapshot.pt", "snapshot.pt", true)]
    [InlineData("snapshot.pt", "runs/snapshot.pt", false)]
    [InlineData("snapshot.pt", "snapshotxpt", false)]
    [InlineData("runs/*/checkpoints", "runs/1/checkpoints", true)]
    [InlineData("runs/*/checkpoints", "runs/1/2/checkpoints", false)]
    [InlineData("runs/*/checkpoints", "runs/1/checkpoints/c", false)]
    [InlineData("step-?.pt", "step-1.pt", true)]
    [InlineData("step-?.pt", "step-10.pt", false)]
    [InlineData("?", "/", false)]
    [InlineData("**/*.pt", "a.pt", true)]
    [InlineData("**/*.pt", "a/b/c.pt", true)]
    [InlineData("runs/**", "runs/a/b", true)]
    [InlineData("runs/**", "runs", false)]
    [InlineData("a**b", "a/b", false)]
    [InlineData("[a].pt", "[a].pt", true)]
    [InlineData("[a].pt", "a.pt", false)]
    [InlineData("a.pt\n", "a.pt", false)]
    public void Matches_PlainPattern_IsTheWholePath(string pattern, string path, bool matches) =>
        PathGlob.Plain(pattern).Matches(path).ShouldBe(matches);

    [Theory]
    [InlineData("[a")]
    [InlineData(@"a\")]
    public void WithSets_Malformed_IsNothing(string pattern) => PathGlob.WithSets(pattern).ShouldBeNull();
}
