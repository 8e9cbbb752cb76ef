using System.Globalization;
using ActorTrainer.Bench.Common;
using ActorTrainer.Client;
using ActorTrainer.Core.Membership;
using ActorTrainer.Core.Queries;
using ActorTrainer.Core.Tasks;
using ActorTrainer.Testing.Processes;
using TaskStatus = ActorTrainer.Core.Tasks.TaskStatus;

namespace ActorTrainer.Bench.Failover;

/// <summary>
/// Kills (<c>crash</c>: SIGKILL), stops (<c>silent</c>: SIGSTOP) or drains (<c>drain</c>) a random one of the nodes of three that run a
/// task, again and again, and measures from outside how long it takes until the loss is known and until its tasks train on.
/// </summary>
internal sealed class FailoverBench(BenchDatabase database, string mode, FailoverOptions options)
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(10);
    private static readonly TimeSpan QuietFor = TimeSpan.FromSeconds(1);

    /// <summary>Of a core, all nodes together; what they use is printed.</summary>
    private const double Quiet = 0.25;

    /// <summary>The same for every combination, so that each meets the same faults.</summary>
    private readonly Random _random = new(20261122);
    private readonly FailoverFigures _figures = new();

    private readonly (int Tasks, int Megabytes) _load = options.TasksIn(mode);

    private string Name => $"database={database.Name} mode={mode}";

    /// <exception cref="OptionException">An argument is not right.</exception>
    public static async Task<int> RunAsync(string[] args)
    {
        FailoverOptions options = FailoverOptions.Parse(args);
        List<string> results = [];
        bool failed = false;
        foreach (string name in options.Databases)
        {
            await using BenchDatabase database = await BenchDatabase.CreateAsync(name);
            foreach (string mode in options.Modes)
            {
                FailoverBench bench = new(database, mode, options);
                try
                {
                    results.AddRange(await bench.RunAsync());
                }
                catch (Exception e)
                    when (e is TimeoutException or InvalidOperationException or ActorTrainerApiException or UnknownOutcomeException
                        || ActorTrainerClient.IsTransient(e)
                    )
                {
                    // The other combinations are still worth their lines; this one has none.
                    failed = true;
                    results.Add($"failed: {bench.Name}: {e.Message}");
                }
            }
        }

        results.Distinct().ToList().ForEach(Console.WriteLine);
        return failed ? 1 : 0;
    }

    private async Task<string[]> RunAsync()
    {
        await using LocalCluster cluster = new(nodes: 3) { Server = database.Server };
        await cluster.StartAsync();
        List<Watched> tasks = [];
        for (int i = 1; i <= _load.Tasks; i++)
        {
            tasks.Add(await Watched.SubmitAsync(cluster, $"bench{i}", _load.Megabytes));
        }

        await WaitUntilQuietAsync(cluster);
        for (int i = 1; i <= options.Kills; i++)
        {
            await SettleAsync(cluster, tasks);
            await LoseOneAsync(cluster, tasks, i);
        }

        await JudgeAsync(cluster, tasks);
        return
        [
            $"settings database={database.Name} synchronous={await BenchDatabase.SynchronousAsync(cluster)} "
                + $"{FailoverOptions.Settings()} tasks={_load.Tasks} state-mb={_load.Megabytes}",
            string.Create(CultureInfo.InvariantCulture, $"failover {Name} kills={options.Kills} {_figures.Line(mode)}"),
        ];
    }

    /// <summary>
    /// Three nodes that start at once on one machine take its processor from each other for some seconds; what is measured is a cluster
    /// that stands. The nodes that are lost later start beside those that stand, and are not waited for so.
    /// </summary>
    private static async Task WaitUntilQuietAsync(LocalCluster cluster)
    {
        double cores = 0;
        await cluster.WaitAsync(
            "the nodes are through with their start",
            async () =>
            {
                TimeSpan before = CpuTime();
                await Task.Delay(QuietFor, TimeProvider.System);
                return (cores = (CpuTime() - before) / QuietFor) < Quiet;
            },
            Limit
        );
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"the nodes are through with their start: {cores:0.00} of a core"));

        TimeSpan CpuTime() => cluster.Nodes.Aggregate(TimeSpan.Zero, (sum, node) => sum + ProcessInfo.CpuTime(node.Pid));
    }

    /// <summary>
    /// Waits until three nodes are up, and each task has committed a checkpoint in its present run and passed every step that an earlier
    /// run of it has done.
    /// </summary>
    private static Task SettleAsync(LocalCluster cluster, IReadOnlyList<Watched> tasks) =>
        cluster.WaitAsync(
            "every node is up, every task has committed something and passed its earlier runs",
            async () =>
            {
                ClusterStatus status = await cluster.Client.GetClusterAsync();
                foreach (Watched task in tasks)
                {
                    await task.Record.LookAsync();
                    task.Steps.Read();
                }

                return status.Members.Count(m => m.State == MemberState.Up && m.Reachable) == cluster.Nodes.Count
                    && tasks.All(t => t.IsSettled);
            },
            Limit
        );

    private async Task LoseOneAsync(LocalCluster cluster, IReadOnlyList<Watched> tasks, int number)
    {
        LocalNode[] candidates = [.. cluster.Nodes.Where(node => tasks.Any(task => task.Node == node.Address))];
        LocalNode victim = candidates[_random.Next(candidates.Length)];
        await Task.Delay(TimeSpan.FromMilliseconds(_random.Next(1000)), TimeProvider.System);
        using ActorTrainerClient others = LocalCluster.ClientOf([.. cluster.Nodes.Where(n => n != victim).Select(n => n.Address)]);
        ClusterStatus before = await others.GetClusterAsync();
        MemberView life = before.Members.Where(m => m.Address == victim.Address).MaxBy(m => m.Incarnation)!;
        foreach (Watched task in tasks)
        {
            await task.Record.LookAsync(others);
            task.Steps.Read();
        }

        // A task may have been moved while the fault was waited for.
        Watched[] lost = [.. tasks.Where(task => task.Node == victim.Address)];
        long at = BenchClock.Now;
        GapParts? parted = null;
        if (FailoverOptions.IsDrain(mode))
        {
            parted = await DrainAsync(cluster, others, victim, lost, at);
        }
        else
        {
            await KillAsync(cluster, others, victim, life.Incarnation, lost, at);
        }

        bool drained = FailoverOptions.IsDrain(mode);
        double longest = lost.Length == 0 ? 0 : (drained ? _figures.Gap : _figures.Restart).Last(lost.Length).Max();
        string parts = parted is null ? "" : $" ({parted})";
        string who = string.Create(CultureInfo.InvariantCulture, $"node {victim.Number}{(life.LeaseHolder ? " (coordinator)" : "")}");
        Console.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"{Name} {number}/{options.Kills}: "
                    + $"{who}, {lost.Length} tasks, {longest:0} ms {(drained ? "without a step" : "until they trained again")}{parts}"
            )
        );
    }

    private async Task KillAsync(LocalCluster cluster, ActorTrainerClient others, LocalNode victim, long life, Watched[] lost, long at)
    {
        int[] starts = [.. lost.Select(task => task.Record.Starts.Count)];
        victim.Signal(mode == FailoverOptions.Silent ? Signals.Stop : Signals.Kill);
        (long unreachable, long down) = await WatchAsync(others, life);
        _figures.Down.Add(down - at);
        for (int i = 0; i < lost.Length; i++)
        {
            await MeasureAsync(cluster, others, lost[i], starts[i], at, unreachable, down);
        }

        // One that was stopped in the middle of a write to SQLite has been ended by the others: it held the lock that they need.
        if (mode == FailoverOptions.Silent && Signals.TrySend(victim.Pid, Signals.Continue) && victim.IsRunning)
        {
            return;
        }

        await victim.KillAsync();
        victim.Start();
    }

    /// <summary>
    /// Looks until the others show a life as down; gives when they first showed that something is wrong with it, and when it was down.
    /// </summary>
    private static async Task<(long Unreachable, long Down)> WatchAsync(ActorTrainerClient others, long life)
    {
        long unreachable = 0;
        long started = BenchClock.Now;
        while (BenchClock.Now - started < Limit.TotalMilliseconds)
        {
            try
            {
                MemberView? member = (await others.GetClusterAsync()).Members.FirstOrDefault(m => m.Incarnation == life);
                if (unreachable == 0 && member is not { State: MemberState.Up, Reachable: true })
                {
                    unreachable = BenchClock.Now;
                }

                if (member is null or { State: MemberState.Down or MemberState.Removed })
                {
                    return (unreachable, BenchClock.Now);
                }
            }
            catch (Exception e) when (ActorTrainerClient.IsTransient(e))
            {
                // A node that is busy with the loss may say that it cannot answer now.
            }

            await Task.Delay(Look, TimeProvider.System);
        }

        throw new TimeoutException($"life {life} is not down after {Limit.TotalSeconds} s");
    }

    private async Task MeasureAsync(
        LocalCluster cluster,
        ActorTrainerClient others,
        Watched task,
        int starts,
        long at,
        long unreachable,
        long down
    )
    {
        long highest = task.Steps.Highest(at);
        StepLine? first = null;
        await cluster.WaitAsync(
            $"{task.Name} trains again above step {highest}",
            () =>
            {
                task.Steps.Read();
                first = task.Steps.FirstNew(highest, begunAfter: at);
                return Task.FromResult(first is not null);
            },
            Limit
        );
        await task.Record.WaitForStartAsync(starts, others);
        TrainerRun run = task.Steps.NextRun(at)!;
        _figures.Restart.Add(run.First!.Value.Time - at);
        _figures.Resume.Add(first!.Value.Time - at);
        _figures.Redone.Add(Math.Max(0, highest + 1 - run.First.Value.Step));
        _figures.WarmStarts += run.Process < at ? 1 : 0;

        // The new run is the first one that was started after the fault; what was said of it before that is of the run that was lost.
        int start = RowOf(task, starts);
        EventRow? activated = task.Record.Rows.Take(start).LastOrDefault(row => row.Event is TaskActivated);
        _figures.Add(RestartParts.Of(at, unreachable, down, TimeOf(activated), BenchClock.At(task.Record.Rows[start].Time), run));
    }

    /// <returns>The parts of the longest gap; null when no task was moved.</returns>
    private async Task<GapParts?> DrainAsync(
        LocalCluster cluster,
        ActorTrainerClient others,
        LocalNode victim,
        IReadOnlyList<Watched> moved,
        long at
    )
    {
        int[] starts = [.. moved.Select(task => task.Record.Starts.Count)];
        await others.DrainAsync(victim.Address.ToString());
        using CancellationTokenSource limit = new(Limit, TimeProvider.System);
        int exitCode = await victim.WaitForExitAsync(limit.Token);
        if (exitCode != 0)
        {
            throw new InvalidOperationException($"node {victim.Number} was drained and ended with {exitCode}\n{cluster.Logs()}");
        }

        List<GapParts> gaps = [];
        for (int i = 0; i < moved.Count; i++)
        {
            gaps.Add(await MeasureGapAsync(cluster, others, moved[i], starts[i], at));
        }

        victim.Start();
        return gaps.MaxBy(gap => gap.Values.Sum());
    }

    private async Task<GapParts> MeasureGapAsync(LocalCluster cluster, ActorTrainerClient others, Watched task, int starts, long at)
    {
        TrainerRun? next = null;
        await cluster.WaitAsync(
            $"{task.Name} trains elsewhere",
            () =>
            {
                task.Steps.Read();
                next = task.Steps.NextRun(at);
                return Task.FromResult(next is not null);
            },
            Limit
        );
        await task.Record.WaitForStartAsync(starts, others);
        StepLine last = task.Steps.LastOfBefore(at)!.Value;
        _figures.Gap.Add(next!.First!.Value.Time - last.Time);
        _figures.Redone.Add(Math.Max(0, last.Step + 1 - next.First.Value.Step));
        _figures.WarmStarts += next.Process < at ? 1 : 0;

        int start = RowOf(task, starts);
        EventRow[] before = [.. task.Record.Rows.Take(start)];
        GapParts parts = GapParts.Of(
            last.Time,
            TimeOf(before.LastOrDefault(row => row.Event is TaskCheckpointed)),
            TimeOf(before.LastOrDefault(row => row.Event is TaskInterrupted)),
            TimeOf(before.LastOrDefault(row => row.Event is TaskActivated)),
            BenchClock.At(task.Record.Rows[start].Time),
            next
        );
        _figures.Add(parts);
        return parts;
    }

    /// <summary>Where in a task's history a start of it stands.</summary>
    private static int RowOf(Watched task, int start) => task.Record.Rows.ToList().FindIndex(row => row.Event == task.Record.Starts[start]);

    /// <summary>When an event was written, on the bench's clock; 0: there was none.</summary>
    private static long TimeOf(EventRow? row) => row is null ? 0 : BenchClock.At(row.Time);

    /// <summary>Every checkpoint that was ever seen is still in the history, and no run began below the newest one before it.</summary>
    private async Task JudgeAsync(LocalCluster cluster, IReadOnlyList<Watched> tasks)
    {
        foreach (Watched task in tasks)
        {
            CommittedHistory verdict = await task.Record.JudgeAsync();
            verdict.Faults.ToList().ForEach(Console.WriteLine);
            _figures.LostSteps += verdict.LostSteps;
            _figures.DoubleWriters += verdict.DoubleWrites;
            TaskView view = (await cluster.Client.GetTaskAsync(task.Name)).Task;
            if (view.Status is not (TaskStatus.Running or TaskStatus.Pending))
            {
                throw new InvalidOperationException($"{task.Name} is {view.Status}: {view.Detail}");
            }
        }
    }
}
