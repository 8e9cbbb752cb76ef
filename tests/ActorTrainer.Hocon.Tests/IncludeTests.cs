using ActorTrainer.Core.Configuration;

namespace ActorTrainer.Hocon.Tests;

public sealed class IncludeTests : IDisposable
{
    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("include \"sub/b.conf\"")]
    [InlineData("include \"sub/b\"")]
    [InlineData("include file(\"sub/b.conf\")")]
    [InlineData("include required(\"sub/b.conf\")")]
    [InlineData("include required( file( \"sub/b.conf\" ) )")]
    public void ReadFile_Include_IsReadAtItsPlace(string include)
    {
        _folder.Write("sub/b.conf", "include \"c.conf\"\nx = b, y = b");
        _folder.Write("sub/c.conf", "z = c");
        string path = _folder.Write("a.conf", $"x = a, y = a\n{include}\ny = again");

        ConfigObject root = HoconReader.ReadFile(path);

        HoconReaderTests.Json(root).ShouldBe("{'x':'b','y':'again','z':'c'}");
        root.At("x")!.Origin.ToString().ShouldBe(Path.Combine(_folder.Path, "sub/b.conf") + ":2:5");
        root.At("z")!.Origin.Folder.ShouldBe(Path.Combine(_folder.Path, "sub"));
    }

    [Fact]
    public void ReadFile_IncludeBelowKey_SeesItsOwnValuesFirst()
    {
        _folder.Write("inner.conf", "n = 1, m = ${n}, o = ${outside}, l += ${n}");
        string path = _folder.Write("a.conf", "outside = 9, n = 7\nk.sub { include \"inner.conf\", n = 2 }");

        HoconReaderTests.Json(HoconReader.ReadFile(path)).ShouldBe("{'outside':9,'n':7,'k':{'sub':{'n':2,'m':2,'o':9,'l':[2]}}}");
    }

    [Fact]
    public void ReadFile_MissingInclude_IsPassedOver() =>
        HoconReaderTests.Json(HoconReader.ReadFile(_folder.Write("a.conf", "include \"none.conf\"\nx = 1"))).ShouldBe("{'x':1}");

    [Fact]
    public void ReadFile_MissingRequiredInclude_SaysWhere()
    {
        string path = _folder.Write("a.conf", "x = 1\ninclude required(\"none.conf\")");

        Should
            .Throw<ConfigException>(() => HoconReader.ReadFile(path))
            .Message.ShouldBe(
                $"{path}:2:18: the required file 'none.conf' does not exist in {_folder.Path}. "
                    + "Create it, or correct the name (it is relative to the including file)."
            );
    }

    [Fact]
    public void ReadFile_IncludeOfItself_IsRefused()
    {
        string path = _folder.Write("a.conf", "include \"b.conf\"");
        string other = _folder.Write("b.conf", "include \"a.conf\"");

        Should
            .Throw<ConfigException>(() => HoconReader.ReadFile(path))
            .Message.ShouldBe($"{other}:1:9: 'a.conf' includes itself, by way of a.conf → b.conf. Remove one of the includes.");
    }

    [Fact]
    public void ReadFile_LongChainOfIncludes_IsRefused()
    {
        for (int i = 0; i < 150; i++)
        {
            _folder.Write($"f{i}.conf", $"include \"f{i + 1}.conf\"");
        }

        Should
            .Throw<ConfigException>(() => HoconReader.ReadFile(Path.Combine(_folder.Path, "f0.conf")))
            .Message.ShouldContain("nested more than 100 levels");
    }

    [Fact]
    public void ReadFile_IncludesThatDouble_AreRefused()
    {
        for (int i = 0; i < 40; i++)
        {
            _folder.Write($"f{i}.conf", $"include \"f{i + 1}.conf\"\ninclude \"f{i + 1}.conf\"");
        }

        _folder.Write("f40.conf", "x = 1");

        Should
            .Throw<ConfigException>(() => HoconReader.ReadFile(Path.Combine(_folder.Path, "f0.conf")))
            .Message.ShouldContain("the include number 1001");
    }

    [Fact]
    public void ReadFile_IncludeWithoutName_IsRefused()
    {
        string path = _folder.Write("a.conf", "include \"\"");

        Should
            .Throw<ConfigException>(() => HoconReader.ReadFile(path))
            .Message.ShouldBe($"{path}:1:9: the name of the included file is empty. Write include \"other.conf\".");
    }

    [Fact]
    public void ReadFile_MistakeInIncludedFile_NamesThatFile()
    {
        string path = _folder.Write("a.conf", "include \"b.conf\"");
        string other = _folder.Write("b.conf", "\nx = {");

        Should
            .Throw<ConfigException>(() => HoconReader.ReadFile(path))
            .Message.ShouldBe($"{other}:2:5: the object that begins here is not closed. Add '}}'.");
    }
}
