using ActorTrainer.Client;
using ActorTrainer.Core.Tasks;
using ActorTrainer.Testing.Processes;

namespace ActorTrainer.EndToEnd.Tests;

public sealed class PyTorchTests
{
    [Fact]
    [Trait("Requires", "torch")]
    public async Task Run_PyTorchScriptAndItsNodeIsKilled_ResumesFromItsLastFileOnAnotherNodeAndExitsWithZero()
    {
        string python = Environment.GetEnvironmentVariable("ACTORTRAINER_PYTHON") ?? "/usr/bin/python3";
        string script = Path.Combine(LocalCluster.Repository, "samples", "PyTorch", "train.py");
        await using LocalCluster cluster = new(nodes: 3);
        await cluster.StartAsync();

        Task<CommandResult> run = cluster.RunAsync(
            "run",
            "--name",
            "torch",
            "--",
            python,
            script,
            "--hidden",
            "64",
            "--views",
            "1",
            "--epochs",
            "120",
            "--save-every",
            "0.5"
        );
        ObservedTask task = new(cluster, "torch");
        await cluster.WaitAsync(
            "the task is there",
            async () => (await cluster.Client.ListTasksAsync()).Tasks.Count == 1,
            TimeSpan.FromSeconds(30)
        );
        await task.WaitAsync("a checkpoint", t => t.Checkpoints.Count >= 1);
        LocalNode victim = cluster.Nodes.Single(n => n.Address == task.Starts[^1].Node);
        using ActorTrainerClient others = LocalCluster.ClientOf([.. cluster.Nodes.Where(n => n != victim).Select(n => n.Address)]);
        await victim.KillAsync();

        CommandResult result = await run;

        result.ExitCode.ShouldBe(0, result.Error + cluster.Logs());
        await task.LookAsync(others);
        TaskStarted second = task.Starts[^1];
        second.Node.ShouldNotBe(victim.Address, task.ToString());
        second.RestoredFrom.ShouldNotBeNull();
        task.Events.OfType<TaskCompleted>().ShouldHaveSingleItem();
        result.Output.ShouldContain("resumed", Case.Insensitive);
        await task.ShouldHaveLostNothingAsync();
    }
}
