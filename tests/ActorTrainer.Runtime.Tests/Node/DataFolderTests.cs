using ActorTrainer.Runtime.Node;

namespace ActorTrainer.Runtime.Tests.Node;

public sealed class DataFolderTests : IDisposable
{
    private const string Advice = "name another one (--data-dir, or actortrainer.node.data-dir)";

    private readonly string _folder = Directory.CreateTempSubdirectory("actortrainer-data").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Lock_FolderIsMissing_MakesIt()
    {
        string path = Path.Combine(_folder, "a", "b");

        using FileStream held = DataFolder.Lock(path);

        File.Exists(Path.Combine(path, "node.lock")).ShouldBeTrue();
    }

    [Fact]
    public void Lock_HeldByAnother_SaysSo()
    {
        using FileStream held = DataFolder.Lock(_folder);

        string message = Should.Throw<IOException>(() => DataFolder.Lock(_folder)).Message;

        message.ShouldStartWith($"the data directory {_folder} belongs to another node that runs: ");
    }

    [Theory]
    [InlineData("")]
    [InlineData("below")]
    public void Lock_FileInItsPlace_NamesTheFileAndSaysWhatToDo(string below)
    {
        string file = Path.Combine(_folder, "file");
        File.WriteAllText(file, "");

        string path = Path.Combine(file, below).TrimEnd('/');
        string message = Should.Throw<IOException>(() => DataFolder.Lock(path)).Message;

        message.ShouldStartWith(
            $"the data directory {path} cannot be used: {file} is a file. It has to be a folder that this user can write"
        );
        message.ShouldEndWith(Advice);
    }

    [Theory]
    [InlineData("/proc/actortrainer", "it cannot be made")]
    [InlineData("/proc/self", "no file can be made in it")]
    public void Lock_NothingCanBeMadeThere_SaysWhichFolderAndWhatToDo(string path, string reason)
    {
        string message = Should.Throw<IOException>(() => DataFolder.Lock(path)).Message;

        message.ShouldStartWith($"the data directory {path} cannot be used: {reason} (");
        message.ShouldEndWith(Advice);
    }
}
