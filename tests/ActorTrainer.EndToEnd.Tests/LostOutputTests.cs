using ActorTrainer.Core.Tasks;
using ActorTrainer.Testing.Processes;
using TaskStatus = ActorTrainer.Core.Tasks.TaskStatus;

namespace ActorTrainer.EndToEnd.Tests;

public sealed class LostOutputTests
{
    /// <summary>Prints, goes on silently until the file is there, and then prints what does not get to the store any more.</summary>
    private static string ScriptOf(string go) =>
        "i=0; while [ $i -lt 5 ]; do echo \"line $i of $ACTORTRAINER_RUN\"; i=$((i+1)); done; "
        + $"until [ -e '{go}' ]; do sleep 0.05; done; echo last";

    [Fact]
    public async Task Node_KilledWithItsDataFolder_LogsHaveWhatWasStoredAndSayWhatIsLost()
    {
        await using LocalCluster cluster = new(nodes: 2, settings: "actortrainer.output.archive-interval=1 s");
        await cluster.StartAsync();
        string go = Path.Combine(cluster.Folder, "go");
        ObservedTask task = await ObservedTask.SubmitAsync(cluster, Specs.Shell("lost", ScriptOf(go)));
        TaskStarted first = await task.WaitForStartAsync(after: 0);
        LocalNode victim = cluster.Nodes.Single(node => node.Address == first.Node);
        string output = Path.Combine(cluster.StorePath, "output");
        await task.WaitAsync(
            "the first run's output is stored",
            _ => Directory.Exists(output) && Directory.GetFiles(output, "*.gz", SearchOption.AllDirectories).Length > 0
        );

        await victim.KillAsync();
        await cluster.WaitAsync(
            "its guard has ended its workers",
            () => Task.FromResult(cluster.Children().All(child => child.Variable("ACTORTRAINER_NODE_DIR") != DataOf(cluster, victim))),
            TimeSpan.FromSeconds(30)
        );
        Directory.Delete(DataOf(cluster, victim), recursive: true);
        TaskStarted second = await task.WaitForStartAsync(after: 1);
        await File.WriteAllTextAsync(go, "");
        await task.WaitForEndAsync(TaskStatus.Completed);

        second.Node.ShouldNotBe(victim.Address);
        CommandResult logs = await cluster.RunAsync("tasks", "logs", "lost");
        logs.ExitCode.ShouldBe(0, logs.Error);
        string[] lines = logs.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        lines.Length.ShouldBe(11, logs.Output);
        lines.Count(line => line.StartsWith("line ", StringComparison.Ordinal)).ShouldBe(10, logs.Output);
        lines.Take(5).Select(line => line.Split(' ')[3]).Distinct().ShouldHaveSingleItem().ShouldNotBe(lines[5].Split(' ')[3]);
        lines[^1].ShouldBe("last");
        logs.Error.ShouldContain("what run 1 printed after ");
        logs.Error.ShouldContain($"it was on node {victim.Address}, which is not in the cluster");
    }

    [Fact]
    public async Task Node_Drained_LogsAreCompleteWithoutIt()
    {
        await using LocalCluster cluster = new(nodes: 2, settings: "actortrainer.output.archive-interval=1 h");
        await cluster.StartAsync();
        string go = Path.Combine(cluster.Folder, "go");
        string script = $"trap 'echo told to stop; exit 143' TERM; {ScriptOf(go)}";
        ObservedTask task = await ObservedTask.SubmitAsync(cluster, Specs.Shell("drained", script));
        TaskStarted first = await task.WaitForStartAsync(after: 0);
        LocalNode leaving = cluster.Nodes.Single(node => node.Address == first.Node);
        await cluster.WaitAsync(
            "it has printed",
            async () => (await cluster.RunAsync("tasks", "logs", "drained")).Output.Contains("line 4", StringComparison.Ordinal),
            TimeSpan.FromSeconds(30)
        );

        (await cluster.RunAsync("cluster", "drain", leaving.Address.ToString())).ExitCode.ShouldBe(0, cluster.Logs());
        using CancellationTokenSource limit = new(TimeSpan.FromSeconds(30), TimeProvider.System);
        await leaving.WaitForExitAsync(limit.Token);
        Directory.Delete(DataOf(cluster, leaving), recursive: true);
        await task.WaitForStartAsync(after: 1);
        await File.WriteAllTextAsync(go, "");
        await task.WaitForEndAsync(TaskStatus.Completed);

        CommandResult logs = await cluster.RunAsync("tasks", "logs", "drained");
        // The shell may say of the 'sleep' that it waits for that it was terminated as well.
        string[] lines = [.. logs.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Where(line => line != "Terminated")];
        lines.Length.ShouldBe(12, logs.Output + logs.Error);
        logs.Output.ShouldContain("told to stop");
        logs.Error.ShouldBeEmpty();
    }

    private static string DataOf(LocalCluster cluster, LocalNode node) =>
        Path.Combine(cluster.Folder, "actortrainer-data", "nodes", FormattableString.Invariant($"{node.Address.Port}"));
}
