using System.Globalization;
using System.Text.Json;
using ActorTrainer.Bench.Common;
using ActorTrainer.Bench.Failover;
using ActorTrainer.Core.Checkpoints;
using ActorTrainer.Core.Tasks;
using ActorTrainer.Testing.Processes;
using TaskStatus = ActorTrainer.Core.Tasks.TaskStatus;

namespace ActorTrainer.Bench.Overhead;

/// <summary>
/// What saving costs a training: the steps that the Digits sample does in a second while its state is saved every few seconds
/// (<c>adaptive</c>), and while it is not, in turns; and how many steps a kill at a random moment costs.
/// </summary>
internal sealed class OverheadBench(LocalCluster cluster, TimeSpan slice)
{
    private const double MiB = 1 << 20;

    /// <summary>Of the sample's hidden layers: a state of 52 MiB, with Adam's two moments.</summary>
    private const int Hidden = 2100;

    /// <summary>Few samples a step, so that steps are short beside a slice.</summary>
    private const int BatchSize = 4;
    private const int Epochs = 1_000_000;

    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(2.4);
    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(8);
    private static readonly TimeSpan Never = TimeSpan.FromDays(1);
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(120);

    private readonly Random _random = new(20261130);
    private readonly Distribution _without = new();
    private readonly Distribution _with = new();
    private readonly Distribution _slower = new();
    private double _saves;
    private long _bytes;
    private int _number;

    /// <exception cref="OptionException">An argument is not right.</exception>
    public static async Task<int> RunAsync(string[] args)
    {
        OptionSet options = OptionSet.Parse(args, ("--pairs", "6"), ("--seconds", "20"), ("--kills", "10"));
        int pairs = options.Number("--pairs", least: 1, most: 1000);
        int kills = options.Number("--kills", least: 1, most: 1000);
        TimeSpan slice = TimeSpan.FromSeconds(options.Number("--seconds", least: 5, most: 3600));
        await using LocalCluster cluster = new(nodes: 1);
        await cluster.StartAsync();
        OverheadBench bench = new(cluster, slice);
        for (int i = 0; i < pairs; i++)
        {
            await bench.MeasurePairAsync(withFirst: i % 2 == 1);
        }

        string training = bench.TrainingLine(pairs);
        string killed = await bench.KillAsync(kills);
        Console.WriteLine(training);
        Console.WriteLine(killed);
        return 0;
    }

    private async Task MeasurePairAsync(bool withFirst)
    {
        double with = withFirst ? await MeasureAsync(saves: true) : 0;
        double without = await MeasureAsync(saves: false);
        with = withFirst ? with : await MeasureAsync(saves: true);
        _without.Add(without);
        _with.Add(with);
        _slower.Add(100 * (1 - (with / without)));
        Console.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"pair {_slower.Count}: {without:0.00} steps/s without saves, {with:0.00} with, {_slower.Last(1).Single():0.00} % slower"
            )
        );
    }

    /// <summary>Steps in a second of one training, once it is warm: the first saves touch memory.</summary>
    private async Task<double> MeasureAsync(bool saves)
    {
        (ObservedTask task, StepLog steps) = await SubmitAsync(saves);
        await WaitForStepsAsync(steps);
        await Task.Delay(WarmUp, TimeProvider.System);
        long from = BenchClock.Now;
        await Task.Delay(slice, TimeProvider.System);
        long to = BenchClock.Now;
        await cluster.Client.CancelAsync(task.Name);
        await task.WaitForEndAsync(TaskStatus.Cancelled);
        steps.Read();
        StepLine[] done = [.. steps.Runs.Single().Steps.Where(step => step.Time >= from && step.Time <= to)];
        if (saves)
        {
            TaskCheckpointed[] saved =
            [
                .. task
                    .Rows.Where(row => BenchClock.At(row.Time) >= from && BenchClock.At(row.Time) <= to)
                    .Select(row => row.Event)
                    .OfType<TaskCheckpointed>(),
            ];
            _saves += saved.Length;
            _bytes = saved.Select(save => save.Checkpoint.Bytes).Append(_bytes).Max();
            foreach (SavePace pace in task.Events.OfType<TaskSavesPaced>().Select(paced => paced.Pace))
            {
                Console.WriteLine(
                    string.Create(
                        CultureInfo.InvariantCulture,
                        $"  a save each {pace.Interval.TotalSeconds:0.0} s ({pace.Reason}): stall {pace.Stall.TotalMilliseconds:0.0} ms, "
                            + $"drag {pace.Drag.TotalMilliseconds:0.0} ms, commit {pace.Commit.TotalMilliseconds:0} ms"
                    )
                );
            }
        }

        return (done[^1].Step - done[0].Step) * 1000.0 / (done[^1].Time - done[0].Time);
    }

    private string TrainingLine(int pairs) =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"overhead part=training pairs={pairs} mib={_bytes / MiB:0.0} steps_per_s_without={_without.Percentile(50):0.00} "
                + $"steps_per_s_with={_with.Percentile(50):0.00} slower_percent={_slower.Percentile(50):0.00} "
                + $"saves_per_minute={_saves / pairs / slice.TotalMinutes:0.0}"
        );

    private async Task<string> KillAsync(int kills)
    {
        (ObservedTask task, StepLog steps) = await SubmitAsync(saves: true);
        Distribution lost = new();
        Distribution seconds = new();
        for (int i = 1; i <= kills; i++)
        {
            await cluster.WaitAsync(
                "it has saved, and passed what it had done",
                async () =>
                {
                    await task.LookAsync();
                    steps.Read();
                    return task.Starts.Count == i && task.RunsWithoutCheckpoint == 0 && steps.NewestLeads;
                },
                Limit
            );
            await Task.Delay(Longest + (Longest * 2 * _random.NextDouble()), TimeProvider.System);
            long at = BenchClock.Now;
            Signals.Send(task.Starts[^1].Pid, Signals.Kill);
            TaskStarted next = await task.WaitForStartAsync(after: i);
            steps.Read();
            StepLine last = steps.LastOfBefore(at)!.Value;
            StepLine? kept = steps.Runs.SelectMany(run => run.Steps).Where(step => step.Step == next.RestoredStep).MinBy(step => step.Time);
            lost.Add(last.Step - next.RestoredStep);
            seconds.Add((last.Time - kept!.Value.Time) / 1000.0);
            Console.WriteLine(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"kill {i}/{kills}: {lost.Last(1).Single():0} steps, {seconds.Last(1).Single():0.0} s of training lost"
                )
            );
        }

        await cluster.Client.CancelAsync(task.Name);
        await task.WaitForEndAsync(TaskStatus.Cancelled);
        return string.Create(
            CultureInfo.InvariantCulture,
            $"overhead part=kill kills={kills} lost_steps_mean={lost.Last(kills).Average():0.0} lost_steps_max={lost.Max:0} "
                + $"lost_s_mean={seconds.Last(kills).Average():0.00}"
        );
    }

    private async Task<(ObservedTask Task, StepLog Steps)> SubmitAsync(bool saves)
    {
        string name = string.Create(CultureInfo.InvariantCulture, $"digits{++_number}");
        string folder = Directory.CreateDirectory(Path.Combine(cluster.Folder, $"steps-{name}")).FullName;
        TaskSpec spec = new()
        {
            Name = name,
            Trainer = new TrainerSpec(
                typeof(OverheadTrainer).FullName!,
                typeof(OverheadTrainer).Assembly.Location,
                JsonSerializer.SerializeToElement(
                    new Dictionary<string, int>
                    {
                        ["hidden"] = Hidden,
                        ["batch-size"] = BatchSize,
                        ["epochs"] = Epochs,
                    }
                )
            ),
            Environment = new Dictionary<string, string> { [OverheadTrainer.StepsVariable] = folder },
            Checkpoint = saves
                ? new CheckpointSpec { Strategy = CheckpointStrategy.Adaptive, Interval = Longest }
                : new CheckpointSpec { Strategy = CheckpointStrategy.Interval, Interval = Never },
            Retry = new RetrySpec { MaxAttempts = 1000, Backoff = TimeSpan.Zero },
        };
        return (await ObservedTask.SubmitAsync(cluster, spec), new StepLog(folder));
    }

    private Task WaitForStepsAsync(StepLog steps) =>
        cluster.WaitAsync(
            "it trains",
            () =>
            {
                steps.Read();
                return Task.FromResult(steps.Runs.Any(run => run.First is not null));
            },
            Limit
        );
}
