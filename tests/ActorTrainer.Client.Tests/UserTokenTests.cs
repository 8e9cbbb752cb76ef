using System.Runtime.Versioning;
using ActorTrainer.Testing.Checkpoints;

namespace ActorTrainer.Client.Tests;

[UnsupportedOSPlatform("windows")]
public sealed class UserTokenTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private string File => Path.Combine(_folder["config"], "actortrainer", "token");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Read_ThereIsNone_IsNull() => UserToken.Read(File).ShouldBeNull();

    [Fact]
    public void ReadOrCreate_ThereIsNone_MakesOneThatOnlyTheUserReads()
    {
        string token = UserToken.ReadOrCreate(File);

        token.Length.ShouldBeGreaterThanOrEqualTo(40);
        System.IO.File.GetUnixFileMode(File).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);
        UserToken.Read(File).ShouldBe(token);
        UserToken.ReadOrCreate(File).ShouldBe(token);
    }

    [Fact]
    public async Task ReadOrCreate_BySeveralAtOnce_GivesAllTheSame()
    {
        string[] tokens = await Task.WhenAll(Enumerable.Range(0, 16).Select(_ => Task.Run(() => UserToken.ReadOrCreate(File))));

        tokens.Distinct().ShouldHaveSingleItem();
        Directory.GetFiles(Path.GetDirectoryName(File)!).ShouldBe([File]);
    }

    [Fact]
    public void ReadOrCreate_OthersMayRead_IsRefused()
    {
        UserToken.ReadOrCreate(File);
        System.IO.File.SetUnixFileMode(File, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.OtherRead);

        string message = Should.Throw<IOException>(() => UserToken.ReadOrCreate(File)).Message;

        message.ShouldStartWith($"other users may read or write {File}: chmod 600 it");
        message.ShouldContain("allow-anonymous-loopback");
    }

    [Fact]
    public void ReadOrCreate_Empty_IsRefused()
    {
        UserToken.ReadOrCreate(File);
        System.IO.File.WriteAllText(File, "\n");

        Should.Throw<IOException>(() => UserToken.ReadOrCreate(File)).Message.ShouldContain("is empty");
        UserToken.Read(File).ShouldBeNull();
    }

    [Fact]
    public void ReadOrCreate_NoFolderCanBeMade_SaysWhatToDo()
    {
        System.IO.File.WriteAllText(_folder["config"], "a file");

        Should.Throw<IOException>(() => UserToken.ReadOrCreate(File)).Message.ShouldContain("security.token-file");
    }
}
