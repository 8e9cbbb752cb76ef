using ActorTrainer.Checkpoints.Bundles;

namespace ActorTrainer.Checkpoints.Tests.Bundles;

public sealed class IgnoreRulesTests
{
    /// <summary>Rules with ` | ` between, a path (a folder's ends with a slash), and whether git leaves it out.</summary>
    [Theory]
    [InlineData("*.log", "a.log", true)]
    [InlineData("*.log", "sub/deep/a.log", true)]
    [InlineData("*.log", "a.logs", false)]
    [InlineData("/*.log", "a.log", true)]
    [InlineData("/*.log", "sub/a.log", false)]
    [InlineData("data/", "data/", true)]
    [InlineData("data/", "sub/data/", true)]
    [InlineData("data/", "data", false)]
    [InlineData("/data", "data/", true)]
    [InlineData("/data", "sub/data", false)]
    [InlineData("sub/x", "sub/x", true)]
    [InlineData("sub/x", "other/sub/x", false)]
    [InlineData("**/x", "x", true)]
    [InlineData("**/x", "a/b/x", true)]
    [InlineData("a/**", "a/b/c", true)]
    [InlineData("a/**", "a/", false)]
    [InlineData("a/*" + "*/z", "a/z", true)]
    [InlineData("a/*" + "*/z", "a/b/c/z", true)]
    [InlineData("a/*" + "*/z", "ab/z", false)]
    [InlineData("foo**bar", "fooxbar", true)]
    [InlineData("sub/foo**bar", "sub/foo/bar", false)]
    [InlineData("sub/*", "sub/a/b", false)]
    [InlineData("?.txt", "a.txt", true)]
    [InlineData("?.txt", "ab.txt", false)]
    [InlineData("[a-c].txt", "b.txt", true)]
    [InlineData("[!a-c].txt", "b.txt", false)]
    [InlineData("[!a-c].txt", "d.txt", true)]
    [InlineData("[]x].txt", "].txt", true)]
    [InlineData("[[:digit:]]*", "7up", true)]
    [InlineData("[a", "[a", false)]
    [InlineData("# a comment", "# a comment", false)]
    [InlineData(@"\#file", "#file", true)]
    [InlineData(@"\!file", "!file", true)]
    [InlineData("trailing   ", "trailing", true)]
    [InlineData(@"trailing\ ", "trailing ", true)]
    [InlineData("", "a", false)]
    [InlineData("*.log | !keep.log", "keep.log", false)]
    [InlineData("*.log | !keep.log", "other.log", true)]
    [InlineData("!keep.log | *.log", "keep.log", true)]
    [InlineData("* | !*/ | !*.py", "deep/train.py", false)]
    [InlineData("* | !*/ | !*.py", "deep/train.sh", true)]
    [InlineData("a.b", "axb", false)]
    [InlineData("ä*", "äöü", true)]
    public void Excluding_Path_IsAsGitHasIt(string rules, string path, bool leftOut)
    {
        bool isFolder = path.EndsWith('/');

        string? by = IgnoreRules.Of(rules.Split(" | ")).Excluding(path.TrimEnd('/'), isFolder);

        (by is not null).ShouldBe(leftOut);
    }

    [Fact]
    public void Excluding_PatternThatWouldBacktrackForEver_AnswersAtOnce()
    {
        IgnoreRules rules = IgnoreRules.Of([string.Concat(Enumerable.Repeat("*a", 40)) + "b"]);

        rules.Excluding(new string('a', 5000), false).ShouldBeNull();
    }
}
