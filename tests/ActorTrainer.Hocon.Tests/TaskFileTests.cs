using ActorTrainer.Core.Configuration;
using ActorTrainer.Core.Tasks;

namespace ActorTrainer.Hocon.Tests;

public sealed class TaskFileTests : IDisposable
{
    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Read_FileWithOverrides_OverridesWin()
    {
        string file = _folder.Write("t.conf", "task { name = a, command = \"x\", priority = 1, environment.LR = ${?LR} }");

        TaskSpec spec = TaskFile.Read(
            file,
            [new ConfigOverride("task.priority", "5", "flag --priority"), new ConfigOverride("task.command", "[\"y\", z]", "flag --command")],
            new Dictionary<string, string> { ["LR"] = "0.5" });

        (spec.Priority, spec.Environment["LR"]).ShouldBe((5, "0.5"));
        spec.Command.ShouldBe(["y", "z"]);
    }

    [Fact]
    public void Read_Mistake_NamesFileAndPlace()
    {
        string file = _folder.Write("t.conf", "task {\n  name = a\n  comand = x\n}");

        Should.Throw<ConfigException>(() => TaskFile.Read(file)).Message
            .ShouldBe($"{file}:3:3: task.comand is not a known key. Did you mean task.command?");
    }
}
