using System.Runtime.Versioning;
using ActorTrainer.Testing.Checkpoints;

namespace ActorTrainer.Checkpoints.Tests;

public sealed class NativeFilesTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(NativeNamesTests.Names), MemberType = typeof(NativeNamesTests))]
    [SupportedOSPlatform("linux")]
    public void Copy_ToSuchAName_IsFoundWithItsContentAndLooked(byte[] name)
    {
        File.WriteAllText(_folder["source"], "content");
        string text = NativeNames.FromBytes(name);

        NativeFiles.Copy(_folder["source"], _folder[text]);

        NativeFiles.In(_folder.Root).Order(StringComparer.Ordinal).ShouldBe(new[] { "source", text }.Order(StringComparer.Ordinal));
        FileStatus.ReadNative(_folder[text]).Length.ShouldBe(7);
        HardLink.TryCreate(_folder[text], _folder["linked"]).ShouldBeTrue();
        NativeFiles.Copy(_folder[text], _folder["back"]);
        (File.ReadAllText(_folder["linked"]), File.ReadAllText(_folder["back"])).ShouldBe(("content", "content"));
    }

    [Theory]
    [MemberData(nameof(NativeNamesTests.Names), MemberType = typeof(NativeNamesTests))]
    [SupportedOSPlatform("linux")]
    public void PutBack_NamesThatWereWrittenAsText_AreTheBytesAgain(byte[] name)
    {
        string text = NativeNames.FromBytes(name);
        Directory.CreateDirectory(_folder[text]);
        File.WriteAllText(Path.Combine(_folder[text], text), "content");

        NativeFiles.PutBack(_folder.Root);

        NativeFiles.In(_folder.Root).ShouldBe([text]);
        NativeFiles.In(_folder[text]).ShouldBe([text]);
        FileStatus.ReadNative(Path.Combine(_folder[text], text)).Length.ShouldBe(7);
    }

    [Theory]
    [MemberData(nameof(NativeNamesTests.Names), MemberType = typeof(NativeNamesTests))]
    [SupportedOSPlatform("linux")]
    public void DeleteFolder_WithSuchNames_LeavesNothing(byte[] name)
    {
        string text = NativeNames.FromBytes(name);
        NativeFiles.CreateFolder(Path.Combine(_folder["a"], text, text));
        File.WriteAllText(_folder["source"], "content");
        NativeFiles.Copy(_folder["source"], Path.Combine(_folder["a"], text, text, text));

        NativeFiles.DeleteFolder(_folder["a"]);

        Directory.Exists(_folder["a"]).ShouldBeFalse();
    }

    [Fact]
    public void In_FolderThatIsNotThere_SaysSo() => Should.Throw<DirectoryNotFoundException>(() => NativeFiles.In(_folder["none"]));
}
