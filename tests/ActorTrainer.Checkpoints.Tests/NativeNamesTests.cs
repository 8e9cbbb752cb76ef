using System.Text;

namespace ActorTrainer.Checkpoints.Tests;

public sealed class NativeNamesTests
{
    public static TheoryData<byte[]> Names { get; } =
        new(
            "plain"u8.ToArray(),
            "grün\n 'q' 🚀"u8.ToArray(),
            new byte[] { (byte)'l', 0xE9 },
            new byte[] { 0xFF, 0x80, (byte)'a', 0xC3 },
            new byte[] { 0xE2, 0x82, (byte)'x' },
            Encoding.UTF8.GetBytes("\uEE80 and \uEEFF are text here"),
            new byte[] { 0xED, 0xA0, 0x80 },
            new byte[] { 0xF0, 0x9F, 0x9A }
        );

    [Theory]
    [MemberData(nameof(Names))]
    public void FromBytes_AnyName_ComesBackTheSame(byte[] name)
    {
        string text = NativeNames.FromBytes(name);

        NativeNames.ToBytes(text).ShouldBe(name);
        Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text)).ShouldBe(text, "it can be written into a manifest");
    }

    [Fact]
    public void FromBytes_AnyBytes_ComeBackTheSame()
    {
        Random random = new(7);
        for (int i = 0; i < 2000; i++)
        {
            byte[] name = new byte[random.Next(1, 40)];
            random.NextBytes(name);
            NativeNames.ToBytes(NativeNames.FromBytes(name)).ShouldBe(name);
        }
    }

    [Fact]
    public void Shown_ByteThatIsNoText_IsWrittenAsItsNumber() =>
        NativeNames.Shown(NativeNames.FromBytes([(byte)'l', 0xE9])).ShouldBe("l\\xE9");
}
