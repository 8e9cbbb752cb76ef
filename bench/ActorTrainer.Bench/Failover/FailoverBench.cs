using System.Globalization;
using System.Text.Json;
using ActorTrainer.Core.Configuration;
using ActorTrainer.Core.Journaling;
using ActorTrainer.Core.Membership;
using ActorTrainer.Core.Tasks;
using ActorTrainer.Journal;
using ActorTrainer.Runtime.Api;
using ActorTrainer.Runtime.Client;
using ActorTrainer.Testing.Processes;
using TaskStatus = ActorTrainer.Core.Tasks.TaskStatus;

namespace ActorTrainer.Bench.Failover;

/// <summary>
/// Kills (<c>crash</c>: SIGKILL) or stops (<c>silent</c>: SIGSTOP) a random node of three, again and again, and measures from outside how
/// long it takes until the loss is known and until its tasks train on.
/// </summary>
internal sealed class FailoverBench(EngineKind engine, string mode, int kills, bool fencing)
{
    private const int Tasks = 3;
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    /// <summary>The same for every engine and mode, so that each meets the same faults.</summary>
    private readonly Random _random = new(20261122);
    private readonly List<double> _detect = [];
    private readonly List<double> _resume = [];
    private readonly List<double> _redone = [];
    private long _lostSteps;

    public static async Task<int> RunAsync(string[] args)
    {
        if (!FailoverOptions.TryParse(args, out FailoverOptions? options, out string problem))
        {
            await Console.Error.WriteLineAsync($"failover: {problem}.");
            return 2;
        }

        List<string> results = [.. options.Engines.Select(FailoverOptions.SettingsOf)];
        foreach (EngineKind engine in options.Engines)
        {
            foreach (string mode in options.Modes)
            {
                results.Add(await new FailoverBench(engine, mode, options.Kills, options.Fencing).RunAsync());
            }
        }

        results.ForEach(Console.WriteLine);
        return 0;
    }

    private async Task<string> RunAsync()
    {
        await using LocalCluster cluster = new(nodes: 3) { Engine = engine };
        if (!fencing)
        {
            cluster.Environment[SqliteJournal.FencingVariable] = "off";
        }

        await cluster.StartAsync();
        Watched[] tasks = [.. Enumerable.Range(1, Tasks).Select(i => new Watched($"bench{i}", Directory.CreateDirectory(Path.Combine(cluster.Folder, $"steps{i}")).FullName))];
        foreach (Watched task in tasks)
        {
            await cluster.Client.SubmitAsync(Spec(task));
        }

        for (int i = 1; i <= kills; i++)
        {
            await SettleAsync(cluster, tasks);
            await LoseOneAsync(cluster, tasks, i);
        }

        await CheckCommittedAsync(cluster, tasks);
        long doubleWriters = await CountDoubleWritersAsync(cluster, tasks);
        return string.Create(
            CultureInfo.InvariantCulture,
            $"failover engine={FailoverOptions.NameOf(engine)} mode={mode} kills={kills} detect_ms_p50={Percentile(_detect, 50):0} detect_ms_max={_detect.Max():0} resume_ms_p50={Percentile(_resume, 50):0} resume_ms_max={_resume.Max():0} steps_redone_p50={Percentile(_redone, 50):0} steps_redone_max={_redone.Max():0} lost_committed_steps={_lostSteps} double_writers={doubleWriters}");
    }

    private static TaskSpec Spec(Watched task) => new()
    {
        Name = task.Name,
        Trainer = new TrainerSpec(
            typeof(FailoverTrainer).FullName!,
            typeof(FailoverTrainer).Assembly.Location,
            JsonSerializer.SerializeToElement(new FailoverSettings(task.StepsPath), FailoverJson.Default.FailoverSettings)),
        Checkpoint = new CheckpointSpec { Strategy = CheckpointStrategy.Interval, Interval = TimeSpan.FromSeconds(1) },
    };

    /// <summary>
    /// Waits until three nodes are up, each runs a task, and each task has committed a checkpoint in its present run and passed every step
    /// that an earlier run of it has done.
    /// </summary>
    private static Task SettleAsync(LocalCluster cluster, Watched[] tasks) => cluster.WaitAsync(
        "every node runs a task that has committed something and passed its earlier runs",
        async () =>
        {
            ClusterStatus status = await cluster.Client.GetClusterAsync();
            foreach (Watched task in tasks)
            {
                await task.ObserveAsync(cluster.Client);
                task.Steps.Read();
            }

            return status.Members.Count(m => m.State == MemberState.Up && m.UsedSlots > 0 && m.Reachable) == cluster.Nodes.Count &&
                tasks.All(t => t.CommittedInRun && t.Steps.NewestLeads);
        },
        Limit);

    private async Task LoseOneAsync(LocalCluster cluster, Watched[] tasks, int number)
    {
        LocalNode victim = cluster.Nodes[_random.Next(cluster.Nodes.Count)];
        await Task.Delay(TimeSpan.FromMilliseconds(_random.Next(1000)), TimeProvider.System);
        using ActorTrainerClient others = LocalCluster.ClientOf([.. cluster.Nodes.Where(n => n != victim).Select(n => n.Address)]);
        ClusterStatus before = await others.GetClusterAsync();
        long life = before.Members.Where(m => m.Address == victim.Address).Max(m => m.Incarnation);
        List<Watched> lost = [];
        foreach (Watched task in tasks)
        {
            await task.ObserveAsync(others);
            if (task.Node == victim.Address)
            {
                lost.Add(task);
            }
        }

        long at = FailoverClock.Now;
        victim.Signal(mode == "silent" ? Signals.Stop : Signals.Kill);
        long detected = await DetectAsync(others, life);
        _detect.Add(detected - at);
        foreach (Watched task in lost)
        {
            await MeasureAsync(cluster, others, task, at);
        }

        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{FailoverOptions.NameOf(engine)} {mode} {number}/{kills}: node {victim.Number}, detected after {detected - at} ms, {lost.Count} tasks trained again after {(lost.Count == 0 ? 0 : _resume.TakeLast(lost.Count).Max()):0} ms"));
        if (mode == "silent")
        {
            victim.Signal(Signals.Continue);
        }
        else
        {
            await victim.KillAsync();
            victim.Start();
        }
    }

    private static async Task<long> DetectAsync(ActorTrainerClient others, long life)
    {
        while (true)
        {
            ClusterStatus status = await others.GetClusterAsync();
            if (status.Members.All(m => m.Incarnation != life || m.State == MemberState.Down))
            {
                return FailoverClock.Now;
            }

            await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System);
        }
    }

    private async Task MeasureAsync(LocalCluster cluster, ActorTrainerClient others, Watched task, long at)
    {
        task.Steps.Read();
        long highest = task.Steps.Highest(at);
        StepLine? first = null;
        await cluster.WaitAsync(
            $"{task.Name} trains again above step {highest}",
            () =>
            {
                task.Steps.Read();
                first = task.Steps.FirstNew(highest, at);
                return Task.FromResult(first is not null);
            },
            Limit);
        long committed = task.Committed;
        await cluster.WaitAsync(
            $"{task.Name}'s new start is on record",
            async () =>
            {
                await task.ObserveAsync(others);
                return task.Runs > task.RunsAtLoss;
            },
            Limit);
        _resume.Add(first!.Value.Time - at);
        _redone.Add(highest - task.RestoredStep);
        _lostSteps += Math.Max(0, committed - task.RestoredStep);
        task.RunsAtLoss = task.Runs;
    }

    /// <summary>Every checkpoint that was ever seen is still in the history.</summary>
    private async Task CheckCommittedAsync(LocalCluster cluster, Watched[] tasks)
    {
        foreach (Watched task in tasks)
        {
            List<EventRow> events = await ListEventsAsync(cluster, task);
            HashSet<string> history = [.. events.Select(e => e.Event).OfType<TaskCheckpointed>().Select(e => e.Checkpoint.Name)];
            _lostSteps += task.Seen.Count(name => !history.Contains(name));
            TaskView view = (await cluster.Client.GetTaskAsync(task.Name)).Task;
            if (view.Status is not (TaskStatus.Running or TaskStatus.Pending))
            {
                throw new InvalidOperationException($"{task.Name} is {view.Status}: {view.Detail}");
            }
        }
    }

    /// <summary>
    /// Events of a lower term than an earlier one of their task. Of the embedded engine the journal's own rows are asked; in the akka
    /// engine's the term is inside of the messages, and the API tells it.
    /// </summary>
    private async Task<long> CountDoubleWritersAsync(LocalCluster cluster, Watched[] tasks)
    {
        if (engine == EngineKind.Embedded)
        {
            return await DoubleWriters.CountAsync(cluster.JournalPath);
        }

        long count = 0;
        foreach (Watched task in tasks)
        {
            long highest = 0;
            foreach (EventRow row in (await ListEventsAsync(cluster, task)).OrderBy(row => row.Sequence))
            {
                count += row.Term < highest ? 1 : 0;
                highest = Math.Max(highest, row.Term);
            }
        }

        return count;
    }

    private static async Task<List<EventRow>> ListEventsAsync(LocalCluster cluster, Watched task)
    {
        List<EventRow> events = [];
        while ((await cluster.Client.ListEventsAsync(task.Name, events.Count == 0 ? 0 : events[^1].Sequence)).Events is { Count: > 0 } page)
        {
            events.AddRange(page);
        }

        return events;
    }

    private static double Percentile(List<double> values, int percent)
    {
        double[] sorted = [.. values.Order()];
        return sorted.Length == 0 ? 0 : sorted[Math.Min(sorted.Length - 1, (int)Math.Ceiling(sorted.Length * percent / 100.0) - 1)];
    }
}
