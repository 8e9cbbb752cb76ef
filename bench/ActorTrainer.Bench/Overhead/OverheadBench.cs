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
/// (<c>adaptive</c>), and while it is not; and how many steps a kill at a random moment costs. Both trainings are there all the time, one
/// of them stopped (SIGSTOP) while the other one runs for the length of a save's interval, in turns: a machine that others use, too, is
/// faster in one half of a minute than in the other by more than a save costs.
/// </summary>
internal sealed class OverheadBench(LocalCluster cluster)
{
    private const double MiB = 1 << 20;

    /// <summary>Of the sample's hidden layers: a state of 52 MiB, with Adam's two moments.</summary>
    private const int Hidden = 2100;

    /// <summary>Few samples a step, so that steps are short beside a slice.</summary>
    private const int BatchSize = 4;
    private const int Epochs = 1_000_000;

    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(2.4);

    /// <summary>
    /// A save is due when its training goes on, since the time in which it is stopped counts, and the next one when it is stopped again.
    /// </summary>
    private static readonly TimeSpan Slice = Longest;
    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan Never = TimeSpan.FromDays(1);
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(120);

    private readonly Random _random = new(20261130);
    private int _number;

    /// <exception cref="OptionException">An argument is not right.</exception>
    public static async Task<int> RunAsync(string[] args)
    {
        OptionSet options = OptionSet.Parse(args, ("--pairs", "75"), ("--kills", "10"));
        int pairs = options.Number("--pairs", least: 1, most: 1000);
        int kills = options.Number("--kills", least: 1, most: 1000);
        await using LocalCluster cluster = new(nodes: 1);
        await cluster.StartAsync();
        OverheadBench bench = new(cluster);
        string training = await bench.TrainAsync(pairs);
        string killed = await bench.KillAsync(kills);
        Console.WriteLine(training);
        Console.WriteLine(killed);
        return 0;
    }

    private async Task<string> TrainAsync(int pairs)
    {
        Training without = await BeginAsync(saves: false);
        Training with = await BeginAsync(saves: true);
        Distribution slower = new();
        for (int i = 1; i <= pairs; i++)
        {
            // Now one is first, now the other.
            Training[] turns = i % 2 == 1 ? [without, with] : [with, without];
            foreach (Training training in turns)
            {
                await training.RunAsync(Slice);
            }

            slower.Add(100 * (1 - (with.Last / without.Last)));
        }

        TimeSpan trained = Slice * pairs;
        TaskCheckpointed[] saved = await with.EndAsync();
        _ = await without.EndAsync();
        return string.Create(
            CultureInfo.InvariantCulture,
            $"overhead part=training pairs={pairs} mib={saved.Max(save => save.Checkpoint.Bytes) / MiB:0.0} "
                + $"steps_per_s_without={without.Median:0.00} steps_per_s_with={with.Median:0.00} "
                + $"slower_percent={slower.Percentile(50):0.00} saves_per_minute={saved.Length / trained.TotalMinutes:0.0}"
        );
    }

    /// <summary>A training that is warm and stopped: the first saves touch memory.</summary>
    private async Task<Training> BeginAsync(bool saves)
    {
        (ObservedTask task, StepLog steps) = await SubmitAsync(saves);
        await WaitForStepsAsync(steps);
        await Task.Delay(WarmUp, TimeProvider.System);
        await task.LookAsync();
        Training training = new(cluster, task, steps);
        training.Stop();
        return training;
    }

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

    /// <summary>A training that runs in its turns and is stopped in between.</summary>
    private sealed class Training(LocalCluster cluster, ObservedTask task, StepLog steps)
    {
        private readonly Distribution _rates = new();
        private readonly long _from = BenchClock.Now;

        /// <summary>Steps in a second of its last turn.</summary>
        public double Last => _rates.Last(1).Single();

        /// <summary>The same of all, in the middle.</summary>
        public double Median => _rates.Percentile(50);

        /// <summary>The step that is begun goes on with the next turn.</summary>
        public void Stop() => Signals.Send(task.Starts[^1].Pid, Signals.Stop);

        public async Task RunAsync(TimeSpan slice)
        {
            long from = BenchClock.Now;
            Signals.Send(task.Starts[^1].Pid, Signals.Continue);
            await Task.Delay(slice, TimeProvider.System);
            Stop();
            long to = BenchClock.Now;
            steps.Read();

            // From the end of the step that was begun before: what is done between two steps, as a save is, follows it.
            StepLine[] done = [.. steps.Runs.Single().Steps.Where(step => step.Time >= from && step.Time <= to)];
            _rates.Add((done[^1].Step - done[0].Step) * 1000.0 / (done[^1].Time - done[0].Time));
        }

        /// <summary>Ends it; gives what it has saved since it was warm.</summary>
        public async Task<TaskCheckpointed[]> EndAsync()
        {
            Signals.Send(task.Starts[^1].Pid, Signals.Continue);
            long to = BenchClock.Now;
            await cluster.Client.CancelAsync(task.Name);
            await task.WaitForEndAsync(TaskStatus.Cancelled);
            foreach (SavePace pace in task.Events.OfType<TaskSavesPaced>().Select(paced => paced.Pace))
            {
                Console.WriteLine(
                    string.Create(
                        CultureInfo.InvariantCulture,
                        $"a save each {pace.Interval.TotalSeconds:0.0} s ({pace.Reason}): stall {pace.Stall.TotalMilliseconds:0.0} ms, "
                            + $"drag {pace.Drag.TotalMilliseconds:0.0} ms, commit {pace.Commit.TotalMilliseconds:0} ms"
                    )
                );
            }

            return
            [
                .. task
                    .Rows.Where(row => BenchClock.At(row.Time) >= _from && BenchClock.At(row.Time) <= to)
                    .Select(row => row.Event)
                    .OfType<TaskCheckpointed>(),
            ];
        }
    }
}
