using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using ActorTrainer.Core.Tasks;
using ActorTrainer.Testing.Checkpoints;
using ActorTrainer.Testing.Processes;
using TaskStatus = ActorTrainer.Core.Tasks.TaskStatus;

namespace ActorTrainer.EndToEnd.Tests;

/// <summary>Scripts that know nothing of ActorTrainer and save into their working directory, which no two runs share.</summary>
[Trait("Requires", "torch")]
public sealed class ExistingScriptTests : IDisposable
{
    private static readonly string Samples = Path.Combine(LocalCluster.Repository, "samples", "PyTorch", "existing");

    private static readonly string Data = Path.Combine(LocalCluster.Repository, "samples", "PyTorch", "data");

    private static readonly string Python = Environment.GetEnvironmentVariable("ACTORTRAINER_PYTHON") ?? "/usr/bin/python3";

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public Task Submit_TorchrunWithASnapshotInPlaceAndItsNodeIsKilled_ResumesAndEndsAsOneRun() =>
        ResumesAndEndsAsOneRunAsync(
            "-m torch.distributed.run --redirects 1 --tee 1 --rdzv_backend c10d --rdzv_endpoint localhost:0 "
                + "--nproc_per_node 2 ddp.py 8 1 --points 8192",
            "snapshot.pt",
            "Resuming training from snapshot at Epoch "
        );

    [Fact]
    public Task Submit_TwoFilesOneAfterTheOtherAndItsNodeIsKilled_ResumesAndEndsAsOneRun() =>
        ResumesAndEndsAsOneRunAsync("chargpt.py --iterations 160 --save-every 20", "out/*", "resuming out/chargpt at iteration ");

    [Fact]
    public Task Submit_CheckpointAndACopyOfTheBestAndItsNodeIsKilled_ResumesAndEndsAsOneRun() =>
        ResumesAndEndsAsOneRunAsync(
            "imagenet.py data --epochs 12 --resume checkpoint.pth.tar",
            "*.pth.tar",
            "=> loaded checkpoint 'checkpoint.pth.tar' (epoch "
        );

    /// <summary>The weights at the end tell a state of two saves mixed, which would load as well.</summary>
    private async Task ResumesAndEndsAsOneRunAsync(string arguments, string state, string resumed)
    {
        string expected = await WeightsOfOneRunAsync(arguments);
        await using LocalCluster cluster = new(nodes: 2, slots: 1);
        await cluster.StartAsync();
        string[] command = [Python, .. arguments.Split(' ')];
        await File.WriteAllTextAsync(
            _folder["task.conf"],
            $$"""
            task {
              name = existing
              command = {{JsonSerializer.Serialize(command)}}
              bundle = {{JsonSerializer.Serialize(Samples)}}
              links = [{{JsonSerializer.Serialize($"data={Data}")}}]
              state = [{{JsonSerializer.Serialize(state)}}]
            }
            """
        );
        CommandResult submit = await cluster.RunAsync("submit", _folder["task.conf"]);
        submit.ExitCode.ShouldBe(0, submit.Error);
        ObservedTask task = new(cluster, "existing");
        await task.WaitForCheckpointAsync();
        LocalNode victim = cluster.Nodes.Single(node => node.Address == task.Starts[^1].Node);
        await victim.KillAsync();

        await task.WaitForEndAsync(TaskStatus.Completed);

        TaskStarted last = task.Starts[^1];
        last.Node.ShouldNotBe(victim.Address, task.ToString());
        last.RestoredFrom.ShouldNotBeNull(task.ToString());
        CommandResult logs = await cluster.RunAsync("tasks", "logs", "existing");
        MatchCollection lines = Regex.Matches(logs.Output, Regex.Escape(resumed) + "([0-9]+)");
        lines.ShouldNotBeEmpty(logs.Output + logs.Error);
        int.Parse(lines[^1].Groups[1].Value, CultureInfo.InvariantCulture).ShouldBeGreaterThan(0, logs.Output);
        Weights(logs.Output).ShouldBe(expected, logs.Output);
        await task.ShouldHaveLostNothingAsync();
    }

    /// <summary>Without ActorTrainer, from nothing to the end.</summary>
    private async Task<string> WeightsOfOneRunAsync(string arguments)
    {
        foreach (string file in Directory.EnumerateFiles(Samples, "*.py").Append(Path.Combine(Samples, "input.txt")))
        {
            File.Copy(file, _folder[Path.GetFileName(file)]);
        }

        Directory.CreateSymbolicLink(_folder["data"], Data);
        CommandResult run = await CommandResult.RunAsync(Python, arguments.Split(' '), _folder.Root, new Dictionary<string, string>());
        run.ExitCode.ShouldBe(0, run.Error);
        return Weights(run.Output);
    }

    private static string Weights(string output)
    {
        Match line = Regex.Match(output, "weights-sha256 ([0-9a-f]{64})");
        line.Success.ShouldBeTrue(output);
        return line.Groups[1].Value;
    }
}
