using ActorTrainer.Core.Configuration;

namespace ActorTrainer.Hocon.Tests;

public sealed class HoconErrorTests
{
    [Theory]
    [InlineData(
        "a = 127.0.0.1:7400",
        "t.conf:1:14: ':' follows a value. Put ',' or a line end before the next key, or put a value that contains this "
            + "character in double quotes."
    )]
    [InlineData("a {\n  b = 1\n", "t.conf:1:3: the object that begins here is not closed. Add '}'.")]
    [InlineData("a = 1\n}", "t.conf:2:1: '}' stands after the end of the configuration. Remove it, or add the '{' that it closes.")]
    [InlineData("{ a = 1 } b", "t.conf:1:11: 'b' stands after the end of the configuration. Remove it, or add the '{' that it closes.")]
    [InlineData("[1]", "t.conf:1:1: a configuration is an object, not an array. Begin with a key, for example actortrainer { … }.")]
    [InlineData("a = [1, 2", "t.conf:1:5: the array that begins here is not closed. Add ']'.")]
    [InlineData(
        "a = [1}",
        "t.conf:1:7: '}' follows an item of an array. Put ',' or a line end between items, or close the array with ']'."
    )]
    [InlineData("a = [,]", "t.conf:1:6: an item of the array is missing: ',' stands in its place. Write a value; \"\" is the empty text.")]
    [InlineData("a = [1,,2]", "t.conf:1:8: there is a ',' too many. Remove it.")]
    [InlineData("a", "t.conf:1:2: the end of the text follows the key 'a'. Write 'a = value' or 'a { … }'.")]
    [InlineData("a.b\nc = 1", "t.conf:1:4: the end of the line follows the key 'a.b'. Write 'a.b = value' or 'a.b { … }'.")]
    [InlineData(
        "a@b = 1",
        "t.conf:1:2: '@' follows the key 'a'. Write 'a = value' or 'a { … }'. A key that contains such a character needs double quotes."
    )]
    [InlineData(
        "a =",
        "t.conf:1:4: the value of 'a' is missing: the end of the text stands in its place. Write a value; \"\" is the empty text."
    )]
    [InlineData("o { a = }", "t.conf:1:9: the value of 'a' is missing: '}' stands in its place. Write a value; \"\" is the empty text.")]
    [InlineData("a = *", "t.conf:1:5: '*' cannot begin the value of 'a'. Put the value in double quotes.")]
    [InlineData("= 1", "t.conf:1:1: '=' stands where a key is expected. A key that contains such a character needs double quotes.")]
    [InlineData(
        "a..b = 1",
        "t.conf:1:3: this key has an empty part before or after a dot. Remove the dot, or write the empty part as \"\"."
    )]
    [InlineData(".a = 1", "t.conf:1:1: this key has an empty part before or after a dot. Remove the dot, or write the empty part as \"\".")]
    [InlineData("a. = 1", "t.conf:1:4: this key has an empty part before or after a dot. Remove the dot, or write the empty part as \"\".")]
    [InlineData(
        "x = 1\na = \"abc\nb = 1",
        "t.conf:2:5: this string has no closing quote on its line. Add '\"', or use three quotes for a text of several lines."
    )]
    [InlineData("a = \"\"\"abc\n", "t.conf:1:5: this text in three quotes is not closed. Add '\"\"\"'.")]
    [InlineData(
        "a = \"\\x\"",
        "t.conf:1:6: this is not an escape that a quoted string knows. "
            + "Use \\\\ for a backslash, or one of \\\" \\n \\t \\r \\b \\f \\/ \\uXXXX."
    )]
    [InlineData("a = \"\\u12g4\"", "t.conf:1:6: '\\u' needs four hexadecimal digits, for example \\u00e9.")]
    [InlineData("a = $HOME", "t.conf:1:5: '$' begins a substitution such as ${key}. Put a value with a plain '$' in double quotes.")]
    [InlineData(
        "a = ${b",
        "t.conf:1:5: this substitution is not complete: the end of the text stands where '}' is expected. Write ${key} or ${?key}."
    )]
    [InlineData("a = ${}", "t.conf:1:5: this substitution is not complete: '}' stands where a key is expected. Write ${key} or ${?key}.")]
    [InlineData(
        "\n\n  a = ${nope.x}",
        "t.conf:3:7: ${nope.x} is defined neither in the configuration nor in the environment. "
            + "Define it, or write ${?nope.x} if it may be missing."
    )]
    [InlineData(
        "a = ${a}",
        "t.conf:1:5: ${a} is defined neither in the configuration nor in the environment. Define it, or write ${?a} if it may be missing."
    )]
    [InlineData("a = ${b}\nb = ${a}", "t.conf:1:5: this value depends on itself by way of its substitutions. Remove one of them.")]
    [InlineData("a { b = ${a} }", "t.conf:1:9: this value contains itself by way of its substitutions. Remove one of them.")]
    [InlineData("a = [1] x", "t.conf:1:9: a text cannot be joined to an array on the same line. Put a line end or ',' between them.")]
    [InlineData(
        "a = 1 { b = 2 }",
        "t.conf:1:7: an object cannot be joined to a text on the same line. Put a line end or ',' between them."
    )]
    [InlineData(
        "a = [ { b += 1 } ]",
        "t.conf:1:9: 'b +=' does not work within an array, nor within another '+='. Write the whole list with '='."
    )]
    [InlineData(
        "x += { a += 1 }",
        "t.conf:1:8: 'a +=' does not work within an array, nor within another '+='. Write the whole list with '='."
    )]
    [InlineData(
        "x = 1\nx += 2",
        "t.conf:2:6: 'x +=' adds to a list, but x is a text until here (t.conf:1:5). Write a list there, or 'x =' here."
    )]
    [InlineData(
        "x = null\nx += 2",
        "t.conf:2:6: 'x +=' adds to a list, but x is null until here (t.conf:1:5). Write a list there, or 'x =' here."
    )]
    [InlineData(
        "a =\nb = 1",
        "t.conf:1:4: the value of 'a' is missing: the end of the line stands in its place. Write a value; \"\" is the empty text."
    )]
    [InlineData(
        "a = # c\nb += 1",
        "t.conf:1:5: the value of 'a' is missing: the end of the line stands in its place. Write a value; \"\" is the empty text."
    )]
    [InlineData(
        "a +=\nb { c = 1 }",
        "t.conf:1:5: the value of 'a' is missing: the end of the line stands in its place. Write a value; \"\" is the empty text."
    )]
    [InlineData(
        "include other.conf",
        "t.conf:1:9: 'other.conf' stands where 'include' needs the name of a file in double quotes. "
            + "Write include \"other.conf\"; a key of this name is written \"include\"."
    )]
    [InlineData(
        "include = 1",
        "t.conf:1:9: '=' stands where 'include' needs the name of a file in double quotes. Write include \"other.conf\"; "
            + "a key of this name is written \"include\"."
    )]
    [InlineData(
        "include \"http://x/y.conf\"",
        "t.conf:1:9: only files can be included. Write include \"other.conf\", include file(\"other.conf\") or include "
            + "required(\"other.conf\")."
    )]
    [InlineData(
        "a = \"x\ty\"",
        "t.conf:1:7: the control character U+0009 cannot stand in a quoted string. Write \\t, or use three quotes."
    )]
    [InlineData(
        "a = \"x\0y\"",
        "t.conf:1:7: the control character U+0000 cannot stand in a quoted string. Write \\u0000, or use three quotes."
    )]
    [InlineData(
        "a = \"abc\r\nb = 1",
        "t.conf:1:5: this string has no closing quote on its line. Add '\"', or use three quotes for a text of several lines."
    )]
    [InlineData("{ a = 1 } 😀", "t.conf:1:11: '😀' stands after the end of the configuration. Remove it, or add the '{' that it closes.")]
    [InlineData(
        "\uFEFFa = \"😀\" @",
        "t.conf:1:9: '@' follows a value. Put ',' or a line end before the next key, or put a value that contains this "
            + "character in double quotes."
    )]
    [InlineData("a = [1], a = [${a}, 2]", "t.conf:1:15: this value contains itself by way of its substitutions. Remove one of them.")]
    [InlineData("a = ${?b}, b = ${a}", "t.conf:1:5: this value depends on itself by way of its substitutions. Remove one of them.")]
    [InlineData(
        "a = 1+5",
        "t.conf:1:6: '+' follows a value. Put ',' or a line end before the next key, or put a value that contains this "
            + "character in double quotes."
    )]
    [InlineData(
        "include \"x.conf\"",
        "t.conf:1:1: only a file can include another one. Put this configuration in a file, or write the other one's content here."
    )]
    [InlineData(
        "include url(\"http://x\")",
        "t.conf:1:9: only files can be included. Write include \"other.conf\", include file(\"other.conf\") or include "
            + "required(\"other.conf\")."
    )]
    [InlineData("include required(\"x\"", "t.conf:1:21: the end of the text follows the included file's name. Add ')'.")]
    [InlineData(
        "a = 1 b = 2",
        "t.conf:1:9: '=' follows a value. Put ',' or a line end before the next key, or put a value that contains this "
            + "character in double quotes."
    )]
    public void ReadText_Mistake_SaysWhereWhatAndWhatToDo(string text, string message) =>
        Should.Throw<ConfigException>(() => HoconReader.ReadText(text, "t.conf")).Message.ShouldBe(message);

    [Fact]
    public void ReadText_DeepNesting_IsRefused()
    {
        foreach (string open in (string[])["[", "{ a = "])
        {
            string text = "a = " + string.Concat(Enumerable.Repeat(open, 100_000));

            Should.Throw<ConfigException>(() => HoconReader.ReadText(text, "t.conf")).Message.ShouldContain("nested more than 100 levels");
        }
    }

    [Fact]
    public void ReadText_GrowingSubstitutions_AreRefused()
    {
        string[] seeds = ["a0 = xxxxxxxxxx", "a0 = [1, 2]"];
        foreach (string seed in seeds)
        {
            string text = seed + "\n" + string.Concat(Enumerable.Range(1, 40).Select(i => $"a{i} = ${{a{i - 1}}}${{a{i - 1}}}\n"));

            Should.Throw<ConfigException>(() => HoconReader.ReadText(text, "t.conf")).Message.ShouldContain("Check the substitutions");
        }
    }

    [Fact]
    public void ReadText_LongChainOfSubstitutions_IsRefused()
    {
        string text = string.Concat(Enumerable.Range(0, 100_000).Select(i => $"a{i} = ${{a{i + 1}}}\n"));

        Should
            .Throw<ConfigException>(() => HoconReader.ReadText(text, "t.conf"))
            .Message.ShouldContain("chain of substitutions is too long");
    }

    [Fact]
    public void ReadFile_MissingFile_SaysSo() =>
        Should
            .Throw<ConfigException>(() => HoconReader.ReadFile("/nowhere/x.conf"))
            .Message.ShouldBe(
                "/nowhere/x.conf: this file does not exist (looked for /nowhere/x.conf). Correct the path or create the file."
            );

    [Theory]
    [InlineData("")]
    [InlineData(" ")]
    [InlineData("a\0b")]
    public void ReadFile_NoName_SaysSo(string path) =>
        Should
            .Throw<ConfigException>(() => HoconReader.ReadFile(path))
            .Message.ShouldBe($"'{path}': this is not the name of a file. Name a configuration file, for example node.conf.");

    [Fact]
    public void ReadText_CrossingCycles_EndSoon()
    {
        string all = string.Concat(Enumerable.Range(0, 30).Select(i => $"${{?a{i}}}"));
        string text = string.Concat(Enumerable.Range(0, 30).Select(i => $"a{i} = {all}\n"));

        Should.Throw<ConfigException>(() => HoconReader.ReadText(text, "t.conf")).Message.ShouldContain("too many cycles");
    }

    [Fact]
    public void ReadFile_Folder_SaysSo()
    {
        using TestFolder folder = new();

        Should
            .Throw<ConfigException>(() => HoconReader.ReadFile(folder.Path))
            .Message.ShouldBe($"{folder.Path}: this is a folder. Name the configuration file in it.");
    }

    [Fact]
    public void ReadFile_NotUtf8_NamesThePlace()
    {
        using TestFolder folder = new();
        string path = folder.Write("x.conf", "");
        File.WriteAllBytes(path, [.. "é = 1\n😀 = "u8, 0xE9, .. "\n"u8]);

        Should
            .Throw<ConfigException>(() => HoconReader.ReadFile(path))
            .Message.ShouldBe($"{path}:2:5: there is a byte here that is not UTF-8. Save the file as UTF-8.");
    }

    [Fact]
    public void ReadFile_TooLarge_IsRefused()
    {
        using TestFolder folder = new();
        string path = folder.Write("x.conf", "");
        using (FileStream file = File.OpenWrite(path))
        {
            file.SetLength((16 << 20) + 1);
        }

        Should.Throw<ConfigException>(() => HoconReader.ReadFile(path)).Message.ShouldContain("larger than 16 MiB");
    }
}
