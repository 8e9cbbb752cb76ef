using ActorTrainer.Core.Configuration;

namespace ActorTrainer.Hocon.Tests;

public sealed class HoconReaderTests
{
    // The expected side is JSON as ConfigJson writes it. Most cases are examples of the HOCON specification.
    [Theory]
    [InlineData("", "{}")]
    [InlineData("# nothing\n// at all", "{}")]
    [InlineData("{ \"a\" : 1, }", "{'a':1}")]
    [InlineData("a = 1\nb : 2, c = 3", "{'a':1,'b':2,'c':3}")]
    [InlineData("a.b.c = 1, a.b.d = 2", "{'a':{'b':{'c':1,'d':2}}}")]
    [InlineData("a . b = 1", "{'a':{'b':1}}")]
    [InlineData("\"a.b\".c = 1", "{'a.b':{'c':1}}")]
    [InlineData("\"\".x = 1", "{'':{'x':1}}")]
    [InlineData("a b c : 1", "{'a b c':1}")]
    [InlineData("x\"y z\" = 1", "{'xy z':1}")]
    [InlineData("10.0foo = 1", "{'10':{'0foo':1}}")]
    [InlineData("a { b = 1 }\na { c = 2 }", "{'a':{'b':1,'c':2}}")]
    [InlineData("a { b = 1 }, a = 5, a { c = 2 }", "{'a':{'c':2}}")]
    [InlineData("a { b = 1 }, a = null, a { c = 2 }", "{'a':{'c':2}}")]
    [InlineData("a\n{ b = 1 }", "{'a':{'b':1}}")]
    [InlineData("a =\n  1", "{'a':1}")]
    [InlineData("a = [1, two, \"3\", true, null]", "{'a':[1,'two','3',true,null]}")]
    [InlineData("a = [\n1\n2 # two\n3,\n]", "{'a':[1,2,3]}")]
    [InlineData("a = [] # none", "{'a':[]}")]
    [InlineData("a = [[1, 2], [3, { b = 4 }]]", "{'a':[[1,2],[3,{'b':4}]]}")]
    [InlineData("a = [1, 2] [3]", "{'a':[1,2,3]}")]
    [InlineData("a = { b = 1 } { c = 2 }", "{'a':{'b':1,'c':2}}")]
    [InlineData("a = 10 ms", "{'a':'10 ms'}")]
    [InlineData("a = some  text here # comment", "{'a':'some  text here'}")]
    [InlineData("a = http // comment", "{'a':'http'}")]
    [InlineData("a = /usr/bin", "{'a':'/usr/bin'}")]
    [InlineData("a = -1.5e3, b = 007, c = 1.2.3", "{'a':-1.5e3,'b':'007','c':'1.2.3'}")]
    [InlineData("a = \"1\", b = \"true\"", "{'a':'1','b':'true'}")]
    [InlineData("a = \"\\\"\\\\\\/\\n\\t\\u00e9\"", "{'a':'\\u0022\\\\/\\n\\t\\u00E9'}")]
    [InlineData("a = \"\"\"one\n\\two\"\"\"\"", "{'a':'one\\n\\\\two\\u0022'}")]
    [InlineData("a = \"\"\"\"\"\"", "{'a':''}")]
    [InlineData("a = \"x\"y \"z\"", "{'a':'xy z'}")]
    [InlineData("a = 1\r\nb = 2\r\n", "{'a':1,'b':2}")]
    [InlineData("\uFEFFa = 1", "{'a':1}")]
    [InlineData("\"include\" = 1", "{'include':1}")]
    [InlineData("include.x = 1", "{'include':{'x':1}}")]
    [InlineData("includes.x = 1", "{'includes':{'x':1}}")]
    public void ReadText_ValidText_HasItsValues(string text, string expected) => ShouldRead(text, expected);

    [Theory]
    [InlineData("a = 1, b = ${a}", "{'a':1,'b':1}")]
    [InlineData("b = ${a}, a = 1", "{'b':1,'a':1}")]
    [InlineData("a = { x = 1 }, b = ${a} { y = 2 }", "{'a':{'x':1},'b':{'x':1,'y':2}}")]
    [InlineData("a = { x = 1 }, b = ${a}, b.y = 2", "{'a':{'x':1},'b':{'x':1,'y':2}}")]
    [InlineData("a = [1], b = ${a} [2]", "{'a':[1],'b':[1,2]}")]
    [InlineData("animal = dog, a = the ${animal}s run", "{'animal':'dog','a':'the dogs run'}")]
    [InlineData("a = ${?none}", "{}")]
    [InlineData("a = 1, a = ${?none}", "{'a':1}")]
    [InlineData("a = [${?none}, 1]", "{'a':[1]}")]
    [InlineData("a = ${?none}${?none}", "{}")]
    [InlineData("a = ${?none}x", "{'a':'x'}")]
    [InlineData("a = ${?none} [1]", "{'a':[1]}")]
    [InlineData("bar { foo = 42, baz = ${bar.foo} }", "{'bar':{'foo':42,'baz':42}}")]
    [InlineData("bar { foo = 42, baz = ${bar.foo} }, bar { foo = 43 }", "{'bar':{'foo':43,'baz':43}}")]
    [InlineData(
        "bar { a = ${foo.d}, b = 1 }, bar.b = 3, foo { c = ${bar.b}, d = 2 }, foo.d = 4",
        "{'bar':{'a':4,'b':3},'foo':{'c':3,'d':4}}"
    )]
    [InlineData("path = \"a:b\", path = ${path}\":c\"", "{'path':'a:b:c'}")]
    [InlineData("path = a, path = ${path}b, path = ${path}c", "{'path':'abc'}")]
    [InlineData("a = ${?a}foo", "{'a':'foo'}")]
    [InlineData("a = ${?a}", "{}")]
    [InlineData("foo { a { c = 1 } }, foo = ${foo.a}, foo { a = 2 }", "{'foo':{'a':2,'c':1}}")]
    [InlineData("a { b = 1 }, a = ${a} { c = 2 }", "{'a':{'b':1,'c':2}}")]
    [InlineData("bar { nested = [1] }, bar { nested = ${bar.nested} [2] }", "{'bar':{'nested':[1,2]}}")]
    [InlineData("a = [1], a = [${?a}, 2]", "{'a':[2]}")]
    [InlineData("a = [1], a = ${a} [${a}]", "{'a':[1,[1]]}")]
    [InlineData("a = [1], a += ${a}", "{'a':[1,[1]]}")]
    [InlineData("a { b = ${?a} }", "{'a':{}}")]
    [InlineData("a { b = 5, b = ${?a} }", "{'a':{'b':5}}")]
    [InlineData("a { b { x = 1 }, b = ${?a}, b { y = 2 } }", "{'a':{'b':{'x':1,'y':2}}}")]
    [InlineData("a = ${?b}, b { c = ${?a}, d = 1 }", "{'a':{'d':1},'b':{'d':1}}")]
    [InlineData("b = ${?a}, a = ${?b}foo", "{'b':'foo','a':'foo'}")]
    [InlineData("a = 1, b = ${a}, a = ${b}2, c = ${b}", "{'a':'12','b':'12','c':'12'}")]
    [InlineData("n = nu, a = ${n}ll, b = 5${n}", "{'n':'nu','a':'null','b':'5nu'}")]
    [InlineData("a = 1e+5, b = [-2.5E+3], c = 1e+5ms", "{'a':1e+5,'b':[-2.5E+3],'c':'1e\\u002B5ms'}")]
    [InlineData("foo = ${does-not-exist}, foo = 42", "{'foo':42}")]
    [InlineData("a += 1", "{'a':[1]}")]
    [InlineData("a = [1], a += 2\na += 3", "{'a':[1,2,3]}")]
    [InlineData("o { a = [1] }, o.a += { x = 2 }", "{'o':{'a':[1,{'x':2}]}}")]
    [InlineData("a = null, b = ${a}", "{'a':null,'b':null}")]
    [InlineData("a = \"x y\", b = ${ a }", "{'a':'x y','b':'x y'}")]
    [InlineData("\"a.b\" = 1, c = ${\"a.b\"}", "{'a.b':1,'c':1}")]
    [InlineData("base { n = 1, m = ${base.n} }, c = ${base} { n = 2 }", "{'base':{'n':1,'m':1},'c':{'n':2,'m':1}}")]
    public void ReadText_Substitutions_AreResolved(string text, string expected) => ShouldRead(text, expected);

    [Fact]
    public void ReadText_KnownValues_AreSeenAndLeftOut()
    {
        ConfigObject known = HoconReader.ReadText("made { port = 5, list = [a, { b = c }] }", "known");

        ConfigObject read = HoconReader.ReadText("own { port = ${made.port}, list = ${made.list}, text = \"p\"${made.port} }", "t", known);

        ConfigRenderer
            .Render(read, origins: false)
            .ShouldBe(
                ConfigRenderer.Render(HoconReader.ReadText("own { port = 5, list = [a, { b = c }], text = \"p5\" }", "t"), origins: false)
            );
        read.At("own", "port").ShouldNotBeNull().Origin.ToString().ShouldBe("known:1:15");
    }

    [Fact]
    public void ReadText_SubstitutionNotInText_ComesFromEnvironment()
    {
        Dictionary<string, string> environment = new()
        {
            ["HOME"] = "/home/x",
            ["N"] = "5",
            ["PATH"] = "/bin",
            ["a"] = "never",
        };

        ConfigObject root = HoconReader.ReadText(
            "a = ${HOME}/data, n = ${?N}, PATH = ${PATH}\":/opt\", none = ${?NONE}, self = ${?self}, nul = null, b = ${?nul}",
            "t.conf",
            environment
        );

        Json(root).ShouldBe("{'a':'/home/x/data','n':5,'PATH':'/bin:/opt','nul':null,'b':null}");
        root.At("n")!.Origin.ToString().ShouldBe("environment N");
        root.At("n")!.KeyOrigin!.ToString().ShouldBe("t.conf:1:19");
    }

    [Fact]
    public void ReadText_Append_DoesNotLookIntoEnvironment() =>
        Json(HoconReader.ReadText("PATH += x", "t.conf", new Dictionary<string, string> { ["PATH"] = "/bin" })).ShouldBe("{'PATH':['x']}");

    [Fact]
    public void ReadText_Values_KnowTheirPlaces()
    {
        ConfigObject root = HoconReader.ReadText("a {\n  b.c = [1,\n    two]\n}\na.b.d : \"x\"\n", "t.conf");

        root.At("a", "b", "c")!.Origin.ToString().ShouldBe("t.conf:2:9");
        root.At("a", "b", "c")!.KeyOrigin!.ToString().ShouldBe("t.conf:2:5");
        ((ConfigArray)root.At("a", "b", "c")!).Items[1].Origin.ToString().ShouldBe("t.conf:3:5");
        root.At("a", "b", "d")!.Origin.ToString().ShouldBe("t.conf:5:9");
        root.At("a", "b", "d").ShouldBeOfType<ConfigScalar>().Quoted.ShouldBeTrue();
    }

    [Fact]
    public void ReadText_LongChainOfAppends_IsRead()
    {
        string text = string.Concat(Enumerable.Range(0, 1_000).Select(i => $"a += {i}\n"));

        ((ConfigArray)HoconReader.ReadText(text, "t.conf").At("a")!).Items.Count.ShouldBe(1_000);
    }

    [Fact]
    public void ReadFiles_SeveralFiles_LaterWinsAndSeesEarlier()
    {
        using TestFolder folder = new();
        string one = folder.Write("one.conf", "a { x = 1, y = 1 }, base = /data");
        string two = folder.Write("two.conf", "a.x = 2, path = ${base}/two");

        ConfigObject root = HoconReader.ReadFiles([one, two]);

        Json(root).ShouldBe("{'a':{'x':2,'y':1},'base':'/data','path':'/data/two'}");
        root.At("a", "x")!.Origin.ToString().ShouldBe($"{two}:1:7");
        root.At("a", "x")!.Origin.Folder.ShouldBe(folder.Path);
        root.At("a", "y")!.Origin.ToString().ShouldBe($"{one}:1:16");
    }

    [Fact]
    public void Merge_Trees_KeepsPlacesAndPrefersTheUpper()
    {
        ConfigObject upper = HoconReader.ReadText("b { y = 2 }, c = 3, d = 1", "upper.conf");
        ConfigObject lower = HoconReader.ReadText("a = 1, b { x = 1, y = 1 }, c { z = 1 }", "lower.conf");

        ConfigObject merged = upper.Merge(lower);

        Json(merged).ShouldBe("{'a':1,'b':{'x':1,'y':2},'c':3,'d':1}");
        merged.At("b", "y")!.Origin.Source.ShouldBe("upper.conf");
        merged.At("b", "x")!.Origin.Source.ShouldBe("lower.conf");
    }

    internal static string Json(ConfigNode node) => ConfigJson.ToJson(node).GetRawText().Replace('"', '\'');

    private static void ShouldRead(string text, string expected) => Json(HoconReader.ReadText(text, "t.conf")).ShouldBe(expected);
}
