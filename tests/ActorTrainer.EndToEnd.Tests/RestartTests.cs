using System.Globalization;
using System.Security.Cryptography;
using System.Text.RegularExpressions;
using ActorTrainer.Core.Tasks;
using ActorTrainer.Testing.Processes;
using TaskStatus = ActorTrainer.Core.Tasks.TaskStatus;

namespace ActorTrainer.EndToEnd.Tests;

public sealed partial class RestartTests(ITestOutputHelper output)
{
    private const int Kills = 5;
    private const int ProbeEpochs = 60;
    private static readonly TimeSpan WantedTime = TimeSpan.FromSeconds(9);
    private static readonly TimeSpan LatestKill = TimeSpan.FromSeconds(2);

    [Fact]
    public async Task AllNodes_KilledAtRandomMoments_TasksEndWithTheBitsOfAnUninterruptedRun()
    {
        int seed = int.Parse(
            Environment.GetEnvironmentVariable("ACTORTRAINER_TEST_SEED")
                ?? RandomNumberGenerator.GetInt32(int.MaxValue).ToString(CultureInfo.InvariantCulture),
            CultureInfo.InvariantCulture
        );
        output.WriteLine($"ACTORTRAINER_TEST_SEED={seed} brings the same moments again");
        Random random = new(seed);
        int epochs = await ChooseEpochsAsync();
        output.WriteLine($"{epochs} epochs");
        await using LocalCluster cluster = new(nodes: 3, slots: 2);
        await cluster.StartAsync();
        ObservedTask[] tasks = [];
        for (int i = 1; i <= 3; i++)
        {
            tasks = [.. tasks, await ObservedTask.SubmitAsync(cluster, Specs.Digits($"digits{i}", i, epochs))];
        }

        for (int kill = 1; kill <= Kills; kill++)
        {
            await WaitForMomentAsync(cluster, tasks, random);
            KillAll(cluster);
            output.WriteLine($"kill {kill}: committed steps {string.Join(", ", tasks.Select(t => t.CommittedStep))}");
            foreach (LocalNode node in cluster.Nodes)
            {
                await node.KillAsync();
                node.Start();
            }
        }

        for (int i = 1; i <= 3; i++)
        {
            await tasks[i - 1].WaitForEndAsync(TaskStatus.Completed);
            await tasks[i - 1].ShouldHaveLostNothingAsync();
            tasks[i - 1]
                .Events.OfType<TaskCompleted>()
                .Single()
                .Results["weights-sha256"]
                .ShouldBe(await Specs.DigitsWeightsAsync(i, epochs), $"seed {seed}");
        }

        tasks.Max(t => t.Starts.Count).ShouldBeGreaterThan(Kills / 2);
    }

    [Fact]
    public async Task SingleNode_Terminated_SavesAndTheNextOneGoesOnFromThere()
    {
        await using LocalCluster cluster = new(nodes: 1);
        await cluster.StartAsync();
        ObservedTask task = await ObservedTask.SubmitAsync(cluster, Specs.Scripted("alone", new() { Steps = 600 }));
        await task.WaitForCheckpointAsync();

        cluster.Nodes[0].Signal(Signals.Terminate);
        using CancellationTokenSource limit = new(TimeSpan.FromSeconds(30), TimeProvider.System);
        int exitCode = await cluster.Nodes[0].WaitForExitAsync(limit.Token);

        exitCode.ShouldBe(0, cluster.Logs());
        cluster.Children().ShouldBeEmpty();
        cluster.Nodes[0].Start();
        TaskStarted second = await task.WaitForStartAsync(after: 1);
        second.RestoredStep.ShouldBe(task.Checkpoints[^1].Step);
        task.Checkpoints[^1].Reason.ShouldNotBe("interval", task.ToString());
        await task.WaitForEndAsync(TaskStatus.Completed);
        await task.ShouldHaveLostNothingAsync();
        task.Events.OfType<TaskCompleted>().Single().Results["sum"].ShouldBe(Testing.Trainers.ScriptedTrainer.SumOf(600));
    }

    /// <summary>
    /// Epochs that keep a task busy for about as long as the kills take. By processor time: what else the machine does at this moment would
    /// make the tasks too short for the rest of the test.
    /// </summary>
    private static async Task<int> ChooseEpochsAsync()
    {
        string digits = LocalCluster.FindBuilt("samples/Digits", "Digits");
        CommandResult probe = await CommandResult.RunAsync(
            "/bin/sh",
            ["-c", $"\"$0\" --quick --seed 1 --epochs {ProbeEpochs} > /dev/null && times", digits],
            Path.GetTempPath(),
            new Dictionary<string, string>()
        );
        probe.ExitCode.ShouldBe(0, probe.Error);
        string children = probe.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries)[^1];
        double seconds = Durations().Matches(children).Sum(m => (60 * Number(m.Groups[1])) + Number(m.Groups[2]));
        return (int)Math.Clamp(ProbeEpochs * WantedTime.TotalSeconds / seconds, 20, 2000);
    }

    private static double Number(Group group) => double.Parse(group.Value, CultureInfo.InvariantCulture);

    /// <summary>As <c>times</c> prints them.</summary>
    [GeneratedRegex(@"(\d+)m([\d.]+)s")]
    private static partial Regex Durations();

    /// <summary>
    /// A random time after the start of some run. A run that takes its node along soon after its start, again and again, is taken for the
    /// cause (and held after three): a task that was hit twice before its first checkpoint is given the time for one.
    /// </summary>
    private static async Task WaitForMomentAsync(LocalCluster cluster, ObservedTask[] tasks, Random random)
    {
        int[] starts = [.. tasks.Select(t => t.Starts.Count)];
        await cluster.WaitAsync(
            "some task trains again",
            async () =>
            {
                foreach (ObservedTask task in tasks)
                {
                    await task.LookAsync();
                }

                return tasks.All(t => t.IsEnded) || tasks.Where((t, i) => t.Starts.Count > starts[i]).Any();
            },
            TimeSpan.FromSeconds(60)
        );
        TimeSpan moment = LatestKill * random.NextDouble();
        long from = TimeProvider.System.GetTimestamp();
        await cluster.WaitAsync(
            "the moment has come",
            async () =>
            {
                foreach (ObservedTask task in tasks)
                {
                    await task.LookAsync();
                }

                return TimeProvider.System.GetElapsedTime(from) >= moment && tasks.All(t => t.IsEnded || t.RunsWithoutCheckpoint < 2);
            },
            TimeSpan.FromSeconds(60)
        );
    }

    private static void KillAll(LocalCluster cluster)
    {
        foreach (LocalNode node in cluster.Nodes)
        {
            node.Signal(Signals.Kill);
        }
    }
}
