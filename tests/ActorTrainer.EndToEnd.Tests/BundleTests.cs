using System.Runtime.Versioning;
using ActorTrainer.Client;
using ActorTrainer.Core.Tasks;
using ActorTrainer.Testing.Checkpoints;
using ActorTrainer.Testing.Processes;
using TaskStatus = ActorTrainer.Core.Tasks.TaskStatus;

namespace ActorTrainer.EndToEnd.Tests;

[UnsupportedOSPlatform("windows")]
public sealed class BundleTests : IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    /// <summary>
    /// The folder is gone before the second run begins: what that one finds came from the cluster, where each node has a disk of its own
    /// that is lost with it.
    /// </summary>
    [Theory]
    [InlineData("copies=2")]
    [InlineData("store=tiered", "tiered.remote=folder", "tiered.remote-path=")]
    public async Task Submit_RelativeScriptOfAFolderThatIsGoneThen_RunsOnEveryNode(params string[] store)
    {
        string[] settings = [.. store.Select(set => "actortrainer.checkpoints." + (set.EndsWith('=') ? set + _folder["behind"] : set))];
        await using LocalCluster cluster = new(nodes: 2, slots: 1, settings) { OwnDisks = true };
        await cluster.StartAsync();
        string trace = _folder["shared"];
        Directory.CreateDirectory(trace);
        Directory.CreateDirectory(_folder["code/lib"]);
        File.WriteAllText(_folder["code/lib/words.sh"], "said='from the library'\n");
        File.WriteAllText(
            _folder["code/train.sh"],
            """
            #!/bin/sh
            . lib/words.sh
            echo "$said in $PWD" >> shared/runs
            until [ -e shared/end ]; do sleep 0.1; done
            """
        );
        File.SetUnixFileMode(_folder["code/train.sh"], UnixFileMode.UserRead | UnixFileMode.UserExecute);
        File.WriteAllText(
            _folder["code/task.conf"],
            $$"""task { name = travels, command = ["./train.sh"], bundle = ., links = ["shared={{trace}}"], grace = 1 s }"""
        );

        CommandResult submit = await cluster.RunAsync("submit", _folder["code/task.conf"]);
        submit.ExitCode.ShouldBe(0, submit.Error);
        submit.Error.ShouldContain("bundled 3 files");
        Directory.Delete(_folder["code"], recursive: true);
        await RunsAsync(1);
        TaskView? first = null;
        await cluster.WaitAsync(
            "the cluster says where it runs",
            async () => (first = (await cluster.Client.GetTaskAsync("travels")).Task).Node is not null,
            Limit
        );
        await cluster.LoseAsync(cluster.Nodes.Single(node => node.Address == first!.Node));
        await RunsAsync(2);
        File.WriteAllText(Path.Combine(trace, "end"), "");
        await new ObservedTask(cluster, "travels").WaitForEndAsync(TaskStatus.Completed);

        string[] runs = File.ReadAllLines(Path.Combine(trace, "runs"));
        runs.ShouldAllBe(line => line.StartsWith("from the library in ", StringComparison.Ordinal) && line.EndsWith("/work"));
        runs.ShouldBeUnique();
        CommandResult show = await cluster.RunAsync("tasks", "show", "travels");
        show.Output.ShouldContain("3 files");
        show.Output.ShouldContain("shared ->");

        Task RunsAsync(int count) =>
            cluster.WaitAsync(
                $"run {count} has begun",
                () =>
                    Task.FromResult(
                        File.Exists(Path.Combine(trace, "runs")) && File.ReadAllLines(Path.Combine(trace, "runs")).Length == count
                    ),
                Limit
            );
    }

    [Fact]
    public async Task Submit_SameNameOnceMore_SaysSinceWhenOrThatTheFilesAreOthers()
    {
        await using LocalCluster cluster = new(nodes: 1);
        await cluster.StartAsync();
        Directory.CreateDirectory(_folder["code"]);
        string script = _folder["code/hello.sh"];
        File.WriteAllText(script, "echo hello");
        string[] run = ["run", "--name", "hello", "--bundle", _folder["code"], "--", "sh", "hello.sh"];

        CommandResult first = await cluster.RunAsync(run);
        CommandResult same = await cluster.RunAsync(run);
        File.WriteAllText(script, "echo goodbye");
        CommandResult changed = await cluster.RunAsync(run);

        (first.ExitCode, first.Output).ShouldBe((0, "hello\n"), first.Error);
        same.Error.ShouldContain("task hello is there already: same task as of ");
        same.Error.ShouldContain("nothing is started");
        changed.ExitCode.ShouldBe(1);
        changed.Output.ShouldBe("");
        changed.Error.ShouldContain("has another specification: the files that it bundles are others");
    }

    [Fact]
    public async Task Submit_BundleThatTheClusterLacks_IsRefused()
    {
        await using LocalCluster cluster = new(nodes: 1);
        await cluster.StartAsync();
        TaskSpec spec = Specs.Shell("lacks", "true") with { Bundle = new BundleSpec(new string('a', 64), 1, 1) };

        ActorTrainerApiException refused = await Should.ThrowAsync<ActorTrainerApiException>(() => cluster.Client.SubmitAsync(spec));

        refused.Status.ShouldBe(409);
        refused.Message.ShouldContain($"the cluster does not have the bundle {spec.Bundle.Hash}");
        (await cluster.Client.ListTasksAsync()).Tasks.ShouldBeEmpty();
    }
}
