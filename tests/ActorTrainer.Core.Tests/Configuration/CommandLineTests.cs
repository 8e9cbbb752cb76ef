using ActorTrainer.Core.Configuration;

namespace ActorTrainer.Core.Tests.Configuration;

public sealed class CommandLineTests
{
    [Theory]
    [InlineData("python3 train.py --lr 0.1", "python3|train.py|--lr|0.1")]
    [InlineData("  a   b\t\n", "a|b")]
    [InlineData("a 'b c' \"d e\"", "a|b c|d e")]
    [InlineData("a '' b", "a||b")]
    [InlineData("a x'y z'w", "a|xy zw")]
    [InlineData("a b\\ c \\'", "a|b c|'")]
    [InlineData("a \"x\\\"y\\n\"", "a|x\"y\\n")]
    [InlineData("a '$HOME|x'", "a|$HOME|x")]
    [InlineData("a b~ c#d", "a|b~|c#d")]
    [InlineData("", "")]
    public void TrySplit_Text_HasItsWords(string text, string words)
    {
        CommandLine.TrySplit(text, out IReadOnlyList<string>? split, out _).ShouldBeTrue();

        string.Join('|', split!).ShouldBe(words);
    }

    [Theory]
    [InlineData("a | b", "'|' has a meaning only in a shell")]
    [InlineData("a $HOME", "'$' has a meaning only in a shell")]
    [InlineData("a > out", "'>' has a meaning only in a shell")]
    [InlineData("a *.py", "'*' has a meaning only in a shell")]
    [InlineData("a ~/x", "'~' has a meaning only in a shell")]
    [InlineData("a 'b", "a ' is not closed")]
    public void TrySplit_ShellSyntax_IsRefused(string text, string problem)
    {
        CommandLine.TrySplit(text, out _, out string said).ShouldBeFalse();

        said.ShouldStartWith(problem);
    }
}
