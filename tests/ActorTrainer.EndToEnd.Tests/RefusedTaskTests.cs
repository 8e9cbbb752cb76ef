using ActorTrainer.Testing.Processes;

namespace ActorTrainer.EndToEnd.Tests;

public sealed class RefusedTaskTests
{
    [Fact]
    public async Task Submit_SomethingThatCannotRun_IsRefusedWithTheReasonAndNothingIsStored()
    {
        await using LocalCluster cluster = new(nodes: 1);
        await cluster.StartAsync();
        string trainers = typeof(Testing.Trainers.ScriptedTrainer).Assembly.Location;
        (string Task, string[] Says)[] refused =
        [
            ("name = empty", ["command", "trainer"]),
            ("name = both, command = [\"true\"], trainer { type = X }", ["command", "trainer"]),
            ("name = gone, command = [\"/no/such/program\"]", ["/no/such/program"]),
            ("name = unfound, command = [\"no-such-program-in-path\"]", ["no-such-program-in-path"]),
            ($"name = unknown, trainer {{ type = \"No.Such.Trainer\", assembly = \"{trainers}\" }}", ["No.Such.Trainer"]),
            ("name = no-file, trainer { type = \"X\", assembly = \"/no/such.dll\" }", ["/no/such.dll"]),
            (
                "name = no-trainer, trainer { type = \"ActorTrainer.Testing.Trainers.ScriptedSettings\", assembly = \"" + trainers + "\" }",
                ["ScriptedSettings"]
            ),
            ("name = misspelt, comand = [\"true\"]", ["comand", "command"]),
            ("name = no-unit, command = [\"true\"], checkpoint.interval = fast", ["checkpoint.interval"]),
        ];

        foreach ((string task, string[] says) in refused)
        {
            string file = Path.Combine(cluster.Folder, "task.conf");
            await File.WriteAllTextAsync(file, $"task {{ {task} }}\n");
            CommandResult submit = await cluster.RunAsync("submit", file);
            submit.ExitCode.ShouldBeOneOf([1, 2], $"{task}: {submit.Output}{submit.Error}");
            foreach (string word in says)
            {
                submit.Error.ShouldContain(word, Case.Sensitive, task);
            }
        }

        (await cluster.Client.ListTasksAsync()).Tasks.ShouldBeEmpty();
        (await File.ReadAllTextAsync(cluster.Nodes[0].LogPath)).ShouldNotContain("Unhandled");
    }
}
