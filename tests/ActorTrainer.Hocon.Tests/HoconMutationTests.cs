using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using ActorTrainer.Core.Configuration;

namespace ActorTrainer.Hocon.Tests;

/// <summary>Whatever a text has become, it is read or refused with a place; what is read can be written and read again.</summary>
public sealed class HoconMutationTests(ITestOutputHelper output)
{
    private const int Texts = 2_000;

    private static readonly string[] Seeds =
    [
        "a { b = 1, c = [1, two, \"3\"] }\nd : ${a.b} ms # e\nf = ${?none} x",
        "a = 1, a = ${a}2, b = ${?c}foo, c = ${?b}\nd += ${a}\nd += { x = ${?d} }",
        "bar { foo = 42, baz = ${bar.foo} }, bar { foo = 43 }\nq = ${bar} { foo = ${q.baz} }",
        "a = \"\\u00e9\\n\", b = \"\"\"three\n\"quotes\"\"\"\", \"k.l\".m = -1.5e+3 // end",
        "include \"a.conf\"\nx { include file(\"b\") }\n{ \"y\"\n : [ {}, [] ] }",
        "\uFEFFk = 😀, l . m = true false null, n = 1e+5ms, o = [${a}, ${?l}] [${k}]\na { b = ${?a} }",
    ];

    private static readonly string[] Pieces =
    [
        "{",
        "}",
        "[",
        "]",
        "\"",
        "\"\"\"",
        "\\",
        "\\u",
        "\\u1",
        "$",
        "${",
        "${?",
        "}",
        "${a}",
        "${?a.b}",
        "${?b}",
        "=",
        ":",
        "+=",
        ",",
        ".",
        "..",
        "#",
        "//",
        "+",
        "1e+",
        "include",
        "include \"",
        "file(",
        "required(",
        ")",
        "\n",
        "\r\n",
        "\t",
        " ",
        "\0",
        "\u0085",
        "\uFEFF",
        "\uD83D",
        "\uDE00",
        "null",
        "true",
        "a",
        "b",
        "a.b",
        "é",
        "1",
    ];

    [Fact]
    public void ReadText_MutatedTexts_AreReadOrRefusedWithAPlace()
    {
        int seed = int.Parse(
            Environment.GetEnvironmentVariable("ACTORTRAINER_TEST_SEED")
                ?? RandomNumberGenerator.GetInt32(int.MaxValue).ToString(CultureInfo.InvariantCulture),
            CultureInfo.InvariantCulture
        );
        output.WriteLine($"ACTORTRAINER_TEST_SEED={seed} brings the same texts again");
        Random random = new(seed);
        int read = 0;
        for (int i = 0; i < Texts; i++)
        {
            string text = Mutate(random);
            try
            {
                ConfigObject config = HoconReader.ReadText(text, "t.conf");
                ShouldReadBack(config);
                read++;
            }
            catch (ConfigException e)
            {
                e.Message.ShouldStartWith("t.conf:", customMessage: text);
                e.Origin.Line.ShouldBeInRange(1, text.Count(c => c == '\n') + 1, text);
                e.Origin.Column.ShouldBeInRange(1, text.Length + 1, text);
            }
            catch (Exception e) when (e is not ShouldAssertException)
            {
                Assert.Fail($"{e.GetType().Name} on {System.Text.Json.JsonSerializer.Serialize(text)}: {e}");
            }
        }

        read.ShouldBeInRange(Texts / 100, Texts - (Texts / 100), "texts that are all read or all refused try nothing");
    }

    private static void ShouldReadBack(ConfigObject config)
    {
        string text = ConfigRenderer.Render(config, origins: false);
        ConfigObject again;
        try
        {
            again = HoconReader.ReadText(text, "rendered");
        }
        catch (ConfigException e)
        {
            throw new ShouldAssertException($"what was read cannot be read again: {e.Message}\n{text}");
        }

        ConfigRenderer.Render(again, origins: false).ShouldBe(text);
    }

    private static string Mutate(Random random)
    {
        StringBuilder text = new(Seeds[random.Next(Seeds.Length)]);
        if (random.Next(3) == 0)
        {
            text.Append('\n').Append(Seeds[random.Next(Seeds.Length)]);
        }

        for (int i = random.Next(1, 6); i > 0; i--)
        {
            int at = random.Next(text.Length + 1);
            int length = Math.Min(random.Next(1, 8), text.Length - at);
            switch (random.Next(4))
            {
                case 0:
                    text.Remove(at, length);
                    break;
                case 1:
                    text.Insert(at, Pieces[random.Next(Pieces.Length)]);
                    break;
                case 2:
                    text.Insert(random.Next(text.Length + 1), text.ToString(at, length));
                    break;
                default:
                    text.Remove(at, length).Insert(at, Pieces[random.Next(Pieces.Length)]);
                    break;
            }
        }

        return text.ToString(0, random.Next(8) == 0 ? random.Next(text.Length + 1) : text.Length);
    }
}
