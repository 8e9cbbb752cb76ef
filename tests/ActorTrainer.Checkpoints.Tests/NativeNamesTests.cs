using System.Runtime.Versioning;
using System.Text;
using ActorTrainer.Testing.Checkpoints;

namespace ActorTrainer.Checkpoints.Tests;

public sealed class NativeNamesTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

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

    public void Dispose() => _folder.Dispose();

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

    [Theory]
    [MemberData(nameof(Names))]
    [SupportedOSPlatform("linux")]
    public void Copy_ToSuchAName_IsFoundWithItsContentAndLooked(byte[] name)
    {
        File.WriteAllText(_folder["source"], "content");
        string text = NativeNames.FromBytes(name);

        NativeNames.Copy(_folder["source"], _folder[text]);

        NativeNames.In(_folder.Root).Order(StringComparer.Ordinal).ShouldBe(new[] { "source", text }.Order(StringComparer.Ordinal));
        FileStatus.ReadNative(_folder[text]).Length.ShouldBe(7);
        HardLink.TryCreate(_folder[text], _folder["linked"]).ShouldBeTrue();
        NativeNames.Copy(_folder[text], _folder["back"]);
        (File.ReadAllText(_folder["linked"]), File.ReadAllText(_folder["back"])).ShouldBe(("content", "content"));
    }

    [Theory]
    [MemberData(nameof(Names))]
    [SupportedOSPlatform("linux")]
    public void PutBack_NamesThatWereWrittenAsText_AreTheBytesAgain(byte[] name)
    {
        string text = NativeNames.FromBytes(name);
        Directory.CreateDirectory(_folder[text]);
        File.WriteAllText(Path.Combine(_folder[text], text), "content");

        NativeNames.PutBack(_folder.Root);

        NativeNames.In(_folder.Root).ShouldBe([text]);
        NativeNames.In(_folder[text]).ShouldBe([text]);
        FileStatus.ReadNative(Path.Combine(_folder[text], text)).Length.ShouldBe(7);
    }

    [Theory]
    [MemberData(nameof(Names))]
    [SupportedOSPlatform("linux")]
    public void DeleteFolder_WithSuchNames_LeavesNothing(byte[] name)
    {
        string text = NativeNames.FromBytes(name);
        NativeNames.CreateFolder(Path.Combine(_folder["a"], text, text));
        File.WriteAllText(_folder["source"], "content");
        NativeNames.Copy(_folder["source"], Path.Combine(_folder["a"], text, text, text));

        NativeNames.DeleteFolder(_folder["a"]);

        Directory.Exists(_folder["a"]).ShouldBeFalse();
    }

    [Fact]
    public void In_FolderThatIsNotThere_SaysSo() => Should.Throw<DirectoryNotFoundException>(() => NativeNames.In(_folder["none"]));
}
