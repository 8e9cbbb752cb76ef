using ActorTrainer.Core.Configuration;
using FsCheck;
using FsCheck.Fluent;

namespace ActorTrainer.Hocon.Tests;

public sealed class RoundTripTests
{
    private static readonly ConfigOrigin Origin = new("generated\nfile", 3, 7);

    private static readonly Gen<string> AnyText = ArbMap.Default.GeneratorFor<string?>().Select(s => s ?? "");

    private static readonly Gen<string> Awkward = Gen.Elements(
        "",
        " ",
        "null",
        "true",
        "1.50",
        "a b",
        " a",
        "a ",
        "${x}",
        "\"",
        "\"\"\"",
        "\\",
        "a//b",
        "# no",
        "a,b",
        "{",
        "]",
        "\n",
        "\u2028",
        "\uFEFF",
        "\0",
        "😀",
        "include"
    );

    private static readonly Gen<string> Plain = Gen.Elements("x", "value", "a b", "10 ms", "1", "-2.5", "1e9", "true", "a.b/c", "50%");

    private static readonly Gen<ConfigNode> Scalar = Gen.OneOf(
        Gen.OneOf(AnyText, Awkward).Select(t => (ConfigNode)new ConfigScalar(Origin, t, Quoted: true)),
        Plain.Select(t => (ConfigNode)new ConfigScalar(Origin, t, Quoted: false)),
        Gen.Constant((ConfigNode)new ConfigScalar(Origin, null, Quoted: false))
    );

    [Fact]
    public void Render_AnyTree_ReadsBackTheSame() =>
        Prop.ForAll(
                Arb.From(Gen.Sized(size => Object(Math.Min(size, 12)))),
                config =>
                {
                    foreach (bool origins in (bool[])[true, false])
                    {
                        string text = ConfigRenderer.Render((ConfigObject)config, origins);
                        ShouldBeSame(HoconReader.ReadText(text, "rendered"), config, text);
                    }
                }
            )
            .Check(Config.QuickThrowOnFailure.WithMaxTest(200));

    [Fact]
    public void Render_Values_AreFollowedByTheirPlaces()
    {
        ConfigObject root = HoconReader.ReadText(
            "a { b = 5 s, c = \"x:y\", d = [1, \"two\"], e {}, f = null }\nlist = [{ g = 1 }, [2]]",
            "t.conf"
        );

        ConfigRenderer
            .Render(root)
            .ShouldBe(
                """
                a {
                  b = 5 s  # t.conf:1:9
                  c = "x:y"  # t.conf:1:18
                  d = [1, "two"]  # t.conf:1:29
                  e {}
                  f = null  # t.conf:1:51
                }
                list = [
                  {
                    g = 1  # t.conf:2:15
                  }
                  [2]
                ]

                """
            );
    }

    [Fact]
    public void Render_NumbersAndTextsLikeThem_StayWhatTheyAre()
    {
        ConfigObject root = HoconReader.ReadText("x = 2, a = 1e+5, b = 1${x}, c = tr ue, d = \"5\"", "t.conf");

        string text = ConfigRenderer.Render(root, origins: false);

        text.ShouldBe("x = 2\na = 1e5\nb = \"12\"\nc = tr ue\nd = \"5\"\n");
        HoconReaderTests.Json(HoconReader.ReadText(text, "rendered")).ShouldBe("{'x':2,'a':1e5,'b':'12','c':'tr ue','d':'5'}");
    }

    private static Gen<ConfigNode> Object(int size) =>
        from fields in (
            from key in Gen.OneOf(Awkward, AnyText, Plain)
            from value in Node(size / 2)
            select KeyValuePair.Create(key, value)
        ).ListOf()
        select (ConfigNode)new ConfigObject(Origin, [.. fields.DistinctBy(f => f.Key)]);

    private static Gen<ConfigNode> Node(int size) =>
        size < 1
            ? Scalar
            : Gen.OneOf(Scalar, Object(size), Node(size / 2).ListOf().Select(items => (ConfigNode)new ConfigArray(Origin, [.. items])));

    private static void ShouldBeSame(ConfigNode actual, ConfigNode expected, string text)
    {
        switch (expected)
        {
            case ConfigScalar scalar:
                ConfigScalar read = actual.ShouldBeOfType<ConfigScalar>(text);
                read.Text.ShouldBe(scalar.Text, text);
                read.Quoted.ShouldBe(scalar.Quoted, text);
                break;
            case ConfigArray array:
                IReadOnlyList<ConfigNode> items = actual.ShouldBeOfType<ConfigArray>(text).Items;
                items.Count.ShouldBe(array.Items.Count, text);
                for (int i = 0; i < items.Count; i++)
                {
                    ShouldBeSame(items[i], array.Items[i], text);
                }

                break;
            case ConfigObject value:
                IReadOnlyList<KeyValuePair<string, ConfigNode>> fields = actual.ShouldBeOfType<ConfigObject>(text).Fields;
                fields.Select(f => f.Key).ShouldBe(value.Fields.Select(f => f.Key), text);
                for (int i = 0; i < fields.Count; i++)
                {
                    ShouldBeSame(fields[i].Value, value.Fields[i].Value, text);
                }

                break;
        }
    }
}
